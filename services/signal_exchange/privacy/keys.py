"""The common part of every key of this product: written down as text, read back, and never shown."""

from __future__ import annotations

from collections.abc import Mapping


class UnusableKeyError(ValueError):
    """A key that is missing, of the wrong length or no key at all. The text names its field, never its content."""


def bytes_of_hex(fields: Mapping[str, str], name: str, *, length: int) -> bytes:
    """Return the bytes that `fields[name]` holds as hexadecimal text.

    Raises:
        UnusableKeyError: the field is missing, is no hexadecimal text or has another length.
    """
    try:
        value = bytes.fromhex(fields[name])
    except (KeyError, TypeError, ValueError):
        raise UnusableKeyError(f"{name} is missing or is no hexadecimal text.") from None
    if len(value) != length:
        raise UnusableKeyError(f"{name} must hold {length} bytes.")
    return value


def text_of(fields: Mapping[str, str], name: str) -> str:
    """Return the non-empty text `fields[name]`.

    Raises:
        UnusableKeyError: the field is missing, empty or no text.
    """
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise UnusableKeyError(f"{name} is missing or is no text.")
    return value
