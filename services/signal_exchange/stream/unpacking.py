"""Unpacks compressed batches up to a bound, whatever the sender says they hold (docs/decisions/0022)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import cramjam

UNPACKED_BYTES: Final = 278_528
"""Of one batch. The longest of ours holds one record of 256 KiB with key and headers; a member may send half as much."""
_GZIP_FORMAT: Final = 31
"""Window size for zlib that makes it read gzip's own header."""
_XERIAL: Final = b"\x82SNAPPY\x00"
_XERIAL_HEADER: Final = 16
Decoder = Callable[[bytes], bytes]


class CannotUnpack(ValueError):  # noqa: N818 - says what is so
    """A batch holds more than the bound, or is not what its codec makes."""


def gzip_unpacked(packed: bytes) -> bytes:
    """Return what a batch of gzip holds.

    Raises:
        CannotUnpack: it holds more than the bound, or is damaged.
    """
    unpacking = zlib.decompressobj(_GZIP_FORMAT)
    try:
        found = unpacking.decompress(packed, UNPACKED_BYTES + 1)
    except zlib.error:
        raise CannotUnpack("gzip") from None
    if len(found) > UNPACKED_BYTES or not unpacking.eof:
        raise CannotUnpack("gzip")
    return found


def snappy_unpacked(packed: bytes) -> bytes:
    """Return what a batch of Snappy holds: in blocks, as Java writes it, or in one piece.

    Raises:
        CannotUnpack: it holds more than the bound, or is damaged.
    """
    packed = bytes(packed)
    blocks = _blocks(packed) if packed.startswith(_XERIAL) else [packed]
    try:
        if sum(map(cramjam.snappy.decompress_raw_len, blocks)) > UNPACKED_BYTES:
            raise CannotUnpack("snappy")
        return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)
    except cramjam.DecompressionError:
        raise CannotUnpack("snappy") from None


def _blocks(packed: bytes) -> list[bytes]:
    found, place = [], _XERIAL_HEADER
    while place < len(packed):
        if place + 4 > len(packed):
            raise CannotUnpack("snappy")
        [size] = struct.unpack_from(">i", packed, place)
        if size < 0:
            raise CannotUnpack("snappy")
        found.append(packed[place + 4 : place + 4 + size])
        place += 4 + size
    return found


def lz4_unpacked(packed: bytes) -> bytes:
    """Return what a batch of LZ4 holds.

    Raises:
        CannotUnpack: it holds more than the bound, or is damaged.
    """
    return _into(cramjam.lz4.decompress_into, packed)


def zstd_unpacked(packed: bytes) -> bytes:
    """Return what a batch of Zstandard holds.

    Raises:
        CannotUnpack: it holds more than the bound, or is damaged.
    """
    return _into(cramjam.zstd.decompress_into, packed)


def _into(decompress: Callable[[bytes, bytearray], int], packed: bytes) -> bytes:
    room = bytearray(UNPACKED_BYTES)
    try:
        return bytes(memoryview(room)[: decompress(bytes(packed), room)])
    except cramjam.DecompressionError:
        raise CannotUnpack(decompress.__module__ or "") from None


DECODERS: Final[Mapping[str, Decoder]] = {
    "gzip_decode": gzip_unpacked,
    "snappy_decode": snappy_unpacked,
    "lz4_decode": lz4_unpacked,
    "zstd_decode": zstd_unpacked,
}
"""By the names that aiokafka and kafka-python have for them."""
