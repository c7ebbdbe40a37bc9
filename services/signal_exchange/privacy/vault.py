"""The municipality's vault: records under their own key, so that destroying one key destroys one record (R-RET-03)."""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from signal_exchange.privacy.framing import framed
from signal_exchange.privacy.keys import UnusableKeyError

KEY_BYTES, NONCE_BYTES = 32, 12


class CannotDecryptError(Exception):
    """A record that this vault key does not open under this record id. It never says why."""

    def __init__(self) -> None:
        super().__init__("The record cannot be decrypted.")


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A record as it stands in the store. Delete `wrapped_key` and nobody can read `ciphertext` any more."""

    wrapped_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VaultKey:
    """The key of one municipality's vault: it wraps the data key of each record and keys the search columns."""

    _wrapping: bytes = field(repr=False)
    _searching: bytes = field(repr=False)

    @classmethod
    def from_bytes(cls, secret: bytes) -> Self:
        """Return the vault key of a secret of 32 random bytes.

        Raises:
            UnusableKeyError: the secret has another length.
        """
        if len(secret) != KEY_BYTES:
            raise UnusableKeyError(f"A vault key is {KEY_BYTES} bytes.")
        return cls(_derived(secret, b"wrapping"), _derived(secret, b"searching"))

    @classmethod
    def generate_bytes(cls) -> bytes:
        """Return a new secret for `from_bytes`."""
        return os.urandom(KEY_BYTES)

    def encrypt(self, record_id: str, plaintext: bytes) -> Encrypted:
        """Return the plaintext under a new data key, wrapped by this key; both are bound to the record id."""
        data_key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
        wrapped = _encrypt(self._wrapping, data_key, _bound(b"key", record_id))
        return Encrypted(wrapped, _encrypt(data_key, plaintext, _bound(b"record", record_id)))

    def decrypt(self, record_id: str, encrypted: Encrypted) -> bytes:
        """Return the plaintext of a record.

        Raises:
            CannotDecryptError: another key, another record id, or changed bytes.
        """
        data_key = _decrypt(self._wrapping, encrypted.wrapped_key, _bound(b"key", record_id))
        return _decrypt(data_key, encrypted.ciphertext, _bound(b"record", record_id))

    def mac(self, text: str, *, purpose: str = "own-ref") -> bytes:
        """Return a keyed HMAC-SHA256 of a text, to search by it or to send it out as `own_ref`.

        Equal texts give equal bytes for one purpose and unrelated bytes for another.
        """
        return hmac.digest(self._searching, framed(purpose.encode(), text.encode()), "sha256")


def _derived(secret: bytes, use: bytes) -> bytes:
    info = framed(b"signal-exchange", b"vault/v1", use)
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=info).derive(secret)


def _bound(what: bytes, record_id: str) -> bytes:
    return framed(b"signal-exchange", b"vault/v1", what, record_id.encode())


def _encrypt(key: bytes, plaintext: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound)


def _decrypt(key: bytes, content: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):
        raise CannotDecryptError from None
