"""The figures and alarms of oversight, drawn from its store at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any

from signal_exchange.contracts.records import OversightParkedRecord
from signal_exchange.domain.destinations import OWNING_RECEIVERS
from signal_exchange.domain.figures.ledger import Ledger
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.times import local_day
from signal_exchange.oversight.ledger import Drawing
from signal_exchange.oversight.open_signals import past_their_date, unheard_of, without_date
from signal_exchange.oversight.store import Clock, OversightStore
from signal_exchange.stream.erasure_word import UNPROVEN
from signal_exchange.stream.setting_aside import CANNOT_PROCESS, NO_SEALING_KEY

OWNERS = {receiver.service: receiver.owner for receiver in OWNING_RECEIVERS}
"""Who keeps what a service has, where the trace names nobody."""
NOBODY = "NOBODY"
SENDER_HELD = "SENDER_HELD"
"""The reason of what routing sets aside of a sender that floods."""
NUMBERS = ("municipality", "publisher_run", "first", "last")
PARKED_TOO_LONG_SECONDS = 24 * 3600
"""A parked record that waits longer alarms by its age; its count alarms at once (promise 3)."""


@dataclass(frozen=True, slots=True)
class OverdueSignal:
    """An open signal that nobody brought further in time: `next_date` is past, or there is no owner with a date at all."""

    signal_id: str
    municipality: str | None
    keeper: str
    owner_role: str
    next_date: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that oversight knows at one moment. `parked` are the records that wait for a decision."""

    at: datetime
    ledger: Ledger
    parked: tuple[OversightParkedRecord, ...]
    late: tuple[OverdueSignal, ...]
    receipts: tuple[OverdueSignal, ...]

    @property
    def oldest_parked(self) -> dict[str, float]:
        """Return the age in seconds of the oldest parked record of each service."""
        ages: dict[str, float] = {}
        for record in self.parked:
            age = (self.at - record["parked_at"]).total_seconds()
            ages[record["service"]] = max(age, ages.get(record["service"], 0.0))
        return ages


def figures(store: OversightStore, now: datetime) -> Figures:
    """Return the figures of this moment."""
    past = [_overdue(clock) for clock in past_their_date(store.connection, local_day(now).isoformat())]
    receipts = tuple(each for each in past if each.keeper.endswith("/RECEIPT"))
    late = (*(each for each in past if each not in receipts), *_ownerless(store, now))
    return Figures(now, Drawing.of(store).ledger(now), tuple(store.waiting()), late, receipts)


def _overdue(clock: Clock) -> OverdueSignal:
    service = clock.keeper.partition("/")[0]
    owner = clock.owner_role or OWNERS.get(service) or NOBODY
    return OverdueSignal(clock.signal_id, clock.municipality, clock.keeper, owner, clock.next_date)


def _ownerless(store: OversightStore, now: datetime) -> Iterator[OverdueSignal]:
    """Give the signals that nobody tells to have: sent a while ago and not told to be stored, or without any date or outcome."""
    old = now - timedelta(minutes=Policy().missing_number_minutes)
    unheard = unheard_of(store.connection, old)
    known = {clock.signal_id for clock in unheard}
    silent = (clock for clock in without_date(store.connection, old) if clock.signal_id not in known)
    for clock in (*unheard, *silent):
        yield OverdueSignal(clock.signal_id, clock.municipality, clock.keeper, NOBODY, None)


def alarms(found: Figures) -> list[dict[str, Any]]:
    """Return the alarms that stand, each by its name in the runbook and with its count."""
    ages = found.oldest_parked
    counted = (
        ("LedgerOutOfBalance", 0 if _adds_up(found.ledger) else 1),
        ("NumbersOverdue", found.ledger.overdue),
        ("RecordsParked", len(found.parked)),
        ("SealingKeyMissing", sum(record["reason"] == NO_SEALING_KEY for record in found.parked)),
        ("ErasureRefused", sum(record["reason"] == UNPROVEN for record in found.parked)),
        ("CannotProcess", sum(record["reason"] == CANNOT_PROCESS for record in found.parked)),
        ("SenderHeld", sum(record["reason"] == SENDER_HELD for record in found.parked)),
        ("ParkedTooLong", sum(age > PARKED_TOO_LONG_SECONDS for age in ages.values())),
        ("SignalsPastTheirDate", sum(each.next_date is not None for each in found.late)),
        ("SignalsWithoutOwner", sum(each.next_date is None for each in found.late)),
        ("ReceiptsOverdue", len(found.receipts)),
    )
    return [{"alarm": name, "count": count} for name, count in counted if count]


def _adds_up(ledger: Ledger) -> bool:
    numbers = sum(ledger.counts.values()) == ledger.sent + ledger.early
    return numbers and sum(ledger.signals.values()) == ledger.published


def conservation(store: OversightStore, now: datetime) -> dict[str, Any]:
    """Return the whole ledger as JSON, by municipality too, with who discarded what and why (R-FLOW-01)."""
    discarded = {record["parked_id"] for record in store.parked() if record["state"] == "DISCARDED"}
    return {
        "at": now,
        **_as_json(Drawing.of(store).ledger(now)),
        "discarded_records": [
            {"parked_id": each.parked_id, "reason": each.reason, "by": each.who, "at": each.at}
            for each in store.decisions()
            if each.action == "DISCARD" and each.parked_id in discarded
        ],
        "given_up_numbers": [
            {**{name: getattr(each, name) for name in NUMBERS}, "reason": each.reason, "by": each.who, "at": each.at}
            for each in store.given_up()
        ],
        "municipalities": {code: _as_json(Drawing.of(store, code).ledger(now)) for code in store.municipalities()},
    }


def _as_json(ledger: Ledger) -> dict[str, Any]:
    return {
        "conserved": ledger.conserved,
        "published": ledger.published,
        "signals": dict(ledger.signals),
        "numbers_sent": ledger.sent,
        "numbers_early": ledger.early,
        "numbers": dict(ledger.counts),
        "overdue": ledger.overdue,
        "gaps": [dict(zip(NUMBERS, astuple(gap), strict=True)) for gap in ledger.gaps],
        "unattributed": ledger.unattributed,
    }
