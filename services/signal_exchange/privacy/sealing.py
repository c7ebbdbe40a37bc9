"""Sealed parts: text and link tokens that only one recipient group can read (HPKE, RFC 9180).

The suite is the hybrid MLKEM768-X25519 with HKDF-SHA256 and ChaCha20-Poly1305: text about victims should outlive today's
ciphers. Padding makes every summary and every list of tokens of one length, so that length says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from signal_exchange.domain.destinations import GROUP_OF
from signal_exchange.privacy.framing import framed
from signal_exchange.privacy.keys import UnusableKeyError, bytes_of_hex, text_of

PRODUCT, PROTOCOL = b"signal-exchange", b"sealing/v1"
DERIVING = b"deriving/v1"
"""Sets what is derived from a private key apart from what is sealed to it."""
MLKEM_PUBLIC_BYTES, X25519_BYTES, MLKEM_SEED_BYTES = 1184, 32, 64
PUBLIC_KEY_BYTES = MLKEM_PUBLIC_BYTES + X25519_BYTES
SUMMARY_BYTES = 2048
SEALED_BYTES = SUMMARY_BYTES + 1088 + 32 + 16
"""Every sealed part of a published signal: 2,048 bytes of content, what ML-KEM-768 and X25519 encapsulate, and the tag."""
TOKEN_SLOTS, CARRIER_BYTES, TYPE_BYTES, EPOCH_BYTES, TOKEN_BYTES = 32, 24, 16, 8, 16
SLOT_BYTES = CARRIER_BYTES + TYPE_BYTES + EPOCH_BYTES + TOKEN_BYTES
_NO_SUMMARY = 0xFFFF
_GROUP = re.compile("|".join((*GROUP_OF.values(), "gm:GM[0-9]{4}", "parking:[a-z-]+", "backup")))
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


class CannotOpenError(Exception):
    """A sealed part that this key does not open, or whose content has another shape. It never says why."""

    def __init__(self) -> None:
        super().__init__("The sealed part cannot be opened.")


@dataclass(frozen=True, slots=True)
class SealingPublicKey:
    """The public key of a recipient group: 1,184 bytes of ML-KEM-768 and 32 of X25519.

    Groups are care, youth, table, linking, gm:<code>, parking:<service>, and backup, whose key is in no register.

    Raises:
        UnusableKeyError: the group does not exist, or `raw` is no public key.
    """

    key_id: str
    group: str
    raw: bytes = field(repr=False)
    _key: hpke.MLKEM768X25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require_group(self.group)
        object.__setattr__(self, "_key", _public_key(self.raw))

    def encrypt(self, plaintext: bytes, *, bound_to: str) -> bytes:
        """Return the encapsulated key and the ciphertext of a plaintext, bound to what it belongs to.

        `bound_to` is the signal id "." version, or the parked id: a part that is moved to another signal does not open.
        """
        return _SUITE.encrypt(plaintext, self._key, info=_info(self.group, self.key_id, bound_to))


@dataclass(frozen=True, slots=True)
class SealingPrivateKey:
    """The private key of a recipient group; it lives with the service that reads for that group and nowhere else."""

    key_id: str
    group: str
    seed: bytes = field(repr=False)
    x25519: bytes = field(repr=False)
    _mlkem: MLKEM768PrivateKey = field(init=False, repr=False, compare=False)
    _ecdh: X25519PrivateKey = field(init=False, repr=False, compare=False)
    _key: hpke.MLKEM768X25519PrivateKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require_group(self.group)
        object.__setattr__(self, "_mlkem", MLKEM768PrivateKey.from_seed_bytes(self.seed))
        object.__setattr__(self, "_ecdh", X25519PrivateKey.from_private_bytes(self.x25519))
        object.__setattr__(self, "_key", hpke.MLKEM768X25519PrivateKey(self._mlkem, self._ecdh))

    @classmethod
    def generate(cls, key_id: str, group: str) -> Self:
        """Return a new key, with an id such as `care-2026-1`."""
        seed = MLKEM768PrivateKey.generate().private_bytes_raw()
        return cls(key_id, group, seed, X25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_mapping(cls, fields: Mapping[str, str]) -> Self:
        """Return the key that `to_mapping` wrote.

        Raises:
            UnusableKeyError: a field is missing or is no key.
        """
        seed = bytes_of_hex(fields, "mlkem768_seed", length=MLKEM_SEED_BYTES)
        x25519 = bytes_of_hex(fields, "x25519_private", length=X25519_BYTES)
        return cls(text_of(fields, "key_id"), text_of(fields, "group"), seed, x25519)

    def to_mapping(self) -> dict[str, str]:
        """Return the key as JSON-safe fields. Whoever holds them reads everything sealed for the group."""
        secret = {"mlkem768_seed": self.seed.hex(), "x25519_private": self.x25519.hex()}
        return {"key_id": self.key_id, "group": self.group, **secret}

    @property
    def public(self) -> SealingPublicKey:
        """Return the public half, for the participants' register."""
        raw = self._mlkem.public_key().public_bytes_raw() + self._ecdh.public_key().public_bytes_raw()
        return SealingPublicKey(self.key_id, self.group, raw)

    def decrypt(self, sealed: bytes, *, bound_to: str) -> bytes:
        """Return the plaintext that was sealed for this key and this `bound_to`.

        Raises:
            CannotOpenError: another key, another `bound_to`, or changed bytes; which of them is not said.
        """
        try:
            return _SUITE.decrypt(sealed, self._key, info=_info(self.group, self.key_id, bound_to))
        except InvalidTag:
            raise CannotOpenError from None

    def derived(self, use: str, *, length: int) -> bytes:
        """Return a secret for another use than sealing, which leads neither to this key nor to that of a third use (HKDF)."""
        info = framed(PRODUCT, DERIVING, self.group.encode(), use.encode())
        return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=info).derive(self.seed + self.x25519)


