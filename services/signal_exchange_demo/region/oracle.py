"""Asks the independent second implementation of the rules, a program of its own, what must become of signals."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from signal_exchange_demo.refusing import DemoError
from signal_exchange_demo.region.tables import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signal_exchange_demo.region.plan import Plan

Json = dict[str, Any]
_ACCEDED, _STATUS, _DATE = "ACCEDED", "accession_status", "accession_date"


class Oracle:
    """The running program. It reads the reference data with the members of a plan: who is pending joins halfway a year."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def __enter__(self) -> Self:
        """Start it."""
        self._folder = tempfile.TemporaryDirectory(prefix="signal-exchange-region-")
        data = Path(self._folder.name)
        with as_file(files("signal_exchange.reference") / "data") as given:
            for name in ("routing_rules.json", "equated_days.csv"):
                (data / name).symlink_to(given / name)
        (data / "municipalities.csv").write_text(members_table(self._plan), encoding="utf-8")
        command = [sys.executable, "-m", "signal_exchange_demo.oracle.oracle", str(data), "--lines"]
        self._program = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._program.kill()
        self._program.communicate()
        self._folder.cleanup()

    def ask(self, entries: Sequence[Json]) -> list[Json]:
        """Return the fate of each entry; signals of another call are not known.

        Raises:
            DemoError: the program ended.
        """
        asked, told = self._program.stdin, self._program.stdout
        if asked is None or told is None:
            raise DemoError("The oracle was not started.")
        try:
            asked.write(json.dumps(entries, ensure_ascii=False) + "\n")
            asked.flush()
        except BrokenPipeError:
            raise DemoError("The oracle ended before it had answered.") from None
        answer = told.readline()
        if not answer:
            raise DemoError("The oracle ended before it had answered.")
        found: list[Json] = json.loads(answer)["entries"]
        return found


def members_table(plan: Plan) -> str:
    """Write municipalities.csv with the accessions of a plan."""
    lines = (files("signal_exchange.reference") / "data" / "municipalities.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(lines))
    joins = {code: plan.accession_of(code) for code in plan.codes}
    for row in rows:
        day = joins.get(row["gm_code"])
        if day is not None:
            row.update({_STATUS: _ACCEDED, _DATE: day.isoformat()})
    return table(list(rows[0]), (list(row.values()) for row in rows))
