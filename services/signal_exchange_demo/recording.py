"""The recording of an exchange, read from outside as plain data: topics as its owner sees them, lists as people see them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from signal_exchange.contracts.codec import decode_whole
from signal_exchange.stream.outcomes import outcome_id_of
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.watching import Picture, records_until_now, states_until_now

Record = Mapping[str, Any]
CARE_TOPICS = ("referrals", "referrals-youth")
OFFERS = 20
"""No signal is offered more often than this in a demo."""
SENT = {"SignalPublished": "published", "SignalWithdrawn": "withdrawn", "SignalErased": "erased"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """Everything that a judge compares. States are the latest of each key; events are in order of their time.

    `kept` is who keeps a signal and until when, by the trace; `refused` what publishing refused, per municipality and file.
    """

    events: Sequence[Record]
    accepted: Mapping[str, Record] = field(repr=False)
    care: Mapping[str, Record] = field(repr=False)
    agenda: Mapping[str, Record] = field(repr=False)
    retracted: Sequence[Sequence[Any]]
    alerts: Sequence[str]
    observations: Mapping[str, Record] = field(repr=False)
    candidates: Sequence[Record] = field(repr=False)
    kept: Mapping[str, tuple[str | None, str | None]]
    worklist: Sequence[Record] = field(repr=False)
    agenda_list: Sequence[Record] = field(repr=False)


def recorded(exchange: Exchange, picture: Picture) -> Recorded:
    """Read what an exchange at rest holds."""
    care, agenda = _states(exchange, *CARE_TOPICS), _states(exchange, "agenda-items")
    alerts = (record.value for record in records_until_now(exchange.admin, "chair-alerts"))
    return Recorded(
        events=sorted(_events(exchange), key=lambda event: event["at"]),
        accepted=states_until_now(exchange.admin, "accepted"),
        care=_latest(care, _held(exchange, *CARE_TOPICS)),
        agenda=_latest(agenda, _held(exchange, "agenda-items")),
        retracted=sorted([*_retracted("CARE_COORDINATOR", care), *_retracted("SCREENING_AGENDA", agenda)]),
        alerts=sorted({decode_whole(value).fields["signal_id"] for value in alerts if value is not None}),
        observations=states_until_now(exchange.admin, "observations"),
        candidates=list(states_until_now(exchange.admin, "link-candidates").values()),
        kept=dict(picture.kept),
        worklist=[row for name in ("worklist", "worklist-youth") for row in _listed(exchange, name, name, "list", "--all")],
        agenda_list=_listed(exchange, "agenda", "agenda", "list"),
    )


def _held(exchange: Exchange, *topics: str) -> set[str]:
    """Return the signals of which these topics still hold something: an erased one left a tombstone."""
    return {signal_id for topic in topics for signal_id in states_until_now(exchange.admin, topic)}


def _states(exchange: Exchange, *topics: str) -> list[Record]:
    """Return every state that topics hold, earlier ones too, in order of their revision."""
    values = (record.value for record in records_until_now(exchange.admin, *topics))
    return sorted((decode_whole(value).fields for value in values if value is not None), key=lambda each: each["revision"])


def _latest(states: Iterable[Record], held: Collection[str]) -> dict[str, Record]:
    """Return the last delivery that each signal's receiver holds: youth and care together, of which the last state counts."""
    return {state["signal_id"]: state for state in states if state["signal_id"] in held}


def _retracted(destination: str, states: Iterable[Record]) -> list[list[Any]]:
    found = {(each["signal_id"], each["offer"], each["rule_id"]) for each in states if each["status"] == "RETRACTED"}
    return [[signal_id, destination, offer, rule_id] for signal_id, offer, rule_id in found]


def _events(exchange: Exchange) -> Iterator[dict[str, Any]]:
    """Give the records that came in, with their append time: each version once, each membership, each word of a receiver."""
    seen: set[tuple[Any, ...]] = set()
    for record in records_until_now(exchange.admin, "signals", "links", "outcomes"):
        if record.value is None:
            continue
        decoded = decode_whole(record.value)
        event = _event(decoded.record, decoded.fields)
        named = (
            tuple(event.items()) if event and event["what"] in SENT.values() else (record.topic, record.partition, record.offset)
        )
        if event is not None and named not in seen:
            seen.add(named)
            yield {**event, "at": datetime.fromtimestamp(record.timestamp / 1000, tz=UTC).isoformat()}


def _event(name: str, fields: Record) -> dict[str, Any] | None:
    if name in SENT:
        about = fields["signal"] if name == "SignalPublished" else fields
        return {"what": SENT[name], "signal_id": about["signal_id"], "version": about["version"]}
    if name == "ClusterMembership":
        return {"what": "linked", "signal_id": fields["signal_id"], "cluster_id": fields["cluster_id"]}
    if name == "Outcome" and fields["kind"] in ("REFERRAL", "DECISION"):
        return _said(fields)
    return None


def _said(fields: Record) -> dict[str, Any]:
    about = {"signal_id": fields["signal_id"], "offer": _offer(fields)}
    if fields["kind"] == "DECISION":
        return {"what": "meeting", **about, "decided": fields["state"] == "DECIDED"}
    return {"what": "care", **about, "state": fields["state"], "lacks_data": fields["outcome"] == "MORE_INFO_ASKED"}


def _offer(fields: Record) -> int:
    """Return which offer an outcome speaks of: its id is made of that number."""
    ids = (outcome_id_of(fields["signal_id"], fields["source"], fields["kind"], offer) for offer in range(1, OFFERS))
    return next((offer for offer, found in enumerate(ids, start=1) if found == fields["outcome_id"]), 0)


def _listed(exchange: Exchange, process: str, *command: str) -> list[Record]:
    said = exchange.command(process, *command, "--json")
    rows: list[Record] = json.loads(said.stdout) if said.returncode == 0 else []
    return rows