class SealingKeyRing:
    """Every private key of a group, old ones too: they open old parts until retention ends."""

    def __init__(self, keys: Iterable[SealingPrivateKey]) -> None:
        self._keys = {key.key_id: key for key in keys}

    def open(self, key_id: str, sealed: bytes, *, bound_to: str) -> bytes:
        """Return the plaintext that was sealed under the key with this id.

        Raises:
            CannotOpenError: the key is not here, or it does not open this part.
        """
        if key_id not in self._keys:
            raise CannotOpenError
        return self._keys[key_id].decrypt(sealed, bound_to=bound_to)

    def public(self, group: str) -> SealingPublicKey | None:
        """Return the public half of the newest key of a group, the last one in its file; None when there is none."""
        own = [key.public for key in self._keys.values() if key.group == group]
        return own[-1] if own else None

    def derived(self, group: str, use: str, *, length: int) -> bytes:
        """Return a secret of a group for another use than sealing, of its first key in the file: a later key changes nothing.

        Raises:
            UnusableKeyError: there is no key of the group.
        """
        first = next((key for key in self._keys.values() if key.group == group), None)
        if first is None:
            raise UnusableKeyError(f"There is no key of the group {group}.")
        return first.derived(use, length=length)


def pad_summary(text: str | None) -> bytes:
    """Return a summary, or none, as 2,048 bytes: its length in 2 bytes (0xFFFF = none), UTF-8, zero bytes.

    R-VAL-15 limits a summary to 500 code points, which always fit. A longer text is a ValueError that does not show it.
    """
    content = b"" if text is None else text.encode()
    if len(content) > SUMMARY_BYTES - 2:
        raise ValueError("A summary holds at most 2,046 bytes of UTF-8.")
    length = _NO_SUMMARY if text is None else len(content)
    return (length.to_bytes(2, "big") + content).ljust(SUMMARY_BYTES, b"\0")


