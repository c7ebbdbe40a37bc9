"""The keys of an organisation's back-ups: two halves, so that who makes a back-up cannot open one.

The service that makes back-ups holds the first half: it seals to the organisation and signs. The second half opens and checks; it
is kept offline, and brought to a restore.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from signal_exchange.privacy.keys import UnusableKeyError, bytes_of_hex, text_of
from signal_exchange.privacy.sealing import PUBLIC_KEY_BYTES, SealingPrivateKey, SealingPublicKey
from signal_exchange.privacy.signing import KEY_BYTES, SigningKey, VerifyingKey

GROUP: Final = "backup"
"""The recipient group of back-ups: its key is in no register."""
MAKES, OPENS = "signal-exchange/backup-key/v1", "signal-exchange/restore-key/v1"
"""What each of both files says that it is."""


@dataclass(frozen=True, slots=True)
class BackupKey:
    """The half that makes back-ups: seals them to the organisation and signs them. It opens none."""

    sealing: SealingPublicKey
    signing: SigningKey

    @classmethod
    def from_mapping(cls, fields: Mapping[str, Any]) -> Self:
        """Return the key that `to_mapping` wrote.

        Raises:
            UnusableKeyError: a field is missing or is no key.
        """
        _require_kind(fields, MAKES)
        raw = _bytes_of_base64(fields, "sealing_public")
        return cls(SealingPublicKey(text_of(fields, "key_id"), GROUP, raw), SigningKey.from_mapping(fields["signing"]))

    def to_mapping(self) -> dict[str, Any]:
        """Return the key as JSON-safe fields. Whoever holds them can make a back-up as its owner."""
        public = base64.b64encode(self.sealing.raw).decode()
        own = {"kind": MAKES, "key_id": self.sealing.key_id, "sealing_public": public}
        return {**own, "signing": self.signing.to_mapping()}


@dataclass(frozen=True, slots=True)
class RestoreKey:
    """The half that opens back-ups, and knows who signed them. It is kept offline."""

    sealing: SealingPrivateKey
    signing: VerifyingKey

    @classmethod
    def from_mapping(cls, fields: Mapping[str, Any]) -> Self:
        """Return the key that `to_mapping` wrote.

        Raises:
            UnusableKeyError: a field is missing or is no key.
        """
        _require_kind(fields, OPENS)
        raw = bytes_of_hex(fields, "signing_public", length=KEY_BYTES)
        return cls(SealingPrivateKey.from_mapping(fields["sealing"]), VerifyingKey(text_of(fields, "signing_key_id"), raw))

    def to_mapping(self) -> dict[str, Any]:
        """Return the key as JSON-safe fields. Whoever holds them can read every back-up."""
        signed_by = {"signing_key_id": self.signing.key_id, "signing_public": self.signing.raw.hex()}
        return {"kind": OPENS, "sealing": self.sealing.to_mapping(), **signed_by}


def new_backup_keys(name: str) -> tuple[BackupKey, RestoreKey]:
    """Return both halves of new keys; `name` tells them from other ones, as region-2026-1."""
    opens, signs = SealingPrivateKey.generate(f"{GROUP}-{name}", GROUP), SigningKey.generate(f"{GROUP}-{name}")
    return BackupKey(opens.public, signs), RestoreKey(opens, signs.public)


def _require_kind(fields: Mapping[str, Any], kind: str) -> None:
    if fields.get("kind") != kind:
        raise UnusableKeyError(f"This is no {kind}.")


def _bytes_of_base64(fields: Mapping[str, Any], name: str) -> bytes:
    try:
        raw = base64.b64decode(fields[name], validate=True)
    except (KeyError, TypeError, ValueError):
        raise UnusableKeyError(f"{name} is missing or is no base64.") from None
    if len(raw) != PUBLIC_KEY_BYTES:
        raise UnusableKeyError(f"{name} must hold {PUBLIC_KEY_BYTES} bytes.")
    return raw
