"""The rows of reports in one open transaction. What was told is encrypted, each report under a key of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, delete, or_, select, update

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.store import REPORTS
from signal_exchange.privacy.vault import Encrypted
from signal_exchange.runtime.database import add_once, row_of, values_of
from signal_exchange.stream.scrubbing import owe


class State(StrEnum):
    """State of a report."""

    NEW = "NEW"
    READ = "READ"
    MERGED = "MERGED"
    CLOSED = "CLOSED"


OPEN: Final = (State.NEW, State.READ)


@dataclass(frozen=True, slots=True)
class Report:
    """One report; what was told, and the answer to the reporter, stay encrypted. `closed_by` is a person's name."""

    reference: str
    sent_mac: bytes = field(repr=False)
    receipt: str = field(repr=False)
    received_at: datetime
    state: str
    due_at: datetime
    wrapped_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)
    signal_reference: str | None = None
    merged_into: str | None = None
    reason: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    answer_key: bytes | None = field(default=None, repr=False)
    answer: bytes | None = field(default=None, repr=False)

    @property
    def told(self) -> Encrypted:
        """Return the encrypted contents."""
        return Encrypted(self.wrapped_key, self.ciphertext)

    @property
    def is_open(self) -> bool:
        """Say whether it waits for its officer."""
        return self.state in OPEN


class ReportStore:
    """The reports of a municipality."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, report: Report) -> Report:
        """Keep a report, and return what is kept of what was sent: the first one, when it was sent twice."""
        add_once(self._connection, REPORTS, [row_of(report)], by="sent_mac")
        return self._one(REPORTS.c.sent_mac == report.sent_mac)

    def is_taken(self, reference: str) -> bool:
        """Say whether a report has this reference."""
        return self.find(reference) is not None

    def find(self, reference: str) -> Report | None:
        """Return a report, if there is one."""
        return next(iter(values_of(Report, self._connection, select(REPORTS).where(REPORTS.c.reference == reference))), None)

    def one(self, reference: str) -> Report:
        """Return a report, which stays as it is until this transaction ends.

        Raises:
            RefusedError: there is none.
        """
        return self._one(REPORTS.c.reference == reference)

    def of_receipt(self, receipt: str) -> Report | None:
        """Return the report of a receipt."""
        return next(iter(values_of(Report, self._connection, select(REPORTS).where(REPORTS.c.receipt == receipt))), None)

    def open(self) -> list[tuple[str, datetime]]:
        """Return the reference of each open report, and until when it waits."""
        chosen = select(REPORTS.c.reference, REPORTS.c.due_at).where(REPORTS.c.state.in_(OPEN))
        return [(row.reference, row.due_at) for row in self._connection.execute(chosen)]

    def closed(self) -> list[tuple[str, datetime]]:
        """Return the reference of each closed report, and when it was closed."""
        chosen = select(REPORTS.c.reference, REPORTS.c.closed_at).where(REPORTS.c.state == State.CLOSED)
        return [(row.reference, row.closed_at) for row in self._connection.execute(chosen)]

    def merged_with(self, reference: str) -> list[Report]:
        """Return the reports that were merged into one, the oldest first."""
        mine = select(REPORTS).where(REPORTS.c.merged_into == reference).order_by(REPORTS.c.received_at, REPORTS.c.reference)
        return values_of(Report, self._connection, mine)

    def change(self, reference: str, values: Mapping[str, Any]) -> None:
        """Keep what became of a report."""
        self._connection.execute(update(REPORTS).where(REPORTS.c.reference == reference).values(**values))

    def merge(self, reference: str, into: str) -> None:
        """Keep that a report, and what was merged into it, belongs to another."""
        mine = or_(REPORTS.c.reference == reference, REPORTS.c.merged_into == reference)
        self._connection.execute(update(REPORTS).where(mine).values(state=State.MERGED, merged_into=into))

    def erase(self, reference: str) -> None:
        """Delete a report with those that were merged into it, and their keys."""
        self._connection.execute(delete(REPORTS).where(or_(REPORTS.c.reference == reference, REPORTS.c.merged_into == reference)))
        owe(self._connection)

    def _one(self, mine: Any) -> Report:  # noqa: ANN401 - a condition
        found = values_of(Report, self._connection, select(REPORTS).where(mine).with_for_update())
        if not found:
            raise RefusedError("REPORT_UNKNOWN", field="reference")
        return found[0]
