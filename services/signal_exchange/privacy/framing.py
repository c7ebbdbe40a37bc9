"""Unambiguous framing of byte strings: what is bound, signed or hashed together."""

from __future__ import annotations

_LONGEST = 0xFFFF


def framed(*parts: bytes) -> bytes:
    """Return the parts one after the other, each after its length as 2 bytes, big endian.

    Two different sequences of parts never give the same bytes. A part longer than 65,535 bytes is a ValueError.
    """
    return b"".join(_with_length(part) for part in parts)


def _with_length(part: bytes) -> bytes:
    if len(part) > _LONGEST:
        raise ValueError("A framed part holds at most 65,535 bytes.")
    return len(part).to_bytes(2, "big") + part
