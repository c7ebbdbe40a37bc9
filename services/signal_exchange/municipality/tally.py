"""Counts what became of the rows of one file, so that every row is accounted for."""

from __future__ import annotations

from typing import Any, Final

import typer

from signal_exchange.municipality import printing
from signal_exchange.municipality.cases import Outcome, Result
from signal_exchange.municipality.rejects import RejectFile
from signal_exchange.municipality.unreadable import UnreadableFile
from signal_exchange.stream.commands import show_json

ALL_WELL: Final = 0
SOME_REFUSED: Final = 2
INTERRUPTED: Final = 130


class Tally:
    """Counts results and shows each as it comes, or all of them at the end as JSON."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._counts = dict.fromkeys(Outcome, 0)
        self._pending = self._unlinked = self._to_confirm = self.not_read = 0
        self._fields: list[dict[str, Any]] = []
        self._last: Result | None = None
        self._fault: UnreadableFile | None = None
        self.rejects: RejectFile | None = None
        self.is_interrupted = False

    @property
    def rows(self) -> int:
        """Return how many rows became something."""
        return sum(self._counts.values())

    @property
    def exit_code(self) -> int:
        """Return 0 when all went well, 2 when rows were refused or not read, 130 after an interrupt."""
        if self.is_interrupted:
            return INTERRUPTED
        return SOME_REFUSED if self._counts[Outcome.REFUSED] or self._fault is not None else ALL_WELL

    def take(self, result: Result) -> None:
        """Count one result, and write it to the rejects when it was refused."""
        self._counts[result.outcome] += 1
        self._last = result
        self._pending += any(warned.is_pending for warned in result.warnings)
        self._unlinked += any(not warned.is_pending for warned in result.warnings)
        self._to_confirm += result.asks
        if result.outcome is Outcome.REFUSED and self.rejects is not None:
            self.rejects.add(result, printing.refusals_text(result))
        if self._as_json:
            self._fields.append(result.to_mapping())
        else:
            typer.echo(printing.result_line(result))

    def unreadable(self, fault: UnreadableFile) -> None:
        """Take it that no row of the file could be read."""
        self._fault, self.not_read = fault, fault.rows

    def show(self, waiting: int | None, rows: int | None = None) -> None:
        """Show the counts, and what still waits if that is known. `rows` is how many the file has, when some were not read."""
        self.not_read = self.not_read if rows is None else max(0, rows - self.rows)
        summary = {
            "rows": self.rows + self.not_read,
            **{outcome.value.lower(): count for outcome, count in self._counts.items()},
            "not_read": self.not_read,
            "to_confirm": self._to_confirm,
            "tokens_pending": self._pending,
            "unlinked": self._unlinked,
            "waiting": waiting,
            "rejects": str(self.rejects.path) if self.rejects is not None and self.rejects.count else None,
            "unreadable": str(self._fault) if self._fault is not None else None,
            "interrupted_after": self._last.line.number if self.is_interrupted and self._last is not None else None,
        }
        if self._as_json:
            show_json({**summary, "results": self._fields})
        else:
            printing.show_summary(summary)
