"""The identity of a process: the participants' register it trusts, and the private keys it holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from signal_exchange.contracts.records import SealedPart
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.privacy.register import Register, RegisterInvalidError, load_register
from signal_exchange.privacy.sealing import SealingKeyRing, SealingPrivateKey
from signal_exchange.privacy.secret_ids import KEY_BYTES, SecretIds
from signal_exchange.privacy.signing import SigningKey, VerifyingKey
from signal_exchange.runtime import clock, logs
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import WorldUnavailableError
from signal_exchange.runtime.live_file import LiveFile
from signal_exchange.runtime.private_files import private_folder, require_private
from signal_exchange.runtime.settings import ProcessSettings
from signal_exchange.stream.seen_register import SeenRegister
from signal_exchange.stream.work import Seal


class RegisterFile(LiveFile[Register]):
    """The participants' register as it stands in its file now: a change is seen at once, a bad one is not taken over.

    A file that the region did not sign, or that is older than what was seen, is told in the log, and the register that was
    read before stays in force; so does one that lacks a key of the one before. `seen` keeps the highest serial in the store, so
    that an older register is refused at the next start as well. While a batch runs nothing of the register changes.
    """

    def __init__(self, settings: ProcessSettings, seen: SeenRegister) -> None:
        self._seen = seen

        def read(before: Register | None) -> Register:
            register = trusted_register(settings, at_least=max(before.serial if before else 0, seen.serial()))
            seen.keep(register.serial)
            if before is not None:
                register.require_successor_of(before)
            return register

        def refused(reason: str) -> None:
            logs.warn("register_refused", reason=reason)

        super().__init__(settings.register_file, read, refused=refused, faults=(OSError, RegisterInvalidError))

    def __call__(self) -> Register:
        """Return the register in force."""
        if self._seen.is_busy:
            return self._held
        try:
            return super().__call__()
        except WorldUnavailableError:  # the store: what cannot be kept is not taken over yet
            return self._held


@dataclass(frozen=True, slots=True)
class Keys:
    """The private keys of a process. `next_signing` was asked for: it signs as soon as the register names it."""

    sealing: SealingKeyRing = field(repr=False)
    signing: SigningKey | None = field(default=None, repr=False)
    next_signing: SigningKey | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """A process's register and keys, as they stand now. A service holds the keys of its own groups and of no other."""

    current_register: Callable[[], Register] = field(repr=False)
    current_keys: Callable[[], Keys] = field(repr=False)

    @property
    def keys(self) -> Keys:
        """Return the private keys in force now."""
        return self.current_keys()

    @property
    def register(self) -> Register:
        """Return the participants' register in force now."""
        return self.current_register()

    def sealed_part(self, group: str, plaintext: bytes, bound_to: str) -> SealedPart:
        """Return a SealedPart for a group, under the key that is valid now."""
        return sealed_part(self.register, group, plaintext, bound_to)

    def opened(self, part: SealedPart, bound_to: str) -> bytes:
        """Return the content of a SealedPart.

        Raises:
            CannotOpenError: it was sealed to another, or bound to something else.
        """
        return self.keys.sealing.open(part["key_id"], part["ciphertext"], bound_to=bound_to)

    def secret_ids(self, group: str) -> SecretIds:
        """Return the maker of ids that only this group can make again."""
        return SecretIds(self.keys.sealing.derived(group, "ids", length=KEY_BYTES))

    def parking_seal(self, service: str) -> Seal:
        """Return the seal of this service for its parked records: to itself, by its own key where the register has none of it."""
        group = f"parking:{service}"

        def to_itself(content: bytes, parked_id: str) -> SealedPart:
            own = self.keys.sealing.public(group)
            if own is None or self.register.has_sealing_key(group, clock.now()):
                return self.sealed_part(group, content, parked_id)
            return SealedPart(group=group, key_id=own.key_id, ciphertext=own.encrypt(content, bound_to=parked_id))

        return to_itself


def sealed_part(register: Register, group: str, plaintext: bytes, bound_to: str) -> SealedPart:
    """Return a SealedPart for a group, under the group's key that is valid now."""
    key = register.sealing_key(group, clock.now())
    return SealedPart(group=group, key_id=key.key_id, ciphertext=key.encrypt(plaintext, bound_to=bound_to))


def exchange_of(settings: ProcessSettings) -> str:
    """Return the name of this exchange among all others: a hash of the key with which its region signs."""
    region = json.loads(settings.region_key_file.read_text(encoding="utf-8"))
    return sha256(bytes.fromhex(region["public_key"])).hexdigest()[:32]


def trusted_register(settings: ProcessSettings, at_least: int = 0) -> Register:
    """Return the participants' register, after its signature by the region and its serial were checked."""
    region = json.loads(settings.region_key_file.read_text(encoding="utf-8"))
    key = VerifyingKey(region["key_id"], bytes.fromhex(region["public_key"]))
    return load_register(settings.register_file.read_bytes(), key, at_least=at_least)


def load_identity(settings: ProcessSettings, keys_file: Path, database: Database) -> Identity:
    """Return the identity of this process; new keys in its file are taken over without a restart.

    `database` is its store, which gets its tables here: it keeps the highest serial of the register that was ever seen.

    Raises:
        RefusedError: others may read the key file, or the register is older than one that the store has seen.
        StoreUnavailableError: the store does not answer.
    """

    def refused(reason: str) -> None:
        logs.warn("keys_refused", reason=reason)

    faults = (OSError, RefusedError, KeyError, TypeError, ValueError)
    keys = LiveFile[Keys](keys_file, lambda _: read_keys(keys_file), refused=refused, faults=faults)
    return Identity(register_of(settings, database), keys)


def register_of(settings: ProcessSettings, database: Database) -> RegisterFile:
    """Return the participants' register of a process whose store is `database`, which gets its tables here.

    Raises:
        RefusedError: the region did not sign it, or it is older than one that the store has seen.
        StoreUnavailableError: the store does not answer.
    """
    seen = SeenRegister(database)
    private_folder(settings.data_dir)
    database.create_tables()
    try:
        return RegisterFile(settings, seen)
    except RegisterInvalidError as fault:
        raise RefusedError("REGISTER_REFUSED", file=settings.register_file.name, fault=fault) from None


def read_keys(keys_file: Path) -> Keys:
    """Return the private keys of a file.

    Raises:
        RefusedError: others may read it.
    """
    require_private(keys_file)
    keys = json.loads(keys_file.read_text(encoding="utf-8"))
    ring = SealingKeyRing(SealingPrivateKey.from_mapping(each) for each in keys.get("sealing", []))
    signing, following = (SigningKey.from_mapping(keys[name]) if keys.get(name) else None for name in ("signing", "next_signing"))
    return Keys(ring, signing, following)
