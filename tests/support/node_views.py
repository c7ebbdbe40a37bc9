"""What the exchange tells a municipality's node in tests, and how its inbox hears it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from builders import a_message
from nodes import NOW, Town
from sqlalchemy import Connection

from signal_exchange.municipality.inbox.handler import ParkInVault
from signal_exchange.municipality.sending.envelopes import Signer
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.stream.messages import Message
from signal_exchange.stream.outcomes import padded
from signal_exchange.stream.scrubbing import owe
from signal_exchange.stream.work import Work

SIGNAL = "11111111-1111-4111-8111-111111111111"
OUTCOME = "22222222-2222-4222-8222-222222222222"
LINK = "99999999-9999-4999-8999-999999999999"
DETAIL = {"link_id": LINK, "text": "Mogelijk dezelfde persoon.", "key_types": ["NAME_DOB"], "frequency": "2", "other": None}


def a_view(signal_id: str = SIGNAL, *numbers: tuple[str, int, str], revision: int = 1, **changed: Any) -> Message:
    """Give the view of a signal; each number is its run, its sequence and the verdict on it."""
    received = [{"publisher_run": run, "sequence": sequence, "verdict": verdict} for run, sequence, verdict in numbers]
    fields = {
        "signal_id": signal_id,
        "own_ref": None,
        "revision": revision,
        "version": 1,
        "received": received,
        "steps": [],
        "outcomes": [],
        **changed,
    }
    return a_message("SignalView", fields, topic="feedback.gm0983", reader="municipality", at=NOW)


def a_step(stage: str, at: datetime = NOW, **changed: Any) -> dict[str, Any]:
    """Give a step of a signal."""
    empty = dict.fromkeys(("destination", "verdict", "owner_role", "next_date"))
    return {"service": "routing", "stage": stage, "version": 1, "at": at, **empty, **changed}


def an_outcome_of(
    town: Town, signal_id: str, detail: Mapping[str, Any] | None, at: datetime = NOW, **changed: Any
) -> dict[str, Any]:
    """Give an outcome whose words are sealed to this municipality."""
    bound, group = f"{signal_id}/{OUTCOME}", f"gm:{town.node.settings.municipality}"
    sealed = None if detail is None else town.node.identity.sealed_part(group, padded(detail), bound)
    own = {"outcome_id": OUTCOME, "source": "routing", "kind": "ROUTED", "state": "ROUTED", "outcome": None, "version": 1}
    return {**own, "occurred_at": at, "detail": sealed, **changed}


def own_word(
    town: Town, signal_id: str, *, record: str = "SignalErased", municipality: str = "", key: SigningKey | None = None
) -> dict[str, Any]:
    """Give the word of a node's municipality about a signal, as it comes home; each part can be another's."""
    signer = Signer(key, "urn:nld:oin:00000099000000000000:systeem:test") if key else town.node.signer()
    about = {"signal_id": signal_id, "version": 2, "municipality": municipality or town.node.settings.municipality}
    fields = {**about, "reason": "MISTAKE"} if record == "SignalWithdrawn" else about
    signed = signer.sign(record, fields, at=NOW, run=str(uuid.uuid4()), sequence=2)
    return {"value": signed.value, "signature": signed.signature, "key_id": signed.key_id}


def an_erasure(
    town: Town, signal_id: str, state: str = "REQUESTED", detail: Mapping[str, Any] | None = None, **changed: Any
) -> dict[str, Any]:
    """Give what routing tells of an erasure, on the municipality's own word."""
    own = {"kind": "ERASURE", "state": state, "version": 2, "word": own_word(town, signal_id)}
    return an_outcome_of(town, signal_id, detail, **{**own, **changed})


def work_of(town: Town, connection: Connection) -> Work:
    """Give the work of the inbox of a node."""
    seal, park = town.node.identity.parking_seal("municipality"), ParkInVault(town.node.vault_key)
    return Work("municipality-gm0983", connection, seal, park)


def hear(town: Town, *messages: Message) -> Work:
    """Let the inbox take one batch."""
    with town.node.database.transaction() as connection:
        work = work_of(town, connection)
        town.node.inbox()(messages, work)
        if work.erased:  # as the loop does
            owe(connection)
    return work


def asked(
    town: Town, state: str = "ASKED", *, revision: int = 1, question: str = "", detail: Mapping[str, Any] | None = None
) -> str:
    """Let the exchange ask, or ask no more; return the question's id."""
    identity = question or str(uuid.uuid4())
    group, bound = f"gm:{town.node.settings.municipality}", f"{SIGNAL}/{identity}"
    sealed = town.node.identity.sealed_part(group, padded(detail or DETAIL), bound)
    outcome: dict[str, Any] = {
        "outcome_id": identity,
        "source": "linking",
        "kind": "LINK_QUESTION",
        "state": state,
        "outcome": None,
    }
    outcome |= {"version": 1, "occurred_at": NOW, "detail": sealed}
    hear(town, a_view(SIGNAL, revision=revision, outcomes=[outcome]))
    return identity
