"""The files with the keys of back-ups: made by `backup-keys`, read for `backup` and `restore`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.privacy.backup_keys import BackupKey, RestoreKey, new_backup_keys
from signal_exchange.privacy.keys import UnusableKeyError
from signal_exchange.runtime.private_files import require_private

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
Key = TypeVar("Key")


def make_backup_keys(name: str, backup_key: Path, restore_key: Path) -> None:
    """Write both halves of new keys, each to a new file that only its owner may read.

    Raises:
        RefusedError: a file is there already, or the name has other signs than it may have.
    """
    if NAME.fullmatch(name) is None:
        raise RefusedError("NAME_OF_BACKUP_KEYS", field="name")
    for file in (backup_key, restore_key):
        if file.exists():
            raise RefusedError("BACKUP_KEY_EXISTS", file=file.name)
    makes, opens = new_backup_keys(name)
    _write(backup_key, makes.to_mapping())
    _write(restore_key, opens.to_mapping())


def read_backup_key(file: Path | None) -> BackupKey:
    """Return the half that makes back-ups.

    Raises:
        RefusedError: there is none, others may read it, or it is no such key.
    """
    if file is None:
        raise RefusedError("NO_BACKUP_KEY")
    return _read(file, BackupKey.from_mapping)


def read_restore_key(file: Path) -> RestoreKey:
    """Return the half that opens back-ups.

    Raises:
        RefusedError: it is not there, others may read it, or it is no such key.
    """
    return _read(file, RestoreKey.from_mapping)


def _read(file: Path, made: Callable[[Mapping[str, Any]], Key]) -> Key:
    try:
        require_private(file)
        return made(json.loads(file.read_text(encoding="utf-8")))
    except OSError:
        raise RefusedError("FILE_UNREADABLE", file=file.name) from None
    except (UnusableKeyError, AttributeError, KeyError, TypeError, ValueError):
        raise RefusedError("NOT_THE_BACKUP_KEY", file=file.name) from None


def _write(file: Path, fields: Mapping[str, Any]) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump(fields, out)
