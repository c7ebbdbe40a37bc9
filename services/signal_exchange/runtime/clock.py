"""The one clock. Everything else takes the time as an argument.

In a demo it may be driven: a file, which all its processes read, holds by how many seconds it is ahead of the machine
(docs/decisions/0031).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

_file: Path | None = None


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC) + _ahead()  # noqa: TID251 - this is the one clock


def follow(file: Path | None) -> None:
    """Let this process follow a driven clock from here on, or the machine's with None."""
    global _file  # noqa: PLW0603 - a process has one clock
    _file = file


def is_driven() -> bool:
    """Say whether this process follows a driven clock."""
    return _file is not None


def stamp() -> int | None:
    """Return the milliseconds with which a producer stamps a record under a driven clock; None: the broker's time counts."""
    return round(now().timestamp() * 1000) if is_driven() else None


def drive(file: Path, until: datetime) -> None:
    """Set a driven clock forward, for every process that follows this file; never back.

    Raises:
        ValueError: it is later already.
    """
    ahead = until - datetime.now(UTC)  # noqa: TID251 - this is the one clock
    if ahead < _read(file):
        raise ValueError("A driven clock goes forward only.")
    beside = file.with_suffix(".next")
    beside.write_text(str(ahead.total_seconds()), encoding="ascii")
    beside.replace(file)


def _ahead() -> timedelta:
    return timedelta() if _file is None else _read(_file)


def _read(file: Path) -> timedelta:
    try:
        return timedelta(seconds=float(file.read_text(encoding="ascii")))
    except FileNotFoundError:
        return timedelta()
