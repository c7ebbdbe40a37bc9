"""Unpacks compressed batches up to a bound, whatever the sender says they hold (docs/decisions/0022)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import cramjam

UNPACKED_BYTES: Final = 278_528
"""Of one batch. The longest of ours holds one record of 256 KiB with key and headers; a member may send half as much."""
_GZIP_FORMAT: Final = 31
"""Window size for zlib that makes it read gzip's own header."""
_XERIAL: Final = b"\x82SNAPPY\x00"
_XERIAL_HEADER: Final = 16
Decoder = Callable[[bytes], bytes]


class CannotUnpackError(ValueError):
    """A batch holds more than the bound, or is not what its codec makes."""


def _gzip(packed: bytes) -> bytes:
    unpacking = zlib.decompressobj(_GZIP_FORMAT)
    try:
        found = unpacking.decompress(packed, UNPACKED_BYTES + 1)
    except zlib.error:
        raise CannotUnpackError("gzip") from None
    if len(found) > UNPACKED_BYTES or not unpacking.eof:
        raise CannotUnpackError("gzip")
    return found


def _snappy(packed: bytes) -> bytes:
    """Return the bytes of a batch: in blocks, as Java writes it, or in one piece."""
    packed = bytes(packed)
    blocks = _blocks(packed) if packed.startswith(_XERIAL) else [packed]
    try:
        if sum(map(cramjam.snappy.decompress_raw_len, blocks)) > UNPACKED_BYTES:
            raise CannotUnpackError("snappy")
        return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)
    except cramjam.DecompressionError:
        raise CannotUnpackError("snappy") from None


def _blocks(packed: bytes) -> list[bytes]:
    found, place = [], _XERIAL_HEADER
    while place < len(packed):
        if place + 4 > len(packed):
            raise CannotUnpackError("snappy")
        [size] = struct.unpack_from(">i", packed, place)
        if size < 0:
            raise CannotUnpackError("snappy")
        found.append(packed[place + 4 : place + 4 + size])
        place += 4 + size
    return found


def _into(decompress: Callable[[bytes, bytearray], int], packed: bytes) -> bytes:
    room = bytearray(UNPACKED_BYTES)
    try:
        return bytes(memoryview(room)[: decompress(bytes(packed), room)])
    except cramjam.DecompressionError:
        raise CannotUnpackError(decompress.__module__ or "") from None


DECODERS: Final[Mapping[str, Decoder]] = {
    "gzip_decode": _gzip,
    "snappy_decode": _snappy,
    "lz4_decode": partial(_into, cramjam.lz4.decompress_into),
    "zstd_decode": partial(_into, cramjam.zstd.decompress_into),
}
"""Each returns the bytes in a batch, or raises CannotUnpackError; by the names that aiokafka and kafka-python have for them."""
