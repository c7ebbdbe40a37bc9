"""A back-up as a file that nobody can read or change but who holds the organisation's keys (docs/decisions/0027).

A line that says what it is; the header, with a data key that is sealed to the organisation (HPKE); the content in chunks of
64 KiB, each under the data key with its number and whether it is the last (AES-256-GCM); and the maker's signature over it all.
HPKE alone says nothing about who sealed: everybody who knows a public key can.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass, field, fields
from hashlib import sha256
from typing import Any, BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from signal_exchange.privacy.backup_keys import BackupKey, RestoreKey
from signal_exchange.privacy.framing import framed
from signal_exchange.privacy.sealing import CannotOpenError

MAGIC: Final = b"signal-exchange back-up 2\n"
CHUNK_BYTES: Final = 65_536
TAG_BYTES, SIGNATURE_BYTES, DATA_KEY_BYTES, LENGTH_BYTES = 16, 64, 32, 4
COUNTER_BYTES: Final = 11
"""Of a nonce; the last byte says whether the chunk is the last one."""
KIND: Final = (b"signal-exchange", b"backup/v2")


class NotGenuineError(Exception):
    """A file that is no back-up by this maker, or that was changed, cut off or put together otherwise. It never says which."""

    def __init__(self) -> None:
        super().__init__("The file is no genuine back-up.")


@dataclass(frozen=True, slots=True)
class About:
    """The origin of a back-up: a service of an exchange at a moment. It stands in the file in the clear, and is signed."""

    exchange: str
    service: str
    made_at: str
    backup_id: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A genuine back-up: what it is of, and its content."""

    about: About
    content: bytes = field(repr=False)


def write_backup(out: BinaryIO, content: bytes, about: About, key: BackupKey) -> None:
    """Write content as a back-up that only the other half of `key` opens."""
    digest = sha256()
    for part in _parts(content, about, key):
        digest.update(part)
        out.write(part)
    out.write(key.signing.sign(_signed(digest.digest())))


def open_backup(file: bytes, key: RestoreKey) -> Opened:
    """Return the content of a back-up.

    Raises:
        NotGenuineError: the other half of `key` did not sign exactly these bytes.
        CannotOpenError: it was signed by this maker, and sealed to another.
    """
    body, signature = file[:-SIGNATURE_BYTES], file[-SIGNATURE_BYTES:]
    if not body.startswith(MAGIC) or not key.signing.verify(_signed(sha256(body).digest()), signature):
        raise NotGenuineError
    try:
        header, chunks = _split(body)
        about = About(*(str(header["about"][each.name]) for each in fields(About)))
        sealed = base64.b64decode(header["data_key"], validate=True)
    except (IndexError, KeyError, TypeError, ValueError):
        raise NotGenuineError from None
    data_key = key.sealing.decrypt(sealed, bound_to=_bound(about))
    return Opened(about, _decrypted(chunks, data_key))


def _parts(content: bytes, about: About, key: BackupKey) -> Iterator[bytes]:
    data_key = os.urandom(DATA_KEY_BYTES)
    sealed = base64.b64encode(key.sealing.encrypt(data_key, bound_to=_bound(about))).decode()
    header = json.dumps({"about": asdict(about), "data_key": sealed, "key_id": key.sealing.key_id}, sort_keys=True).encode()
    yield MAGIC + len(header).to_bytes(LENGTH_BYTES, "big") + header
    cipher, starts = AESGCM(data_key), range(0, max(len(content), 1), CHUNK_BYTES)
    for number, start in enumerate(starts):
        yield cipher.encrypt(_nonce(number, last=number == len(starts) - 1), content[start : start + CHUNK_BYTES], None)


def _decrypted(chunks: bytes, data_key: bytes) -> bytes:
    cipher, starts, content = AESGCM(data_key), range(0, max(len(chunks), 1), CHUNK_BYTES + TAG_BYTES), bytearray()
    try:
        for number, start in enumerate(starts):
            part = chunks[start : start + CHUNK_BYTES + TAG_BYTES]
            content += cipher.decrypt(_nonce(number, last=number == len(starts) - 1), part, None)
    except (InvalidTag, ValueError):
        raise CannotOpenError from None
    return bytes(content)


def _split(body: bytes) -> tuple[dict[str, Any], bytes]:
    begins = len(MAGIC) + LENGTH_BYTES
    ends = begins + int.from_bytes(body[len(MAGIC) : begins], "big")
    header: dict[str, Any] = json.loads(body[begins:ends])
    return header, body[ends:]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(COUNTER_BYTES, "big") + bytes([last])


def _bound(about: About) -> str:
    return sha256(framed(*KIND, *(value.encode() for value in astuple(about)))).hexdigest()


def _signed(digest: bytes) -> bytes:
    return framed(*KIND, digest)