def unpad_summary(padded: bytes) -> str | None:
    """Return the summary that `pad_summary` padded.

    Raises:
        CannotOpenError: the bytes are no padded summary.
    """
    length = int.from_bytes(padded[:2], "big")
    if len(padded) != SUMMARY_BYTES or SUMMARY_BYTES - 2 < length < _NO_SUMMARY:
        raise CannotOpenError
    return None if length == _NO_SUMMARY else _text(padded[2 : 2 + length])


@dataclass(frozen=True, slots=True)
class LinkToken:
    """A link token and what carries it: `subject:<ref>`, `place:<index>` or `object:<index>`."""

    carrier: str
    type: str
    epoch: str
    token: bytes = field(repr=False)


def encode_tokens(tokens: Sequence[LinkToken]) -> bytes:
    """Return the tokens in 32 slots of 64 bytes: carrier (24), type (16), epoch (8), token (16); the rest is zero bytes.

    More than 32 tokens, or a field that does not fit its place, is a ValueError that shows no token.
    """
    if len(tokens) > TOKEN_SLOTS:
        raise ValueError(f"A signal carries at most {TOKEN_SLOTS} link tokens.")
    return b"".join(_slot(token) for token in tokens).ljust(TOKEN_SLOTS * SLOT_BYTES, b"\0")


def decode_tokens(encoded: bytes) -> tuple[LinkToken, ...]:
    """Return the tokens that `encode_tokens` wrote; types and epochs are not judged here (R-VAL-14).

    Raises:
        CannotOpenError: the bytes are no list of slots.
    """
    if len(encoded) != TOKEN_SLOTS * SLOT_BYTES:
        raise CannotOpenError
    slots = (encoded[start : start + SLOT_BYTES] for start in range(0, len(encoded), SLOT_BYTES))
    return tuple(_token(slot) for slot in slots if any(slot))


def _slot(token: LinkToken) -> bytes:
    if len(token.token) != TOKEN_BYTES:
        raise ValueError(f"A link token is {TOKEN_BYTES} bytes.")
    names = _cell(token.carrier, CARRIER_BYTES) + _cell(token.type, TYPE_BYTES) + _cell(token.epoch, EPOCH_BYTES)
    return names + token.token


def _cell(text: str, size: int) -> bytes:
    content = text.encode()
    if not 0 < len(content) <= size or b"\0" in content:
        raise ValueError(f"A name in a token slot has 1 to {size} bytes.")
    return content.ljust(size, b"\0")


def _token(slot: bytes) -> LinkToken:
    epoch_at = CARRIER_BYTES + TYPE_BYTES
    token_at = epoch_at + EPOCH_BYTES
    names = (slot[:CARRIER_BYTES], slot[CARRIER_BYTES:epoch_at], slot[epoch_at:token_at])
    carrier, kind, epoch = (_text(name.rstrip(b"\0")) for name in names)
    return LinkToken(carrier, kind, epoch, slot[token_at:])


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise CannotOpenError from None


def _info(group: str, key_id: str, bound_to: str) -> bytes:
    return framed(PRODUCT, PROTOCOL, group.encode(), key_id.encode(), bound_to.encode())


def _require_group(group: str) -> None:
    if not _GROUP.fullmatch(group):
        raise UnusableKeyError("group is not one of the recipient groups.")


def _public_key(raw: bytes) -> hpke.MLKEM768X25519PublicKey:
    if len(raw) != PUBLIC_KEY_BYTES:
        raise UnusableKeyError(f"A public sealing key is {PUBLIC_KEY_BYTES} bytes.")
    mlkem = MLKEM768PublicKey.from_public_bytes(raw[:MLKEM_PUBLIC_BYTES])
    return hpke.MLKEM768X25519PublicKey(mlkem, X25519PublicKey.from_public_bytes(raw[MLKEM_PUBLIC_BYTES:]))
