"""Freezes the schemas of a release: a copy of each, complete in itself, and the sums by which a change of one shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from signal_exchange.contracts.schemas import self_contained

SUMS = "SHA256SUMS"
"""Stands in the folder of each release; `sha256sum --check` reads it as well."""
NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")


def release(folder: Path, name: str) -> list[str]:
    """Copy today's schemas to released/<name>, and return the names of the records.

    Raises:
        ValueError: this is no name of a release, or there is one of this name: a release never changes.
    """
    if NAME.fullmatch(name) is None:
        raise ValueError("A release is named with small letters, digits, dots and hyphens, as 1.0.0.")
    frozen = folder / "released" / name
    if frozen.exists():
        raise ValueError(f"There is a release {name} already, and a release never changes.")
    frozen.mkdir(parents=True)
    for file in sorted(folder.glob("*.avsc")):
        whole = self_contained(json.loads(file.read_text(encoding="utf-8")), folder)
        (frozen / file.name).write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    write_sums(frozen)
    return [file.stem for file in _files(frozen)]


def write_sums(frozen: Path) -> None:
    """Write down the sum of each file of a release."""
    (frozen / SUMS).write_text("".join(f"{_sum(file)}  {file.name}\n" for file in _files(frozen)), encoding="utf-8")


def changed_releases(folder: Path) -> Iterator[str]:
    """Yield the differences from a release: a file that changed, went or came."""
    for frozen in sorted(each for each in folder.glob("released/*") if each.is_dir()):
        now = {file.name: _sum(file) for file in _files(frozen)}
        then = _sums(frozen)
        for name in sorted(now.keys() | then.keys()):
            if now.get(name) != then.get(name):
                yield f"released/{frozen.name}/{name}: changed since its release, which is for good"


def _sums(frozen: Path) -> dict[str, str]:
    file = frozen / SUMS
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _files(frozen: Path) -> list[Path]:
    return sorted(frozen.glob("*.avsc"))


def _sum(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()
