"""Reject files end after 30 days: the node remembers where they are, and deletes those that are older (R-RET-02)."""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from signal_exchange.municipality.publishing.reject_file import PRIVATE, is_reject_file
from signal_exchange.runtime import logs

REJECTS_DAYS: Final = 30
_FOLDER: Final = "rejects"


@contextmanager
def noted(data_dir: Path, path: Path, now: Callable[[], datetime]) -> Iterator[None]:
    """Note where a reject file is made and since when, in the node's own folder; without one there is no note."""
    note, before = _note(data_dir, path), _identity(path)
    if not note.exists():
        _write(note, path, now())
    try:
        yield
    finally:
        if not path.exists():
            note.unlink(missing_ok=True)
        elif _identity(path) != before:
            _write(note, path, now())


def end_old_rejects(data_dir: Path, at: datetime) -> int:
    """Delete the reject files that were made more than 30 days ago, and return how many there were."""
    ended = sum(_end(note, at) for note in sorted((data_dir / _FOLDER).glob("*.json")))
    if ended:
        logs.log("rejects_ended", count=ended)
    return ended


def _end(note: Path, at: datetime) -> bool:
    try:
        told = json.loads(note.read_text(encoding="utf-8"))
        path, made_at = Path(told["path"]), datetime.fromisoformat(told["made_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return False  # another process ended it at the same moment
    if at - made_at < timedelta(days=REJECTS_DAYS) or not path.parent.is_dir():
        return False  # too young, or in a folder that this process does not see
    for left in path.parent.glob(f".{glob.escape(path.name)}.????????"):
        left.unlink(missing_ok=True)  # of a command that was killed while it wrote
    is_there = not path.is_symlink() and is_reject_file(path)
    if is_there:
        path.unlink(missing_ok=True)
    note.unlink(missing_ok=True)
    return is_there


def _write(note: Path, path: Path, at: datetime) -> None:
    note.parent.mkdir(mode=0o700, exist_ok=True)
    text = json.dumps({"path": str(path.absolute()), "made_at": at.isoformat()})
    with os.fdopen(os.open(note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "w", encoding="utf-8") as file:
        file.write(text)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _note(data_dir: Path, path: Path) -> Path:
    name = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:32]
    return data_dir / _FOLDER / f"{name}.json"
