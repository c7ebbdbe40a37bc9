"""The acts on reports: a reporter tells something and reads the answer; an officer reads, merges and closes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.people import Person
from signal_exchange.domain.references import BITS, REPORT, read_reference, reference
from signal_exchange.domain.refusals import Coded, RefusedError
from signal_exchange.domain.retention import end_of
from signal_exchange.domain.times import at, local_day
from signal_exchange.municipality.publishing.justifying import FindLeaks
from signal_exchange.municipality.reports.contents import LONGEST, Told
from signal_exchange.municipality.reports.store import Report, ReportStore, State
from signal_exchange.privacy.vault import Encrypted, VaultKey
from signal_exchange.runtime.database import Database

READ_WD: Final = 1
"""Working days after the day of a report by which an officer reads it."""
ANSWER_WD: Final = 10
"""Working days after the day of a report by which its reporter has an answer, also when nothing is done."""
RETENTION: Final = "UNSUBSTANTIATED"
"""The class of retention_class.csv by which a closed report is kept (R-RET-02): a signal that was made of it has its own."""
RECEIPT_DAYS: Final = 1
"""How long the page that thanks can be opened: others may use that browser afterwards."""


class CloseReason(StrEnum):
    """Reason for closing a report."""

    SIGNAL_MADE = "SIGNAL_MADE"
    NO_INDICATION = "NO_INDICATION"
    OTHER_HELP = "OTHER_HELP"
    KNOWN_ALREADY = "KNOWN_ALREADY"
    TOO_LITTLE = "TOO_LITTLE"


@dataclass(frozen=True, slots=True)
class Opened:
    """A report as its officer reads it, with those that were merged into it, and the answer once there is one."""

    report: Report
    told: Told = field(repr=False)
    merged: Sequence[tuple[Report, Told]] = field(default=(), repr=False)
    answer: str = field(default="", repr=False)

    @property
    def may_be_minor(self) -> bool:
        """Say whether it, or a report that was merged into it, is treated as about a minor."""
        return self.told.may_be_minor or any(told.may_be_minor for _, told in self.merged)

    @property
    def as_entered(self) -> tuple[Sequence[str], Mapping[str, Sequence[str]]]:
        """Return the questions of an entered signal that it answers, and their answers: what was told, and who told it."""
        texts = [self.told.text, *(told.text for _, told in self.merged)]
        works = [self.told.works] if self.told.works else []
        answers = {"summary": ["\n".join(texts)], "indicators": list(self.told.signs), "reporter_source": works}
        return tuple(answers), answers


@dataclass(frozen=True, slots=True)
class Reports:
    """The acts on the reports of one municipality. Each method is one transaction.

    `find_leaks` gives what could identify somebody in a text. `named` is a reference as somebody wrote it.
    """

    key: VaultKey
    database: Database
    now: Callable[[], datetime]
    calendar: WorkingCalendar
    find_leaks: FindLeaks

    def report(self, told: Told, submission: str) -> Report:
        """Keep what a reporter tells. The same told twice under one submission is one report.

        Raises:
            RefusedError: the text is missing, or an answer is too long.
        """
        told.require_complete()
        content, moment = told.written(), self.now()
        mac = self.key.mac(f"{submission} {content.decode()}", purpose="report")
        with self.database.transaction() as connection:
            store = ReportStore(connection)
            name = self._drawn(store)
            sealed = self.key.encrypt(_bound(name), content)
            own = (name, mac, secrets.token_urlsafe(16), moment, State.NEW, self.read_by(moment))
            return store.add(Report(*own, sealed.wrapped_key, sealed.ciphertext))

    def of_receipt(self, receipt: str) -> Report | None:
        """Return the report whose receipt this is; None when there is none, or that was too long ago."""
        with self.database.reading() as connection:
            found = ReportStore(connection).of_receipt(receipt)
        recent = found is not None and (self.now() - found.received_at).days < RECEIPT_DAYS
        return found if recent else None

    def answer_to(self, named: str) -> str:
        """Return the answer of the officer to the reporter; empty while there is none, or no such report.

        Raises:
            RefusedError: this is no reference: a sign is wrong or missing.
        """
        known = read_reference(REPORT, named)
        if known is None:
            raise RefusedError("REPORT_REFERENCE_WRONG", field="reference")
        with self.database.reading() as connection:
            store = ReportStore(connection)
            found = store.find(known)
            head = store.find(found.merged_into) if found and found.merged_into else found
        return self._answer(head) if head else ""

    def waiting(self) -> list[tuple[str, datetime]]:
        """Return the reference of each open report with the moment until which it waits."""
        with self.database.reading() as connection:
            return ReportStore(connection).open()

    def done(self) -> list[tuple[str, datetime]]:
        """Return the reference of each closed report with the moment at which it was closed."""
        with self.database.reading() as connection:
            return ReportStore(connection).closed()

    def look(self, named: str) -> Opened:
        """Return a report as a list shows it: to nobody's account.

        Raises:
            RefusedError: there is none.
        """
        with self.database.reading() as connection:
            return self._opened(ReportStore(connection), _known(named))

    def open(self, named: str) -> Opened:
        """Return a report for its officer; from now on its reporter waits for an answer.

        Raises:
            RefusedError: there is none.
        """
        with self.database.transaction() as connection:
            store = ReportStore(connection)
            report = store.one(_known(named))
            if report.state == State.NEW:
                store.change(report.reference, {"state": State.READ, "due_at": self.answer_by(report.received_at)})
            return self._opened(store, report.reference)

    def close(self, named: str, reason: str, text: str, who: Person) -> None:
        """Close a report, for a reason, with an answer to its reporter.

        Raises:
            RefusedError: the reason or the text is missing, the text could identify somebody, or it was closed before.
        """
        if reason not in set(CloseReason):
            raise RefusedError("REPORT_REASON_MISSING", field="reason")
        self._require_answer(text)
        with self.database.transaction() as connection:
            store = ReportStore(connection)
            report = _open_one(store, named)
            sealed = self.key.encrypt(_bound(report.reference, "answer"), text.encode())
            answer = {"answer_key": sealed.wrapped_key, "answer": sealed.ciphertext}
            closed = {"state": State.CLOSED, "reason": reason, "closed_at": self.now(), "closed_by": who.name}
            store.change(report.reference, {**answer, **closed})

    def merge(self, named: str, into: str) -> None:
        """Put a report with another one: both references stay, and one answer is for both reporters.

        Raises:
            RefusedError: one of them is not open, or both are the same.
        """
        with self.database.transaction() as connection:
            store = ReportStore(connection)
            report, head = _open_one(store, named), _open_one(store, into)
            if report.reference == head.reference:
                raise RefusedError("REPORT_MERGED_WITH_ITSELF", field="into")
            store.merge(report.reference, head.reference)
            store.change(head.reference, {"due_at": min(report.due_at, head.due_at)})

    def made_signal(self, named: str, signal_reference: str) -> str:
        """Keep under which reference an officer makes a signal of a report; the first one stays, and is returned.

        Raises:
            RefusedError: it is not open.
        """
        with self.database.transaction() as connection:
            store = ReportStore(connection)
            report = _open_one(store, named)
            if report.signal_reference is None:
                store.change(report.reference, {"signal_reference": signal_reference})
            return report.signal_reference or signal_reference

    def end_old(self) -> None:
        """Delete the reports that were closed long enough ago (R-RET-02)."""
        today = local_day(self.now())
        with self.database.transaction() as connection:
            store = ReportStore(connection)
            for name, closed_at in store.closed():
                if self.kept_until(closed_at) <= today:
                    store.erase(name)

    def read_by(self, received: datetime) -> datetime:
        """Return the moment by which an officer reads a report."""
        return self._after(received, READ_WD)

    def answer_by(self, received: datetime) -> datetime:
        """Return the moment by which a reporter has an answer."""
        return self._after(received, ANSWER_WD)

    def kept_until(self, closed: datetime) -> date:
        """Return the day on which a closed report is erased."""
        return end_of(RETENTION, [local_day(closed)])

    def _after(self, received: datetime, days: int) -> datetime:
        return at(self.calendar.add_working_days(local_day(received), days), self.calendar.policy.day_ends_at)

    def _drawn(self, store: ReportStore) -> str:
        drawn = reference(REPORT, secrets.randbits(BITS))
        return self._drawn(store) if store.is_taken(drawn) else drawn

    def _require_answer(self, text: str) -> None:
        if not text:
            raise RefusedError("REPORT_ANSWER_MISSING", field="answer")
        if len(text) > LONGEST["text"]:
            raise RefusedError("REPORT_TOO_LONG", field="answer", most=LONGEST["text"])
        if found := self._leaks(text):
            raise RefusedError("REPORT_ANSWER_NAMES", field="answer", found=[Coded("leak_type", each) for each in found])

    def _leaks(self, text: str) -> list[str]:
        try:
            return sorted({each.type for each in self.find_leaks(text, {})})
        except Exception:  # noqa: BLE001 - whatever it is: without an answer of the guard the text does not leave (promise 7)
            raise RefusedError("GUARD_SILENT", field="answer", rule="R-LEAK-01") from None

    def _opened(self, store: ReportStore, name: str) -> Opened:
        report = store.one(name)
        merged = [(each, self._told(each)) for each in store.merged_with(name)]
        return Opened(report, self._told(report), merged, self._answer(report))

    def _told(self, report: Report) -> Told:
        return Told.read(self.key.decrypt(_bound(report.reference), report.told))

    def _answer(self, report: Report) -> str:
        if report.answer is None or report.answer_key is None:
            return ""
        sealed = Encrypted(report.answer_key, report.answer)
        return self.key.decrypt(_bound(report.reference, "answer"), sealed).decode()


def _open_one(store: ReportStore, named: str) -> Report:
    report = store.one(_known(named))
    if not report.is_open:
        raise RefusedError("REPORT_NOT_OPEN")
    return report


def _known(named: str) -> str:
    known = read_reference(REPORT, named)
    if known is None:
        raise RefusedError("REPORT_UNKNOWN", field="reference")
    return known


def _bound(name: str, part: str = "told") -> str:
    return f"report/{name}/{part}"
