"""What a run of the faults leaves behind: a line per test in the file FAULTS_REPORT, from which a run can be taken up again.

With FAULTS_RESUME set, a test of which that file says that it passed is left out. Lines are added, and the last one counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite("whole_exchange", "stories", "matrix", "loading")
REPORT = Path(os.environ["FAULTS_REPORT"]) if os.environ.get("FAULTS_REPORT") else None
RESUMED = bool(os.environ.get("FAULTS_RESUME"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what passed before."""
    if RESUMED:
        passed = {line["test"] for line in _last_lines() if line["outcome"] == "passed"}
        items[:] = [item for item in items if item.nodeid not in passed]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Add a line when a test of a fault ended."""
    report = yield
    if REPORT is not None and (report.when == "call" or report.outcome != "passed"):
        facts = {"test": item.nodeid, "outcome": report.outcome, "seconds": round(report.duration, 1)}
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        with REPORT.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**facts, **dict(item.user_properties)}) + "\n")
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what passed, and how to run again what failed."""
    if REPORT is None:
        return
    lines = _last_lines()
    failed = [line for line in lines if line["outcome"] == "failed"]
    terminalreporter.section("faults")
    minutes = sum(line["seconds"] for line in lines) / 60
    terminalreporter.line(f"{len(lines) - len(failed)} passed, {len(failed)} failed, in {minutes:.1f} minutes; {REPORT}")
    for line in failed:
        again = f"SEED={line['seed']}" if "seed" in line else f"TESTS='{line['test']}'"
        terminalreporter.line(f"failed: make faults {again}  {line.get('faults', '')}")


def _last_lines() -> list[dict[str, Any]]:
    if REPORT is None or not REPORT.exists():
        return []
    lines = [json.loads(line) for line in REPORT.read_text(encoding="utf-8").splitlines()]
    return list({line["test"]: line for line in lines}.values())
