"""The word of a service to a municipality about its signal: an Outcome with its words sealed, and a step in the trace."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from signal_exchange.contracts.records import OUTCOME, Outcome, SealedPart, SignedWord
from signal_exchange.stream.work import Work

OUTCOME_NAMESPACE = uuid.UUID("c4a3f8f2-1f0b-5d0e-8a55-8f6c1f3b6d10")
DETAIL_BYTES = 512


@dataclass(frozen=True, slots=True)
class ActionOwner:
    """The role that must act on a signal, a code of role.csv, and its last day, as 2026-11-20, before it is late (R-FLOW-02)."""

    owner_role: str
    next_date: str


class KeptBy(TypedDict):
    """The fields of a trace fact about an owner; None when nobody need do anything more here."""

    owner_role: str | None
    next_date: str | None


def kept_by(owner: ActionOwner | None) -> KeptBy:
    """Return the fields of a trace fact about an owner."""
    return KeptBy(owner_role=owner.owner_role if owner else None, next_date=owner.next_date if owner else None)


SealTo = Callable[[str, bytes, str], SealedPart]
"""Seals bytes to a recipient group, bound to an id; returns a SealedPart: `Identity.sealed_part`."""


@dataclass(frozen=True, slots=True)
class Happened:
    """A change of one offer of a signal. `kind` is REFERRAL or DECISION; `revision` counts the states of this offer.

    `outcome` is a code of outcome.csv (R-AGENDA-09), None where the municipality need not hear more than the state. `keeper` has
    the signal in hand from here on; None: at this service it is done with.
    """

    signal_id: str
    version: int
    municipality: str
    kind: str
    offer: int
    revision: int
    state: str
    outcome: str | None
    at: datetime
    destination: str
    keeper: ActionOwner | None = None


def tell(happened: Happened, detail: Mapping[str, object], seal_to: SealTo, work: Work) -> None:
    """Send the state of an offer home, and say in the trace that something happened, but not what.

    One record per service, kind and offer: the next state replaces it.
    """
    send_outcome(
        work,
        signal_id=happened.signal_id,
        version=happened.version,
        municipality=happened.municipality,
        kind=happened.kind,
        number=happened.offer,
        revision=happened.revision,
        state=happened.state,
        outcome=happened.outcome,
        occurred_at=happened.at,
        detail=detail,
        seal_to=seal_to,
    )
    work.trace(
        "OUTCOME",
        at=happened.at,
        key=happened.signal_id,
        signal_id=happened.signal_id,
        version=happened.version,
        municipality=happened.municipality,
        destination=happened.destination,
        **kept_by(happened.keeper),
    )


def send_outcome(
    work: Work,
    *,
    signal_id: str,
    version: int,
    municipality: str,
    kind: str,
    number: int | str,
    revision: int,
    state: str,
    occurred_at: datetime,
    outcome: str | None = None,
    own_ref: bytes | None = None,
    detail: Mapping[str, object] | None = None,
    seal_to: SealTo | None = None,
    word: SignedWord | None = None,
) -> None:
    """Send an Outcome: the present state of one thing that happened to a signal, which replaces its earlier states.

    `number` tells things of one kind apart: an offer, or the id of a link. `seal_to` seals the detail to the municipality.
    """
    outcome_id = outcome_id_of(signal_id, work.service, kind, number)
    key = f"{signal_id}/{outcome_id}"
    fields = Outcome(
        outcome_id=outcome_id,
        signal_id=signal_id,
        version=version,
        revision=revision,
        municipality=municipality,
        source=work.service,
        kind=kind,
        state=state,
        outcome=outcome,
        occurred_at=occurred_at,
        own_ref=own_ref,
        detail=seal_to(f"gm:{municipality}", padded(detail), key) if detail is not None and seal_to is not None else None,
        word=word,
    )
    work.send("outcomes", key, OUTCOME, fields, event_id=f"{outcome_id}.{revision}", at=occurred_at, partition_by=signal_id)


def outcome_id_of(signal_id: str, service: str, kind: str, offer: int | str) -> str:
    """Return the id of the outcome of an offer, or of a link: the same however often it is told."""
    return str(uuid.uuid5(OUTCOME_NAMESPACE, f"{signal_id}:{service}:{kind}:{offer}"))


def padded(detail: Mapping[str, object]) -> bytes:
    """Return a detail as UTF-8 JSON, padded with spaces to a multiple of 512 bytes: its length says little."""
    plain = json.dumps(detail, ensure_ascii=False).encode()
    return plain.ljust(-(-len(plain) // DETAIL_BYTES) * DETAIL_BYTES)
