"""The participants' register: who takes part, with which keys, from when to when; one JSON document signed by the region."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from signal_exchange.domain.ids import MunicipalityCode
from signal_exchange.domain.plain_json import canonical_json
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.privacy.framing import framed
from signal_exchange.privacy.register_entries import Fields, GroupKey, MemberKey, Participant, RegisteredKeeper
from signal_exchange.privacy.sealing import SealingPublicKey
from signal_exchange.privacy.signing import SigningKey, VerifyingKey

KIND = "signal-exchange/register/v1"
_Read = TypeVar("_Read")


class RegisterInvalidError(RefusedError):
    """The register is not signed by the region, is older than one already seen, or contradicts itself."""


class NoSealingKeyError(LookupError):
    """The register has no valid key for this recipient group at this time."""

    def __init__(self, group: str) -> None:
        super().__init__(f"The register has no valid sealing key for {group}.")
        self.group = group


@dataclass(frozen=True, slots=True)
class Register:
    """Everything public that the participants must agree on. `serial` rises with every change.

    Raises:
        RegisterInvalidError: a municipality, a key id or a keeper stands in it twice.
    """

    serial: int
    municipalities: tuple[Participant, ...] = ()
    sealing_keys: tuple[GroupKey, ...] = ()
    registered_keepers: tuple[RegisteredKeeper, ...] = ()
    _signers: Mapping[str, tuple[Participant, MemberKey]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        signers = [(member, key) for member in self.municipalities for key in member.signing_keys]
        _require_unique("municipality", [member.code for member in self.municipalities])
        _require_unique("signing key", [key.key.key_id for _, key in signers])
        _require_unique("sealing key", [entry.key.key_id for entry in self.sealing_keys])
        _require_unique("keeper", [keeper.name for keeper in self.registered_keepers])
        object.__setattr__(self, "_signers", {key.key.key_id: (member, key) for member, key in signers})

    def require_successor_of(self, before: Register) -> None:
        """Check that no key of an earlier register is gone or means another key now: a key ends, it is never taken out.

        Raises:
            RegisterInvalidError: one is; the text names it.
        """
        kept = {(member.code, key.key) for member in self.municipalities for key in member.signing_keys}
        gone = [
            key.key.key_id
            for member in before.municipalities
            for key in member.signing_keys
            if (member.code, key.key) not in kept
        ]
        gone += [each.key.key_id for each in before.sealing_keys if each.key not in {entry.key for entry in self.sealing_keys}]
        if gone:
            raise RegisterInvalidError("REGISTER_LACKS_KEY", key_id=gone[0])

    def municipality(self, code: str) -> Participant | None:
        """Return the municipality with this code, a member or not."""
        return next((member for member in self.municipalities if member.code == code), None)

    def signing_key(self, key_id: str, at: datetime) -> tuple[MunicipalityCode, VerifyingKey] | None:
        """Return the owner of a key and the key, when it could sign at that moment (R-VAL-02).

        The moment is the broker's append time. A municipality that is PENDING, or that has LEFT by then, has no key; what a
        municipality published before it left stays valid.
        """
        member, entry = self._signers.get(key_id, (None, None))
        if member is None or entry is None or not (member.is_member(at) and entry.valid.holds(at)):
            return None
        return member.code, entry.key

    def key_ever_given(self, code: str, key_id: str) -> VerifyingKey | None:
        """Return a municipality's signing key, whether or not it could sign at any moment: for words that hold for ever."""
        member, entry = self._signers.get(key_id, (None, None))
        return entry.key if member is not None and entry is not None and member.code == code else None

    def sealing_key(self, group: str, at: datetime) -> SealingPublicKey:
        """Return the newest valid key of a recipient group.

        Raises:
            NoSealingKeyError: the group has none at that moment.
        """
        valid = self._valid_sealing_keys(group, at)
        if not valid:
            raise NoSealingKeyError(group)
        return max(valid, key=lambda entry: (entry.valid.begin, entry.key.key_id)).key

    def has_sealing_key(self, group: str, at: datetime) -> bool:
        """Say whether something can be sealed to a recipient group."""
        return bool(self._valid_sealing_keys(group, at))

    def _valid_sealing_keys(self, group: str, at: datetime) -> list[GroupKey]:
        return [entry for entry in self.sealing_keys if entry.key.group == group and entry.valid.holds(at)]


def sign_register(register: Register, region_key: SigningKey) -> bytes:
    """Return the register as a JSON document with the region's signature over its canonical form."""
    document = _document(register)
    signature = region_key.sign(_signed_bytes(document)).hex()
    signed = {"register": document, "signed_by": region_key.key_id, "signature": signature}
    return json.dumps(signed, indent=1, ensure_ascii=False).encode()


def load_register(data: bytes, region_public: VerifyingKey, *, at_least: int = 0) -> Register:
    """Return the register when the region signed it and its serial is `at_least` this.

    Raises:
        RegisterInvalidError: no JSON, no valid signature, an older serial, or fields that are missing or contradict each other.
    """
    document = _reading("signature", lambda: _verified(data, region_public))
    register = _reading("document", lambda: _register(document))
    if register.serial < at_least:
        raise RegisterInvalidError("REGISTER_OLDER", serial=register.serial, seen=at_least)
    return register


def _verified(data: bytes, region_public: VerifyingKey) -> Fields:
    signed = json.loads(data)
    document: Fields = signed["register"]
    if not region_public.verify(_signed_bytes(document), bytes.fromhex(signed["signature"])):
        raise RegisterInvalidError("REGISTER_NOT_SIGNED")
    return document


def _document(register: Register) -> dict[str, Any]:
    return {
        "kind": KIND,
        "serial": register.serial,
        "municipalities": [member.to_mapping() for member in register.municipalities],
        "sealing_keys": [entry.to_mapping() for entry in register.sealing_keys],
        "keepers": [keeper.to_mapping() for keeper in register.registered_keepers],
    }


def _register(document: Fields) -> Register:
    if document["kind"] != KIND:
        raise RegisterInvalidError("REGISTER_OF_ANOTHER_KIND")
    municipalities = tuple(Participant.from_mapping(member) for member in document["municipalities"])
    sealing_keys = tuple(GroupKey.from_mapping(entry) for entry in document["sealing_keys"])
    keepers = tuple(RegisteredKeeper.from_mapping(keeper) for keeper in document["keepers"])
    return Register(int(document["serial"]), municipalities, sealing_keys, keepers)


def _signed_bytes(document: Fields) -> bytes:
    canonical = canonical_json(document).encode()
    return framed(KIND.encode()) + canonical


def _reading(part: str, read: Callable[[], _Read]) -> _Read:
    try:
        return read()
    except RegisterInvalidError:
        raise
    except (KeyError, TypeError, ValueError):
        raise RegisterInvalidError("REGISTER_UNREADABLE", part=part) from None


def _require_unique(what: str, names: Sequence[str]) -> None:
    if len(set(names)) != len(names):
        raise RegisterInvalidError("REGISTER_NAMES_TWICE", what=what)
