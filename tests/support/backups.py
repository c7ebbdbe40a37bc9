"""Keys with which tests make back-ups and put them back."""

from __future__ import annotations

import json
from pathlib import Path

from signal_exchange.participants.region import OFFLINE, Region
from signal_exchange.privacy.backup_keys import new_backup_keys
from signal_exchange.recovery.backing_up import Making, Opening

BACKUP_KEY, RESTORE_KEY = new_backup_keys("tests-1")
EXCHANGE = "the exchange of the tests"
MAKING, OPENING = Making(BACKUP_KEY, EXCHANGE), Opening(RESTORE_KEY, EXCHANGE)
LOGS = ("record_backups", "record_bytes_owed")
"""What a back-up or a restore itself leaves in a store."""


def key_files(folder: Path) -> tuple[Path, Path]:
    """Write both halves of the tests' keys, as their owner keeps them."""
    files = folder / "backup-key.json", folder / "restore-key.json"
    for file, fields in zip(files, (BACKUP_KEY.to_mapping(), RESTORE_KEY.to_mapping()), strict=True):
        file.write_text(json.dumps(fields), encoding="utf-8")
        file.chmod(0o600)
    return files


def restore_key_of(region: Region, name: str) -> Path:
    """Return the file with the key that opens the back-ups of a process."""
    owner = name if name.startswith("municipality-") else "region"
    return region.folder / OFFLINE / f"{owner}-restore-key.json"
