"""Measure the exchange beside its peers: `make bench OUT=file.json`. benchmarks/README.md tells how to read the figures."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comparing import compared
from ground import a_ground
from linking_lookup import measure
from starving import beside_a_hostile_member
from texts import texts
from whole import whole
from workers import workers

PARTS = ("transport", "routing", "workers", "exchange", "hostile", "linking_lookup", "leak_guard")


def measured(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of the parts that were asked for."""
    wanted: list[str] = given.parts
    found = compared_parts(folder / "compared", given)
    if "exchange" in wanted:
        found |= whole(folder / "exchange", given.signals, given.latency_signals)
    if "hostile" in wanted:
        found["hostile"] = beside_a_hostile_member(folder / "hostile", given.seconds)
    if "linking_lookup" in wanted:
        found["linking_lookup"] = measure(given.lookups, given.rounds * 50)
    if "leak_guard" in wanted:
        found["leak_guard"] = texts(given.signals)
    return found


def compared_parts(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Return what is measured on a Kafka alone, where every client meets the same."""
    if not {"transport", "routing", "workers"} & set(given.parts):
        return {}
    with a_ground(folder) as ground:
        found: dict[str, Any] = {}
        if "transport" in given.parts:
            found["transport"] = compared(ground, "transport", given.records, given.rounds)
        if "routing" in given.parts:
            found["routing"] = compared(ground, "routing", given.signals, given.rounds)
        if "workers" in given.parts:
            found["workers"] = workers(ground, given.signals, given.rounds)
        return found


def asked(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds in which every client does the same")
    parser.add_argument("--signals", type=int, default=3_000, help="signals for routing and for the whole exchange")
    parser.add_argument("--records", type=int, default=60_000, help="records for the transport")
    parser.add_argument("--latency-signals", type=int, default=400, help="signals at a steady rate")
    parser.add_argument("--lookups", type=_numbers, default=[10_000, 100_000, 1_000_000], help="sizes of the store of linking")
    parser.add_argument("--seconds", type=float, default=300.0, help="how long a hostile member sends")
    parser.add_argument("--parts", type=_names, default=list(PARTS), help="which parts, with commas: " + ", ".join(PARTS))
    parser.add_argument("--out", type=Path, help="file for the figures, as JSON")
    return parser.parse_args(arguments)


def _numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no part of the bench: {', '.join(sorted(unknown))}")
    return names


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print or write to a file."""
    given = asked(arguments)
    os.umask(0o077)  # as a process of ours has it: data folders that others may look into are refused
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        text = json.dumps(measured(Path(folder), given), indent=1)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
