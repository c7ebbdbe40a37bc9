"""Holds what happened against the truth: what an independent oracle says should have gone where, and in which form."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from signal_exchange.contracts.codec import decode_whole
from signal_exchange.demo.exchange import Exchange
from signal_exchange.demo.forging import Sent
from signal_exchange.demo.region import Arrival, SignalKey, Withdrawal
from signal_exchange.demo.watching import Picture, records_until_now, states_until_now
from signal_exchange.privacy.vault import VaultKey

Record = Mapping[str, Any]
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


def truth(
    tests: Path, arrivals: Sequence[Arrival], withdrawals: Sequence[Withdrawal], found: Mapping[SignalKey, Published], day: date
) -> dict[str, Any]:
    """Ask the oracle, as a program of its own, what must become of these signals."""
    entries = [*_published_entries(arrivals, found, day), *_withdrawn_entries(arrivals, withdrawals, found)]
    command = [sys.executable, "-m", "oracle.oracle"]
    asked = subprocess.run(command, input=json.dumps(entries), cwd=tests, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(asked.stdout)
    return answer


def _published_entries(arrivals: Sequence[Arrival], found: Mapping[SignalKey, Published], day: date) -> Iterator[dict[str, Any]]:
    for arrival in arrivals:
        if arrival.kind in ("new", "correction") and arrival.key in found:
            yield {
                "record": arrival.record,
                "signal_id": found[arrival.key].signal_id,
                "version": arrival.version,
                "supersedes": arrival.version - 1 or None,
                "publish_day": day.isoformat(),
            }


def _withdrawn_entries(
    arrivals: Sequence[Arrival], withdrawals: Sequence[Withdrawal], found: Mapping[SignalKey, Published]
) -> Iterator[dict[str, Any]]:
    last = Counter[SignalKey]()
    for arrival in arrivals:
        last[arrival.key] = max(last[arrival.key], arrival.version)
    for withdrawal in withdrawals:
        if withdrawal.key in found:
            signal_id = found[withdrawal.key].signal_id
            yield {"event": "withdrawn", "signal_id": signal_id, "version": last[withdrawal.key] + 1}


def mismatches(exchange: Exchange, picture: Picture, expected: Mapping[str, Any]) -> list[str]:
    """Return every difference between truth and stream: effects, forms of delivery and raw report counts."""
    routed = [entry for entry in expected["entries"] if entry["verdict"] in ("accepted", "withdrawn")]
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
    alerts = {decode_whole(record.value).fields["signal_id"] for record in records_until_now(exchange.admin, "chair-alerts")}
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


def wrong_parked(exchange: Exchange, expected: Iterable[str]) -> list[str]:
    """Return the reasons for which more or fewer records were parked by routing than the forgeries should give."""
    wanted = Counter(expected)
    found = Counter(
        state["reason"] for state in states_until_now(exchange.admin, "parked").values() if state["service"] == "routing"
    )
    return [
        f"parked as {reason}: {wanted[reason]} expected, {found[reason]} found"
        for reason in sorted(wanted | found)
        if wanted[reason] != found[reason]
    ]
