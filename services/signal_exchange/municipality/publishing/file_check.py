"""A file that is looked at before anything of it is published: what may go, what may not, and why, row by row."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from signal_exchange.domain.times import local_day
from signal_exchange.municipality.publishing.checking import Checked, check
from signal_exchange.municipality.publishing.field_faults import FieldFault
from signal_exchange.municipality.publishing.field_warnings import FieldWarning, of_unlinked
from signal_exchange.municipality.publishing.importing import Line, source_of
from signal_exchange.municipality.publishing.publisher import Publisher
from signal_exchange.municipality.publishing.reject_file import RejectFile
from signal_exchange.municipality.publishing.submissions import Result, refused
from signal_exchange.municipality.publishing.wording import faults_text
from signal_exchange.privacy.normalising import unlinked


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """One row of a file. Without `faults` it may go; those that only ask may go once a person confirms (R-VAL-25)."""

    line: Line
    faults: tuple[FieldFault, ...] = ()
    warnings: tuple[FieldWarning, ...] = ()

    @property
    def may_go(self) -> bool:
        """Say whether nothing is wrong with it."""
        return not self.faults


def check_file(content: bytes, publisher: Publisher) -> list[CheckedRow]:
    """Return every row of a file, judged as if it were published now; nothing is kept, and no keeper is asked.

    Raises:
        UnreadableFileError: no row of it can be read.
    """
    return [_checked(line, publisher) for line in source_of(io.BytesIO(content)).lines]


def _checked(line: Line, publisher: Publisher) -> CheckedRow:
    found = check(line, publisher.rulebook, local_day(publisher.now()))
    if not isinstance(found, Checked):
        return CheckedRow(line, tuple(_named(line, found)))
    silent = of_unlinked(unlinked(found.record, barred=publisher.preparer.barred))
    warnings = tuple(replace(each, field=line.named(each.field)) for each in silent)
    return CheckedRow(line, tuple(_named(line, found.contradictions)), warnings)


def _named(line: Line, faults: Sequence[FieldFault]) -> Iterator[FieldFault]:
    return (replace(each, field=line.named(each.field)) for each in faults)


def refused_rows(content: bytes, publisher: Publisher, folder: Path) -> tuple[str, bytes]:
    """Return a file with the refused rows of a file and why, by its ending; nothing of it stays in `folder`.

    Raises:
        UnreadableFileError: no row of it can be read.
    """
    rows, source = check_file(content, publisher), source_of(io.BytesIO(content))
    with tempfile.TemporaryDirectory(dir=folder) as private:
        path = Path(private) / "rejects"
        with RejectFile(path, source) as rejects:
            for result in (_refused(row) for row in rows if not row.may_go):
                rejects.add(result, faults_text(result))
        return "jsonl" if source.header is None else "csv", path.read_bytes() if path.exists() else b""


def _refused(row: CheckedRow) -> Result:
    return replace(refused(row.line, ()), faults=row.faults)
