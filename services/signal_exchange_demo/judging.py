"""Holds what happened against the truth: what an independent oracle says should have gone where, and in which form."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from signal_exchange.contracts.codec import decode_whole
from signal_exchange.domain.times import local_day
from signal_exchange.privacy.vault import VaultKey
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.forging import Sent
from signal_exchange_demo.region.model import Arrival, Forgery, SignalKey
from signal_exchange_demo.watching import Picture, records_until_now, states_until_now

Record = Mapping[str, Any]
JUDGES = ("routing", "linking")
"""The services that judge what a municipality sent, and park it."""
PUBLISHED = ("new", "correction")
"""Kinds of arrivals that become a version."""
TAKEN = ("accepted", "withdrawn", "erased")
"""Verdicts of the oracle on what goes on."""
CARE_TOPICS = ("referrals", "referrals-youth")


@dataclass(frozen=True, slots=True)
class Published:
    """A signal as it stands on the stream: its id, and version 1 as it was sent."""

    signal_id: str
    sent: Sent = field(repr=False)


def published_by_key(exchange: Exchange, keys: Iterable[SignalKey]) -> dict[SignalKey, Published]:
    """Return the signal on the stream for each own reference that was published, found by its keyed hash."""
    vaults = {code: _vault_key(exchange, code) for code in exchange.region.members}
    wanted = {vaults[key.municipality].mac(key.local_ref): key for key in keys if key.municipality in vaults}
    found: dict[SignalKey, Published] = {}
    for record in records_until_now(exchange.admin, "signals"):
        fields = decode_whole(record.value).fields
        if "own_ref" in fields and fields["signal"]["version"] == 1 and fields["own_ref"] in wanted:
            sent = Sent(record.key.decode(), record.value, list(record.headers))
            found.setdefault(wanted[fields["own_ref"]], Published(fields["signal"]["signal_id"], sent))
    return found


def _vault_key(exchange: Exchange, code: str) -> VaultKey:
    folder = exchange.region.process_folder(f"municipality-{code.lower()}")
    return VaultKey.from_bytes(bytes.fromhex((folder / "vault-key").read_text(encoding="utf-8").strip()))


@dataclass(frozen=True, slots=True)
class Ended:
    """A signal that its municipality took back or had erased: `event` is withdrawn or erased."""

    event: str
    key: SignalKey
    version: int


@dataclass(frozen=True, slots=True)
class Told:
    """Everything sent to the exchange, for the oracle to judge. `forged` are forged signals that routing takes, by their id."""

    arrivals: Sequence[Arrival]
    ended: Sequence[Ended]
    forged: Mapping[str, Record]
    day: date


def truth(told: Told, found: Mapping[SignalKey, Published]) -> dict[str, Any]:
    """Ask the oracle, as a program of its own, what must become of these signals: also of one that no node published."""
    published = (_entry(each, _id_of(each, found), told.day) for each in told.arrivals if each.kind in PUBLISHED)
    forged = (_forged_entry(signal_id, record, told.day) for signal_id, record in told.forged.items())
    ended = (
        {"event": each.event, "signal_id": found[each.key].signal_id, "version": each.version}
        for each in told.ended
        if each.key in found
    )
    return _asked("oracle", [*published, *forged, *ended])


def story(told: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the oracle, as a program of its own, what must stand where after versions, ends, links and decisions in time."""
    return _asked("story", told)


def _asked(program: str, question: object) -> dict[str, Any]:
    command = [sys.executable, "-m", f"signal_exchange_demo.oracle.{program}"]
    asked = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(asked.stdout)
    return answer


def story_told(
    told: Told, found: Mapping[SignalKey, Published], events: Iterable[Record], expected: Record, until: datetime
) -> dict[str, Any]:
    """Return the story of a demo for the oracle: what it accepted at first, and everything that happened to that, in time."""
    versions: dict[str, dict[str, Record]] = {signal_id: {"1": {"record": record}} for signal_id, record in told.forged.items()}
    for each in told.arrivals:
        if each.kind in PUBLISHED and each.key in found:
            versions.setdefault(found[each.key].signal_id, {})[str(each.version)] = {"record": each.record}
    taken = {(entry["signal_id"], entry["version"]) for entry in expected["entries"] if entry["verdict"] in TAKEN}
    own = (event for event in events if "version" not in event or (event["signal_id"], event["version"]) in taken)
    dated = ({**event, "publish_day": local_day(datetime.fromisoformat(event["at"])).isoformat()} for event in own)
    return {"versions": versions, "events": list(dated), "until": until.isoformat()}


