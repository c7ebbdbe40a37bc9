"""Tables as CSV with the same line ends everywhere."""

import csv
import io
from collections.abc import Iterable, Sequence


def rows_text(rows: Iterable[Sequence[object]]) -> str:
    """Write rows as CSV lines."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a whole table."""
    return rows_text([header, *rows])
