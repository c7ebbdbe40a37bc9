"""The tally of one file: what became of its rows, so that every row is accounted for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from signal_exchange.municipality.publishing.reject_file import RejectFile
from signal_exchange.municipality.publishing.submissions import Outcome, Result
from signal_exchange.municipality.publishing.unreadable import UnreadableFileError
from signal_exchange.words import sentence


@dataclass(slots=True)
class Tally:
    """Counts of results. `fault` is why no row of the file could be read, `rejects` the file of refused rows once it is open."""

    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    tokens_pending: int = 0
    unlinked: int = 0
    to_confirm: int = 0
    last: Result | None = None
    rejects: RejectFile | None = None
    fault: UnreadableFileError | None = None
    is_interrupted: bool = False

    @property
    def rows(self) -> int:
        """Return the number of rows that became something."""
        return sum(self.counts.values())

    def take(self, result: Result) -> None:
        """Count one result."""
        self.counts[result.outcome] += 1
        self.last = result
        self.tokens_pending += any(warned.is_pending for warned in result.warnings)
        self.unlinked += any(not warned.is_pending for warned in result.warnings)
        self.to_confirm += result.asks

    def summary(self, waiting: int | None, rows: int | None = None) -> dict[str, Any]:
        """Return the counts as JSON-safe fields, with how many records wait to be sent; `rows` is how many the file has."""
        not_read = max(0, rows - self.rows) if rows is not None else self.fault.rows if self.fault is not None else 0
        return {
            "rows": self.rows + not_read,
            **{outcome.value.lower(): count for outcome, count in self.counts.items()},
            "not_read": not_read,
            "to_confirm": self.to_confirm,
            "tokens_pending": self.tokens_pending,
            "unlinked": self.unlinked,
            "waiting": waiting,
            "rejects": str(self.rejects.path) if self.rejects is not None and self.rejects.count else None,
            "unreadable": sentence(self.fault) if self.fault is not None else None,
            "interrupted_after": self.last.line.number if self.is_interrupted and self.last is not None else None,
        }
