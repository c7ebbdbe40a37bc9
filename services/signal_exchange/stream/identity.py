"""Who a process is: the participants' register it trusts, and the private keys it holds."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from signal_exchange.privacy.register import Register, RegisterInvalid, load_register
from signal_exchange.privacy.sealing import SealingKeyRing, SealingPrivateKey, seal
from signal_exchange.privacy.signing import SigningKey, VerifyingKey
from signal_exchange.runtime import clock, logs
from signal_exchange.runtime.faults import Refused
from signal_exchange.runtime.settings import ProcessSettings
from signal_exchange.stream.work import Seal


class RegisterFile:
    """The participants' register as it stands in its file now: a change is seen at once, a bad one is not taken over.

    A file that the region did not sign, or that is older than what was seen, is told in the log, and the register that was
    read before stays in force.
    """

    def __init__(self, settings: ProcessSettings) -> None:
        self._settings = settings
        self._looked_at = self._stamp()
        self._register = trusted_register(settings)

    def __call__(self) -> Register:
        """Return the register in force."""
        stamp = self._stamp()
        if stamp != self._looked_at:
            self._looked_at = stamp
            self._take_over()
        return self._register

    def _take_over(self) -> None:
        try:
            self._register = trusted_register(self._settings, at_least=self._register.serial)
        except (OSError, RegisterInvalid) as fault:
            logs.warn("register_refused", reason=type(fault).__name__)

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self._settings.register_file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino


@dataclass(frozen=True, slots=True)
class Identity:
    """A process's register and keys. A service holds the keys of its own groups and of no other."""

    current_register: Callable[[], Register] = field(repr=False)
    sealing: SealingKeyRing = field(repr=False)
    signing: SigningKey | None = field(repr=False)
    next_signing: SigningKey | None = field(default=None, repr=False)
    """The key that was asked for: it signs as soon as the register names it."""

    @property
    def register(self) -> Register:
        """Return the participants' register in force now."""
        return self.current_register()

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


def trusted_register(settings: ProcessSettings, at_least: int = 0) -> Register:
    """Return the participants' register, after its signature by the region and its serial were checked."""
    region = json.loads(settings.region_key_file.read_text(encoding="utf-8"))
    key = VerifyingKey(region["key_id"], bytes.fromhex(region["public_key"]))
    return load_register(settings.register_file.read_bytes(), key, at_least=at_least)


def load_identity(settings: ProcessSettings, keys_file: Path) -> Identity:
    """Return the identity of this process.

    Raises:
        Refused: others may read the key file.
    """
    if keys_file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Refused(f"Others may read the key file {keys_file.name}: give it mode 600.")
    keys = json.loads(keys_file.read_text(encoding="utf-8"))
    ring = SealingKeyRing(SealingPrivateKey.from_mapping(each) for each in keys.get("sealing", []))
    signing, following = (SigningKey.from_mapping(keys[name]) if keys.get(name) else None for name in ("signing", "next_signing"))
    return Identity(RegisterFile(settings), ring, signing, following)
