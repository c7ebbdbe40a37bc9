"""The acts around the participants' register: the region's office proposes and signs, a municipality asks for keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from signal_exchange.domain.ids import MunicipalityCode
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.times import local_day
from signal_exchange.participants.access import admit, dismiss, listens, open_signals
from signal_exchange.participants.changing import joined, left, revoked, rotated
from signal_exchange.participants.differences import differences
from signal_exchange.participants.requests import SignedRequest, new_keys, request_text
from signal_exchange.privacy.register import Register, load_register, sign_register
from signal_exchange.privacy.sealing import SealingPrivateKey
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.reference.loading import load_members
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.private_files import PUBLIC_FILE, write_private

Step = Callable[[Register], Register]
"""From one register to the next."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of the register before anybody signs it: from which register, and what changes, in words.

    `open_signals` are those of a municipality that would leave them behind.
    """

    step: Step
    before: Register
    changes: tuple[str, ...]
    open_signals: int = 0


@dataclass(frozen=True, slots=True)
class RegionOffice:
    """Everything that the office of the region can do: each change is proposed, looked at, and only then carried out.

    `register_file` holds the register, `secret_file` the key that signs it; `now` is the clock.
    """

    register_file: Path
    secret_file: Path
    kafka: KafkaConnection
    now: Callable[[], datetime]

    def require_kafka(self) -> None:
        """Check that Kafka answers: with a wrong address nothing begins.

        Raises:
            BrokerUnavailableError: it does not.
        """
        listens(self.kafka)

    def propose_joining(self, asked: SignedRequest, day: date) -> Proposal:
        """Propose that a municipality takes part from a day on."""
        member, now = load_members().get(asked.request.municipality), self.now()
        return self.propose(lambda before: joined(before, asked, member, day, now))

    def propose_leaving(self, municipality: MunicipalityCode, day: date, *, with_open_signals: bool = False) -> Proposal:
        """Propose that a municipality takes no part any more.

        Raises:
            RefusedError: the day is to come, or the municipality has open signals and nobody said that it may leave them.
        """
        if day > local_day(self.now()):
            raise RefusedError("LEAVES_ON_THE_DAY")
        count = open_signals(self.kafka, municipality)
        if count and not with_open_signals:
            raise RefusedError("LEAVES_WITH_OPEN_SIGNALS", field="with_open_signals", municipality=municipality, count=count)
        return replace(self.propose(lambda before: left(before, municipality, day)), open_signals=count)

    def propose_new_keys(self, asked: SignedRequest) -> Proposal:
        """Propose new keys of a municipality: it can sign with the new one at once, with the old one for eight more days."""
        now = self.now()
        return self.propose(lambda before: rotated(before, asked, now))

    def propose_revoking(self, key_id: str, since: datetime) -> Proposal:
        """Propose the end of a signing key, as when it was stolen: nothing that came in from then on is taken."""
        return self.propose(lambda before: revoked(before, key_id, since))

    def propose(self, step: Step) -> Proposal:
        """Propose a step of the register; nothing changes.

        Raises:
            RefusedError: the register cannot be read, or the step refuses.
        """
        before = self._register(self._key())
        return Proposal(step, before, tuple(differences(before, step(before))))

    def join(self, proposal: Proposal, municipality: MunicipalityCode, password: str) -> Register:
        """Give a municipality its user, topic and rules on Kafka, and sign its proposal. Twice is once."""
        admit(self.kafka, municipality, password)
        return self.sign(proposal)

    def leave(self, proposal: Proposal, municipality: MunicipalityCode) -> Register:
        """Sign the proposal of a municipality that leaves, and take its access to Kafka. Twice is once."""
        after = self.sign(proposal)
        dismiss(self.kafka, municipality)
        return after

    def sign(self, proposal: Proposal) -> Register:
        """Replace the register by what was proposed, signed by the region; an equal one is left alone.

        Raises:
            RefusedError: the register, or what becomes of it, is not what was proposed.
        """
        key = self._key()
        before = self._register(key)
        after = proposal.step(before)
        if before != proposal.before or tuple(differences(before, after)) != proposal.changes:
            raise RefusedError("REGISTER_CHANGED")
        if after is not before:
            _replace(self.register_file, sign_register(after, key))
        return after

    def _key(self) -> SigningKey:
        return SigningKey.from_mapping(json.loads(text_of(self.secret_file)))

    def _register(self, key: SigningKey) -> Register:
        return load_register(self.register_file.read_bytes(), key.public)


@dataclass(frozen=True, slots=True)
class KeyRequestMade:
    """A request for keys as text, public, with the ids of the keys that it asks for."""

    text: str
    signing_key_id: str
    sealing_key_id: str


@dataclass(frozen=True, slots=True)
class MemberKeys:
    """The acts of a municipality on its own keys; private keys stay in its key file."""

    municipality: MunicipalityCode
    keys_file: Path
    register: Register
    now: Callable[[], datetime]

    def request(self, name: str) -> KeyRequestMade:
        """Make a pair of keys under a name, as 2027-1, and the request for it; the same name asks for the same pair again.

        A first pair is for joining. A later one is signed with the key in use; the node signs with it once the register names it.

        Raises:
            RefusedError: the name has other signs than it may have.
        """
        keys = self._held()
        in_use = self._in_use(keys)
        signing, sealing = self._waiting_pair(keys, name) or new_keys(self.municipality, name)
        held = {each["key_id"]: each for each in (*keys.get("sealing", []), sealing.to_mapping())}
        first, following = (in_use, signing) if in_use is not None else (signing, None)
        content = {"sealing": list(held.values()), "signing": first.to_mapping()}
        if following is not None:
            content["next_signing"] = following.to_mapping()
        write_private(self.keys_file, json.dumps(content))
        return KeyRequestMade(request_text(self.municipality, signing, sealing, in_use), signing.key_id, sealing.key_id)

    def _held(self) -> dict[str, Any]:
        keys: dict[str, Any] = json.loads(self.keys_file.read_text(encoding="utf-8")) if self.keys_file.exists() else {}
        return keys

    def _in_use(self, keys: dict[str, Any]) -> SigningKey | None:
        """Return the key that the register knows: the next one where it was taken over already."""
        return next((key for key in _signing(keys) if self.register.signing_key(key.key_id, self.now()) is not None), None)

    def _waiting_pair(self, keys: dict[str, Any], name: str) -> tuple[SigningKey, SealingPrivateKey] | None:
        """Return the pair of this name that an earlier run made, so that asking again asks for the same keys."""
        sealing = [SealingPrivateKey.from_mapping(each) for each in keys.get("sealing", [])]
        found = [key for key in _signing(keys) if key.key_id == f"{self.municipality.lower()}-{name}"]
        opening = [key for key in sealing if key.key_id == f"gm:{self.municipality}-{name}"]
        return (found[0], opening[0]) if found and opening else None


def _signing(keys: dict[str, Any]) -> list[SigningKey]:
    return [SigningKey.from_mapping(keys[name]) for name in ("next_signing", "signing") if keys.get(name)]


def text_of(file: Path) -> str:
    """Return the text of a file.

    Raises:
        RefusedError: it cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        raise RefusedError("FILE_UNREADABLE", file=file.name) from None


def _replace(file: Path, content: bytes) -> None:
    fresh = file.with_name(file.name + ".new")
    fresh.write_bytes(content)
    fresh.chmod(PUBLIC_FILE)
    fresh.replace(file)
