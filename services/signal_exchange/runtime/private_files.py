"""Folders and files of a process that only its owner may look into: a store is a secret, whatever it holds."""

from __future__ import annotations

import os
import stat
import uuid
from contextlib import suppress
from pathlib import Path

from signal_exchange.domain.refusals import RefusedError

OTHERS = stat.S_IRWXG | stat.S_IRWXO
PRIVATE_FOLDER, PRIVATE_FILE, PUBLIC_FOLDER, PUBLIC_FILE = 0o700, 0o600, 0o755, 0o644


def is_private(path: Path) -> bool:
    """Say whether only its owner may read, write or look into what is there."""
    return path.exists() and not path.stat().st_mode & OTHERS


def require_private(file: Path) -> None:
    """Refuse a secret that others may read.

    Raises:
        RefusedError: the file's mode is wider than 600.
        OSError: there is none.
    """
    if file.stat().st_mode & OTHERS:
        raise RefusedError("FILE_OPEN_TO_OTHERS", file=file.name)


def private_folder(folder: Path) -> Path:
    """Return a folder that only its owner may look into, making it when it is missing.

    Raises:
        RefusedError: others may look into it.
    """
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    require_private_store(folder)
    return folder


def require_private_store(folder: Path, store: str = "") -> None:
    """Refuse a folder that others may look into, or files in it that others may read whose names begin with `store`.

    Raises:
        RefusedError: the first of them, with what to do.
    """
    if folder.exists() and not is_private(folder):
        raise RefusedError("FOLDER_OPEN_TO_OTHERS", path=str(folder))
    for file in sorted(folder.glob(f"{store}*")) if store else ():
        if not is_private(file):
            raise RefusedError("STORE_OPEN_TO_OTHERS", path=str(file))


def make_private_file(file: Path) -> None:
    """Make an empty file that only its owner may read, where there is none; one that is there is not touched.

    It is made beside its place and linked to it: whoever closes a file gives up every lock that this process has on it, also
    those of other threads, and a store without its locks is destroyed.
    """
    if file.exists():
        return
    fresh = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
    with suppress(OSError):  # somebody was first, or the folder takes nothing: who opens the store says so
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE_FILE))
        file.hardlink_to(fresh)
    fresh.unlink(missing_ok=True)


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    partial = file.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    partial.replace(file)


def write_public(file: Path, content: bytes) -> None:
    """Write a file that everybody may read, whatever else this process keeps to itself."""
    file.write_bytes(content)
    file.chmod(PUBLIC_FILE)
