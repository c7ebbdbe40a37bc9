"""How a service tells a municipality what happened to its signal: an Outcome with its words sealed, and a step in the trace."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from signal_exchange.stream.work import Work

OUTCOME_NAMESPACE = uuid.UUID("c4a3f8f2-1f0b-5d0e-8a55-8f6c1f3b6d10")
DETAIL_BYTES = 512

_AS_THEY_ARE = ("signal_id", "version", "municipality", "kind", "revision", "state", "outcome")


@dataclass(frozen=True, slots=True)
class Keeper:
    """Who has a signal in hand, a code of role.csv, and the last day, as 2026-11-20, before it is past its date (R-FLOW-02)."""

    owner_role: str
    next_date: str


def kept_by(keeper: Keeper | None) -> dict[str, str]:
    """Return what the trace tells of a keeper; nothing when nobody need do anything more here."""
    return {} if keeper is None else {"owner_role": keeper.owner_role, "next_date": keeper.next_date}


SealTo = Callable[[str, bytes, str], Mapping[str, object]]
"""Seals bytes to a recipient group, bound to an id; returns a SealedPart: `Identity.sealed_part`."""


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened to one offer of a signal. `kind` is REFERRAL or DECISION; `revision` counts the states of this offer.

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
    keeper: Keeper | None = None


def tell(happened: Happened, detail: Mapping[str, object], seal_to: SealTo, work: Work) -> None:
    """Send the state of an offer home, and say in the trace that something happened, but not what.

    One record per service, kind and offer: the next state replaces it.
    """
    signal_id, municipality = happened.signal_id, happened.municipality
    outcome_id = outcome_id_of(signal_id, work.service, happened.kind, happened.offer)
    key = f"{signal_id}/{outcome_id}"
    fields = {
        **{
            name: getattr(happened, name)
            for name in ("signal_id", "version", "municipality", "kind", "revision", "state", "outcome")
        },
        "outcome_id": outcome_id,
        "source": work.service,
        "occurred_at": happened.at,
        "own_ref": None,
        "detail": seal_to(f"gm:{municipality}", padded(detail), key),
    }
    work.send(
        "outcomes", key, "Outcome", fields, event_id=f"{outcome_id}.{happened.revision}", at=happened.at, partition_by=signal_id
    )
    about = {"signal_id": signal_id, "version": happened.version, "municipality": municipality}
    work.trace("OUTCOME", at=happened.at, key=signal_id, destination=happened.destination, **about, **kept_by(happened.keeper))


def outcome_id_of(signal_id: str, service: str, kind: str, offer: int | str) -> str:
    """Return the id of the outcome of an offer, or of a link: the same however often it is told."""
    return str(uuid.uuid5(OUTCOME_NAMESPACE, f"{signal_id}:{service}:{kind}:{offer}"))


def padded(detail: Mapping[str, object]) -> bytes:
    """Return a detail as UTF-8 JSON, padded with spaces to a multiple of 512 bytes: its length says little."""
    plain = json.dumps(detail, ensure_ascii=False).encode()
    return plain.ljust(-(-len(plain) // DETAIL_BYTES) * DETAIL_BYTES)