def _id_of(arrival: Arrival, found: Mapping[SignalKey, Published]) -> str:
    """Return the id of a signal on the stream; of one that is missing there one that nobody has."""
    on_stream = found.get(arrival.key)
    return on_stream.signal_id if on_stream else str(uuid.uuid5(uuid.NAMESPACE_URL, str(arrival.key)))


def _entry(arrival: Arrival, signal_id: str, day: date) -> dict[str, Any]:
    entry = _forged_entry(signal_id, arrival.record, day)
    return {**entry, "version": arrival.version, "supersedes": arrival.version - 1 or None}


def _forged_entry(signal_id: str, record: Record, day: date) -> dict[str, Any]:
    return {"record": record, "signal_id": signal_id, "version": 1, "supersedes": None, "publish_day": day.isoformat()}


def mismatches(exchange: Exchange, picture: Picture, expected: Mapping[str, Any]) -> list[str]:
    """Return every difference between truth and stream: effects, forms of delivery and raw report counts."""
    routed = [entry for entry in expected["entries"] if entry["verdict"] in TAKEN]
    return [
        *(
            f"oracle: {entry['signal_id']} version {entry['version']} {entry['verdict']}"
            for entry in expected["entries"]
            if entry not in routed
        ),
        *_wrong_effects(picture, routed),
        *_wrong_forms(exchange, routed),
        *_wrong_counts(exchange, expected["statistics"]),
    ]


def _wrong_effects(picture: Picture, routed: Sequence[Record]) -> Iterator[str]:
    expected = {
        (entry["signal_id"], entry["version"], name): route["effect"]
        for entry in routed
        for name, route in entry["routes"].items()
    }
    for about in sorted({*expected, *picture.effects}):
        if expected.get(about) != picture.effects.get(about):
            yield f"effect of {about}: {expected.get(about)} expected, {picture.effects.get(about)} found"


def _wrong_forms(exchange: Exchange, routed: Sequence[Record]) -> Iterator[str]:
    last = {entry["signal_id"]: entry["routes"] for entry in routed}
    care = {signal_id: routes["CARE_COORDINATOR"]["deliver_as"] for signal_id, routes in last.items()}
    agenda = {signal_id: routes["SCREENING_AGENDA"]["deliver_as"] for signal_id, routes in last.items()}
    yield from _different("care", care, _offered(exchange, *CARE_TOPICS))
    yield from _different("agenda", agenda, _offered(exchange, "agenda-items"))
    alerted = {entry["signal_id"] for entry in routed if entry["routes"]["CHAIR_ALERT"]["effect"] == "SEND"}
    told = (record.value for record in records_until_now(exchange.admin, "chair-alerts"))
    alerts = {decode_whole(value).fields["signal_id"] for value in told if value is not None}
    yield from (f"alert for {signal_id}" for signal_id in alerted ^ alerts)


def _offered(exchange: Exchange, *topics: str) -> dict[str, str]:
    states = [state for topic in topics for state in states_until_now(exchange.admin, topic).values()]
    return {state["signal_id"]: state["deliver_as"] for state in states if state["status"] == "OFFERED"}


def _different(where: str, expected: Mapping[str, str | None], found: Mapping[str, str]) -> Iterator[str]:
    for signal_id in sorted({*expected, *found}):
        if expected.get(signal_id) != found.get(signal_id):
            yield f"form at {where} of {signal_id}: {expected.get(signal_id)} expected, {found.get(signal_id)} found"


def _wrong_counts(exchange: Exchange, expected: Record) -> Iterator[str]:
    asked = exchange.command("statistics", "statistics", "list", "--json")
    if asked.returncode:
        yield "the statistics gave no counts"
        return
    counts = json.loads(asked.stdout)["reports"]
    found: dict[str, Any] = {"reports": sum(each["reports"] for each in counts)}
    found["by_municipality"] = _summed(counts, "municipality")
    found["by_primary_form"] = _summed(counts, "form")
    for name, value in found.items():
        if value != expected[name]:
            yield f"raw report counts, {name}: {expected[name]} expected, {value} found"


def _summed(counts: Sequence[Record], column: str) -> dict[str, int]:
    sums = Counter[str]()
    for each in counts:
        sums[each[column]] += each["reports"]
    return dict(sums)


def wrong_parked(exchange: Exchange, forged: Iterable[Forgery]) -> list[str]:
    """Return for which reasons a service parked more or fewer records than these forgeries should give."""
    wanted = Counter((each.parked_by, each.expected_reason) for each in forged if each.expected_reason)
    states = states_until_now(exchange.admin, "parked").values()
    found = Counter((state["service"], state["reason"]) for state in states if state["service"] in JUDGES)
    return [
        f"parked by {service} as {reason}: {wanted[service, reason]} expected, {found[service, reason]} found"
        for service, reason in sorted(wanted | found)
        if wanted[service, reason] != found[service, reason]
    ]
