"""Who a process is: the participants' register it trusts, and the private keys it holds."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from signal_exchange.privacy.register import Register, load_register
from signal_exchange.privacy.sealing import SealingKeyRing, SealingPrivateKey, seal
from signal_exchange.privacy.signing import SigningKey, VerifyingKey
from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused
from signal_exchange.runtime.settings import ProcessSettings
from signal_exchange.stream.work import Seal


@dataclass(frozen=True, slots=True)
class Identity:
    """A process's register and keys. A service holds the keys of its own groups and of no other."""

    register: Register
    sealing: SealingKeyRing = field(repr=False)
    signing: SigningKey | None = field(repr=False)

    def sealed_part(self, group: str, plaintext: bytes, bound_to: str) -> dict[str, object]:
        """Return a SealedPart for a group, under the key that is valid now."""
        return sealed_part(self.register, group, plaintext, bound_to)

    def opened(self, part: Mapping[str, object], bound_to: str) -> bytes:
        """Return what a SealedPart holds.

        Raises:
            CannotOpen: it was sealed to another, or bound to something else.
        """
        return self.sealing.open(str(part["key_id"]), bytes(part["ciphertext"]), bound_to=bound_to)  # type: ignore[call-overload]  # Avro bytes

    def parking_seal(self, service: str) -> Seal:
        """Return how this service seals what it parks: to itself."""
        return lambda content, parked_id: self.sealed_part(f"parking:{service}", content, parked_id)


def sealed_part(register: Register, group: str, plaintext: bytes, bound_to: str) -> dict[str, object]:
    """Return a SealedPart for a group, under the group's key that is valid now."""
    key = register.sealing_key(group, clock.now())
    return {"group": group, "key_id": key.key_id, "ciphertext": seal(key, plaintext, bound_to=bound_to)}


def trusted_register(settings: ProcessSettings) -> Register:
    """Return the participants' register, after its signature by the region was checked."""
    region = json.loads(settings.region_key_file.read_text(encoding="utf-8"))
    key = VerifyingKey(region["key_id"], bytes.fromhex(region["public_key"]))
    return load_register(settings.register_file.read_bytes(), key)


def load_identity(settings: ProcessSettings, keys_file: Path) -> Identity:
    """Return the identity of this process.

    Raises:
        Refused: others may read the key file.
    """
    if keys_file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Refused(f"Others may read the key file {keys_file.name}: give it mode 600.")
    keys = json.loads(keys_file.read_text(encoding="utf-8"))
    ring = SealingKeyRing(SealingPrivateKey.from_mapping(each) for each in keys.get("sealing", []))
    signing = SigningKey.from_mapping(keys["signing"]) if keys.get("signing") else None
    return Identity(trusted_register(settings), ring, signing)
