"""The acts of an operator of the exchange, for commands, routes and pages alike: what alarms, what waits, what will not come."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from signal_exchange.contracts.records import RETRY_REQUEST, RetryRequest
from signal_exchange.contracts.topics import retry_topic
from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.oversight.choosing import EVERY_RECORD, NumberChoice, ParkedChoice, Record
from signal_exchange.oversight.figures import Figures, OverdueSignal, alarms, conservation, figures
from signal_exchange.oversight.giving_up import OverdueRange, overdue_ranges
from signal_exchange.oversight.store import Decision, GivenUp, OversightStore
from signal_exchange.stream.acting import ActionStore
from signal_exchange.stream.work import Work

AT_ONCE: Final = 500
"""Decisions in one transaction: a service takes its share of them in one batch or a few."""
Progress = Callable[[int], None]
"""Takes how many records were decided about so far."""


class RetryReason(Enum):
    """Reason for trying a record again."""

    CAUSE_GONE = "CAUSE_GONE"
    REGISTER_RENEWED = "REGISTER_RENEWED"
    SOFTWARE_MENDED = "SOFTWARE_MENDED"
    CODE_LIST_RENEWED = "CODE_LIST_RENEWED"


class DiscardReason(Enum):
    """Reason for discarding a record."""

    FORGED = "FORGED"
    DAMAGED = "DAMAGED"
    SENT_AGAIN = "SENT_AGAIN"
    SENT_BY_MISTAKE = "SENT_BY_MISTAKE"
    SENDER_AGREES = "SENDER_AGREES"


class LostReason(Enum):
    """Reason for which a number will not come any more."""

    LOST_IN_RESTORE = "LOST_IN_RESTORE"
    SENDER_AGREES = "SENDER_AGREES"


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """The headers of one parked record, with the decisions about it."""

    headers: Record
    decisions: Sequence[Decision]


@dataclass(frozen=True, slots=True)
class OversightActions:
    """Everything that an operator can see or do; several threads may call it. `now` is the clock.

    Parked records are seen by their headers: their content stays sealed to the service that parked them.
    """

    store: ActionStore
    now: Callable[[], datetime]

    def ledger(self) -> dict[str, Any]:
        """Return the ledger as a whole and by municipality, with whether each number and signal has one place (R-FLOW-01)."""
        with self.store.reading() as connection:
            return conservation(OversightStore(connection), self.now())

    def alarms(self) -> list[dict[str, Any]]:
        """Return the alarms of now, each with its count; the runbook has a section for each."""
        return alarms(self._figures())

    def overdue(self) -> tuple[OverdueSignal, ...]:
        """Return the open signals past their next date, or without an owner (R-FLOW-02)."""
        return self._figures().late

    def parked(self, choice: ParkedChoice = EVERY_RECORD, *, decided: bool = False) -> list[Record]:
        """Return the parked records of a choice that wait for a decision, with `decided` the others too; the oldest first."""
        with self.store.reading() as connection:
            store = OversightStore(connection)
            return choice.among(store.parked() if decided else store.waiting())

    def show(self, parked_id: str) -> ParkedRecord:
        """Return the headers of one parked record and the decisions about it.

        Raises:
            RefusedError: it is not known.
        """
        with self.store.reading() as connection:
            store = OversightStore(connection)
            headers = _found(store, parked_id)
            return ParkedRecord(headers, [each for each in store.decisions() if each.parked_id == parked_id])

    def chosen(self, choice: ParkedChoice) -> list[Record]:
        """Return the waiting records that a decision on this choice would be about, the oldest first; nothing changes.

        Raises:
            RefusedError: nothing says which records are meant, or an id is not known or was decided about.
        """
        if not choice.is_said:
            raise RefusedError("NO_RECORDS_CHOSEN", field="everything")
        with self.store.reading() as connection:
            store = OversightStore(connection)
            waiting = store.waiting()
            missing = sorted(set(choice.ids) - {record["parked_id"] for record in waiting})
            if missing and _found(store, missing[0]):
                raise RefusedError("PARKED_RECORD_DECIDED")
        return choice.among(waiting)

    def retry(self, parked_ids: Sequence[str], reason: RetryReason, who: Person, progress: Progress = lambda _: None) -> int:
        """Let the services that parked these records try them again; return how many still waited."""
        return self._decide(parked_ids, "RETRY", reason.value, who, progress)

    def discard(self, parked_ids: Sequence[str], reason: DiscardReason, who: Person, progress: Progress = lambda _: None) -> int:
        """Let the services that parked these records drop them for good; return how many still waited."""
        return self._decide(parked_ids, "DISCARD", reason.value, who, progress)

    def overdue_numbers(self, choice: NumberChoice) -> list[OverdueRange]:
        """Return the overdue numbers of a choice in ranges; nothing changes.

        Raises:
            RefusedError: nothing says which numbers, or none of those is overdue.
        """
        with self.store.reading() as connection:
            return overdue_ranges(OversightStore(connection), choice, self.now())

    def give_up(self, choice: NumberChoice, reason: LostReason, who: Person) -> list[OverdueRange]:
        """Record that the overdue numbers of a choice will not come any more: they then count as discarded. Twice is once.

        Raises:
            RefusedError: nothing says which numbers, or none of those is overdue.
        """
        with self.store.deciding() as work:
            store, now = OversightStore(work.connection), self.now()
            ranges = overdue_ranges(store, choice, now)
            for each in ranges:
                store.give_up(GivenUp(choice.municipality, each.run, each.first, each.last, reason.value, who.name, now))
        return ranges

    def _figures(self) -> Figures:
        with self.store.reading() as connection:
            return figures(OversightStore(connection), self.now())

    def _decide(self, parked_ids: Sequence[str], action: str, reason: str, who: Person, progress: Progress) -> int:
        """Decide about these part by part, each for good."""
        decided = 0
        for start in range(0, len(parked_ids), AT_ONCE):
            with self.store.deciding() as work:
                still = OversightStore(work.connection).waiting_among(parked_ids[start : start + AT_ONCE])
                for record in still:
                    decision = Decision(str(uuid.uuid4()), record["parked_id"], action, reason, who.name, self.now())
                    _ask_service(record["service"], decision, work)
            decided += len(still)
            progress(decided)
        return decided


def _ask_service(service: str, decision: Decision, work: Work) -> None:
    OversightStore(work.connection).add_decision(decision)
    asked = RetryRequest(
        request_id=decision.request_id,
        parked_id=decision.parked_id,
        service=service,
        action=decision.action,
        reason=decision.reason,
        at=decision.at,
    )
    work.send(retry_topic(service), asked["parked_id"], RETRY_REQUEST, asked, event_id=asked["request_id"], at=asked["at"])


def _found(store: OversightStore, parked_id: str) -> Record:
    found = next((record for record in store.parked() if record["parked_id"] == parked_id), None)
    if found is None:
        raise RefusedError("PARKED_RECORD_UNKNOWN")
    return found
