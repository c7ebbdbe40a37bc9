"""Batches of Kafka's format made by hand, as a hostile client may make them: codecs, counts and lengths are what one says."""

from __future__ import annotations

import gzip
import random
import struct
from collections.abc import Callable, Iterable

from aiokafka.codec import lz4_encode, snappy_encode, zstd_encode
from aiokafka.record.util import calc_crc32c, encode_varint

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
_ENCODED: dict[int, Callable[[bytes], bytes]] = {
    NONE: lambda records: records,
    GZIP: lambda records: gzip.compress(records, 9),
    SNAPPY: lambda records: snappy_encode(records, xerial_blocksize=1 << 24),
    LZ4: lz4_encode,
    ZSTD: zstd_encode,
}


def record(
    value: bytes | None, *, key: bytes | None = b"key", place: int = 0, headers: Iterable[tuple[bytes, bytes | None]] = ()
) -> bytes:
    """Return one record; `place` is its own in the batch. Whatever is None is null on the wire."""
    parts = list(headers)
    body = b"\x00" + _varint(0) + _varint(place) + _counted(key) + _counted(value) + _varint(len(parts))
    body += b"".join(_counted(name) + _counted(content) for name, content in parts)
    return _varint(len(body)) + body


def packed(records: bytes, codec: int) -> bytes:
    """Return what a codec makes of these bytes."""
    return _ENCODED[codec](records)


def batch(records: bytes, count: int, codec: int = NONE, *, as_it_is: bool = False) -> bytes:
    """Return a batch that says to hold so many records, with the right checksum; with bytes `as_it_is` nothing is packed."""
    content = records if as_it_is else packed(records, codec)
    rest = struct.pack(">hiqqqhii", codec, count - 1, 1, 1, -1, -1, -1, count) + content
    tail = struct.pack(">ibI", -1, 2, calc_crc32c(rest)) + rest
    return struct.pack(">qi", 0, len(tail)) + tail


ZEROS = {GZIP: 120_000_000, SNAPPY: 2_500_000, LZ4: 30_000_000, ZSTD: 200_000_000}
"""What nearly fills a batch of 128 kB; of zstd only a part, since it could hold more than the memory of this machine."""


def bomb(codec: int, size: int) -> bytes:
    """Return a batch of exactly so many bytes: one record of zeros, filled up with what no codec can make smaller."""
    zeros, noise, tries = bytes(ZEROS[codec]), 0, 0
    made = batch(record(zeros), 1, codec)
    while len(made) != size:
        noise, tries = noise + size - len(made), tries + 1
        filling = random.Random(tries).randbytes(noise)  # noqa: S311 - the same at each run, and no secret
        made = batch(record(zeros + filling), 1, codec)
    return made


def _counted(content: bytes | None) -> bytes:
    return _varint(-1) if content is None else _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    encode_varint(number, out.append)
    return bytes(out)
