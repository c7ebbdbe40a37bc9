"""Signatures with Ed25519 over the bytes of a value: who published it, and that nobody changed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from signal_exchange.privacy.keys import UnusableKeyError, bytes_of_hex, text_of

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """The public half of a signing key, of 32 bytes.

    Raises:
        UnusableKeyError: `raw` has another length.
    """

    key_id: str
    raw: bytes = field(repr=False)
    _key: Ed25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.raw) != KEY_BYTES:
            raise UnusableKeyError(f"A public signing key is {KEY_BYTES} bytes.")
        object.__setattr__(self, "_key", Ed25519PublicKey.from_public_bytes(self.raw))

    def verify(self, value: bytes, signature: bytes) -> bool:
        """Say whether this key signed exactly these bytes."""
        try:
            self._key.verify(signature, value)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private key with which a municipality, or the region, signs. It never leaves its owner."""

    key_id: str
    secret: bytes = field(repr=False)
    _key: Ed25519PrivateKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_key", Ed25519PrivateKey.from_private_bytes(self.secret))

    @classmethod
    def generate(cls, key_id: str) -> Self:
        """Return a new key, with an id such as `gm0983-2026-1`."""
        return cls(key_id, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_mapping(cls, fields: Mapping[str, str]) -> Self:
        """Return the key that `to_mapping` wrote.

        Raises:
            UnusableKeyError: a field is missing or is no key.
        """
        return cls(text_of(fields, "key_id"), bytes_of_hex(fields, "ed25519_private", length=KEY_BYTES))

    def to_mapping(self) -> dict[str, str]:
        """Return the key as JSON-safe fields. Whoever holds them can sign as its owner."""
        return {"key_id": self.key_id, "ed25519_private": self.secret.hex()}

    @property
    def public(self) -> VerifyingKey:
        """Return the public half, for the participants' register."""
        return VerifyingKey(self.key_id, self._key.public_key().public_bytes_raw())

    def sign(self, value: bytes) -> bytes:
        """Return the signature over the bytes, of 64 bytes."""
        return self._key.sign(value)
