"""A second implementation of opening a sealed part: RFC 9180 in base mode over the KEM MLKEM768-X25519, for tests only."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

SUITE = b"HPKE" + (0x647A).to_bytes(2, "big") + (0x0001).to_bytes(2, "big") + (0x0003).to_bytes(2, "big")
KEM_LABEL = b"\\.//^\\"
MLKEM_BYTES, ENCAPSULATED_BYTES = 1088, 1120


def open_sealed(seed: bytes, x25519: bytes, info: bytes, sealed: bytes) -> bytes:
    """Return the plaintext of a sealed part."""
    encapsulated, ciphertext = sealed[:ENCAPSULATED_BYTES], sealed[ENCAPSULATED_BYTES:]
    context = b"\0" + _extract(b"", b"psk_id_hash", b"") + _extract(b"", b"info_hash", info)
    secret = _extract(_shared(seed, x25519, encapsulated), b"secret", b"")
    key, nonce = _expand(secret, b"key", context, 32), _expand(secret, b"base_nonce", context, 12)
    return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, b"")


def _shared(seed: bytes, x25519: bytes, encapsulated: bytes) -> bytes:
    private, point = X25519PrivateKey.from_private_bytes(x25519), encapsulated[MLKEM_BYTES:]
    by_mlkem = MLKEM768PrivateKey.from_seed_bytes(seed).decapsulate(encapsulated[:MLKEM_BYTES])
    by_x25519 = private.exchange(X25519PublicKey.from_public_bytes(point))
    own = private.public_key().public_bytes_raw()
    return hashlib.sha3_256(by_mlkem + by_x25519 + point + own + KEM_LABEL).digest()


def _extract(salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + SUITE + label + material, "sha256")


def _expand(secret: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + SUITE + label + info
    return hmac.digest(secret, labelled + b"\x01", "sha256")[:length]
