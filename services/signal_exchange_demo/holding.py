"""One demo in one folder: the kernel remembers who has it, and forgets it when that process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from signal_exchange_demo.refusing import DemoError


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder, which is made when it is not there, for a `with` block.

    Raises:
        DemoError: another demo holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(number, folder)
        yield
    finally:
        os.close(number)


def _lock(number: int, folder: Path) -> None:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DemoError(f"A demo runs in {folder} already: end that one first, or choose another folder with --dir.") from None


def empty(folder: Path) -> None:
    """Delete what a folder holds, and not the folder itself: whoever holds it would hold another one."""
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each, ignore_errors=True)
        else:
            each.unlink()
