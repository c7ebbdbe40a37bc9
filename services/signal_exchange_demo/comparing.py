"""Holds what an exchange recorded against what the oracle says: each difference in a sentence, never a value of a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from signal_exchange_demo.recording import Recorded

Record = Mapping[str, Any]
CARE, AGENDA = "CARE_COORDINATOR", "SCREENING_AGENDA"
Refused = Mapping[tuple[str, int], Sequence[Record]]
"""Errors of each refused line, by file and line from 1."""


def differences(found: Recorded, expected: Record) -> list[str]:
    """Return every difference between a recorded exchange and a story of the oracle."""
    signals = expected["signals"]
    return list(
        chain(
            _wrong_standing(found, signals),
            _wrong_deliveries(found, signals),
            _wrong_keepers(found, signals),
            _wrong_deadlines(found, signals),
            _wrong_agenda(found, expected["agenda"]),
            _wrong_days(found, expected["publish_days"]),
            _wrong_persons(found, expected["persons"]),
            _unequal("alerts", expected["alerts"], found.alerts),
            _unequal("retractions", map(tuple, expected["retracted"]), map(tuple, found.retracted)),
        )
    )


def _wrong_standing(found: Recorded, signals: Record) -> Iterator[str]:
    """Compare effect, form, rule, reason, due_from, offer and end of each destination."""
    for signal_id, wanted in signals.items():
        deliveries = {each["destination"]: each for each in found.accepted.get(signal_id, {}).get("deliveries", ())}
        for name, place in wanted["places"].items():
            for what, value in place.items():
                told = deliveries.get(name, {}).get(what)
                if not _same(value, told):
                    yield f"{what} of {signal_id} at {name}: {value} expected, {told} found"


def _same(wanted: object, told: object) -> bool:
    if isinstance(told, datetime) and isinstance(wanted, str):
        # Kafka and Avro keep milliseconds.
        return abs((datetime.fromisoformat(wanted) - told).total_seconds()) < 0.001  # noqa: PLR2004 - a millisecond
    return wanted == told


def _wrong_deliveries(found: Recorded, signals: Record) -> Iterator[str]:
    """Compare what receivers hold: status, offer, rule, urgency, and every field and subject that it shows."""
    for name, states in ((CARE, found.care), (AGENDA, found.agenda)):
        held = {signal_id: state for signal_id, state in states.items() if state["status"] == "OFFERED"}
        wanted = {signal_id: each for signal_id, each in signals.items() if name in each["shown"]}
        yield from _unequal(f"what {name} holds", wanted, held)
        for signal_id in wanted.keys() & held.keys():
            yield from _wrong_delivery(name, signal_id, wanted[signal_id], held[signal_id])


def _wrong_delivery(name: str, signal_id: str, wanted: Record, held: Record) -> Iterator[str]:
    place = wanted["places"][name]
    facts = {**{what: place[what] for what in ("deliver_as", "rule_id", "offer", "due_from")}, "urgency": wanted["urgency"]}
    for what, value in facts.items():
        if not _same(value, held[what]):
            yield f"{what} of the delivery of {signal_id} to {name}: {value} expected, {held[what]} found"
    shown, told = wanted["shown"][name], _without_nothing(held["signal"])
    for field in sorted(shown.keys() | told.keys()):
        if shown.get(field) != told.get(field):
            yield f"what {name} sees of {signal_id}: {field} differs from what its form may show"


def _without_nothing(value: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
    if isinstance(value, Mapping):
        return {name: _without_nothing(each) for name, each in value.items() if each is not None}
    return [_without_nothing(each) for each in value] if isinstance(value, list) else value


def _wrong_keepers(found: Recorded, signals: Record) -> Iterator[str]:
    for signal_id, wanted in signals.items():
        told = found.kept.get(signal_id, (None, None))
        expected = tuple(wanted["kept_by"] or (None, None))
        if told != expected:
            yield f"who keeps {signal_id}, and until when: {expected} expected, {told} found"


def _wrong_deadlines(found: Recorded, signals: Record) -> Iterator[str]:
    """Compare until when care must decide on what waits for it (R-REF-04)."""
    waiting = {(row["signal_id"], row["offer"]): row for row in found.worklist if row["open"]}
    for signal_id, wanted in signals.items():
        row = waiting.get((signal_id, wanted["places"][CARE]["offer"]))
        if wanted["decide_by"] is None or row is None or row["state"] in ("ACCEPTED", "IN_CARE"):
            continue
        if datetime.fromisoformat(wanted["decide_by"]) != datetime.fromisoformat(row["decide_by"]):
            yield f"decide_by of {signal_id}: {wanted['decide_by']} expected, {row['decide_by']} found"


def _wrong_agenda(found: Recorded, wanted: Sequence[Record]) -> Iterator[str]:
    """Compare week, place and cap of each item, in order."""
    rows = [(row["week"], row["signal_id"], row["rolled_over"]) for row in found.agenda_list]
    expected = [(row["week"], row["signal_id"], row["rolled_over"]) for row in wanted]
    yield from _unequal("items of the agenda", expected, rows)
    if sorted(rows) == sorted(expected):
        for place, (one, other) in enumerate(zip(expected, rows, strict=True), start=1):
            if one != other:
                yield f"order of the agenda, row {place}: {one} expected, {other} found"


def _wrong_days(found: Recorded, wanted: Mapping[str, str]) -> Iterator[str]:
    """Compare the publish day of each report: that of the append of version 1 (R-STAT-01)."""
    for signal_id, day in wanted.items():
        fact = found.observations.get(found.accepted.get(signal_id, {}).get("observation_id") or "", {})
        if fact.get("publish_day") != day:
            yield f"publish day of {signal_id}: {day} expected, {fact.get('publish_day')} found"


def _wrong_persons(found: Recorded, wanted: int) -> Iterator[str]:
    """Compare how many persons are counted (I02, R-STAT-01)."""
    told = sum(fact["kind"] == "PERSON" and fact["counted"] for fact in found.observations.values())
    if told != wanted:
        yield f"persons: {wanted} expected, {told} found"


def _unequal(what: str, expected: Iterable[Any], found: Iterable[Any]) -> Iterator[str]:
    wanted, told = Counter(iter(expected)), Counter(iter(found))
    yield from (f"{what}: {each} expected, not found" for each in sorted((wanted - told).keys(), key=str))
    yield from (f"{what}: {each} found, not expected" for each in sorted((told - wanted).keys(), key=str))


def wrong_refusals(expected: Mapping[tuple[str, int], tuple[str, str, str] | None], refused: Refused) -> Iterator[str]:
    """Compare which lines were refused, and for which field, rule and code; None: a line that no rule names a field for."""
    yield from _unequal("refused lines", expected, refused)
    for place in sorted(expected.keys() & refused.keys()):
        wanted = expected[place]
        told = [(error["field"], error["rule"], error["code"]) for error in refused[place]]
        if wanted is not None and not any(_names(wanted, each) for each in told):
            yield f"line {place[1]} of {place[0]} refused for {told}: {wanted} expected"


def _names(wanted: tuple[str, str, str], told: tuple[str, str, str]) -> bool:
    """Say whether an error is the expected one; its field may name a place inside the expected one."""
    return told[0].startswith(wanted[0]) and told[1:] == wanted[1:]


def wrong_links(
    expected: Mapping[tuple[str, str, str], Iterable[str]],
    found: Recorded,
    closed: Iterable[str],
    undone: Iterable[tuple[str, str, str]] = (),
) -> Iterator[str]:
    """Compare the links between open signals: which two, of which kind, and by which types of value (R-LINK-01, R-LINK-02).

    `undone` are those that people undid: they must be revoked.
    """
    gone, revoked = set(closed), set(undone)
    ended = {
        (*sorted((each["signal_a"], each["signal_b"])), each["kind"]) for each in found.candidates if each["state"] == "REVOKED"
    }
    yield from _unequal("links that people undid", revoked, ended)
    told = {
        (*sorted((each["signal_a"], each["signal_b"])), each["kind"]): sorted(each["key_types"])
        for each in found.candidates
        if each["state"] in ("CANDIDATE", "CONFIRMED") and not {each["signal_a"], each["signal_b"]} & gone
    }
    wanted = {pair: sorted(types) for pair, types in expected.items() if not {*pair[:2]} & gone and pair not in revoked}
    yield from _unequal("links", wanted, told)
    for pair in sorted(wanted.keys() & told.keys()):
        if wanted[pair] != told[pair]:
            yield f"link of {pair}: {wanted[pair]} expected, {told[pair]} found"
