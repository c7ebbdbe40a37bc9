"""What the README shows is what the program prints, one command a row."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from signal_exchange.cli.context import show_rows
from signal_exchange.contracts.delivered import delivered_fields
from signal_exchange.domain.figures.ledger import Ledger
from signal_exchange.domain.rules.facts import facts_of
from signal_exchange.domain.rules.routing import routes_for
from signal_exchange.municipality.printing import show_trace
from signal_exchange.reference.loading import load_default_ruleset, load_example
from signal_exchange.worklist.listing import WorklistRow
from signal_exchange.worklist.printing import COLUMNS, row_of
from signal_exchange_demo.commands import _as_text, _guide
from signal_exchange_demo.running import Result

README = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")
DAY = date(2026, 12, 1)
SHOWN_LINES = 10
"""So many lines of output at least, and not many more."""
LEDGER = Ledger(
    sent=242,
    early=0,
    counts=Counter({"routed": 204, "superseded": 22, "parked": 8, "withdrawn": 7, "erased": 1}),
    signals=Counter({"routed": 204, "parked": 6, "withdrawn": 7, "erased": 1}),
    published=218,
    unattributed=4,
    overdue=0,
    gaps=(),
)
"""Of the run whose output the README shows."""


@pytest.fixture
def shown() -> dict[str, list[str]]:
    """Return the lines below each command of the block that shows what it looks like."""
    [block] = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], (part.splitlines() for part in parts[1::2]), strict=True))


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip()]


def a_trace() -> dict[str, Any]:
    """Give the trace of the first example: the rules of today decide where it goes."""
    signal = load_example("01_sexual", "published")["data"]
    routes = routes_for(signal, facts_of(signal), load_default_ruleset(), DAY)
    names = ("destination", "effect", "deliver_as", "rule_id", "reason")
    deliveries = [{name: getattr(route, name) for name in names} for route in routes]
    return {
        "signal_id": "6cf988d5-b105-4d47-a2ad-86b87c8c4727",
        "version": 1,
        "state": "PUBLISHED",
        "waiting": [],
        "received": [{"sequence": 1, "verdict": "routed"}],
        "steps": [],
        "outcomes": [{"kind": "ROUTED", "detail": {"deliveries": deliveries}}],
    }


def a_row() -> WorklistRow:
    due = datetime(2026, 12, 2, 16, tzinfo=UTC)
    return WorklistRow(
        signal_id="3b182a73-0000-4000-8000-000000000000",
        offer=1,
        version=1,
        municipality="GM0983",
        deliver_as="FULL_PSEUDONYMOUS",
        state="OFFERED",
        urgency="URGENT",
        decide_by=due,
        contact_by=None,
        row_version=1,
        open=True,
        due_by=due,
        overdue=False,
        retraction_asked_by_rule=None,
        signal=delivered_fields({"forms": {"primary": "SEXUAL", "secondary": []}}),
    )


def test_the_trace_is_what_the_program_prints(shown: dict[str, list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    show_trace(a_trace())
    lines = printed(capsys)
    assert shown["signal-exchange trace VEN-2026-0311"] == lines[: lines.index("Stappen")]


def test_the_worklist_is_what_the_program_prints(shown: dict[str, list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    show_rows([row_of(a_row())], COLUMNS, empty="")
    assert shown["signal-exchange worklist list"] == printed(capsys)


def test_the_verdict_of_the_demo_is_what_the_program_prints(shown: dict[str, list[str]]) -> None:
    verdict = _as_text(Result(LEDGER, refused=30, forged=16)).splitlines()[0]
    exchange: Any = SimpleNamespace(practice=SimpleNamespace(start="http://127.0.0.1:20484"), folder=Path("var/demo"))
    assert shown["make demo"] == [verdict, _guide(exchange).splitlines()[0]]


def test_ten_lines_of_output_are_shown(shown: dict[str, list[str]]) -> None:
    assert SHOWN_LINES <= sum(map(len, shown.values())) <= SHOWN_LINES + 5


def test_one_command_a_row() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| ") and "`signal-exchange" in line]
    assert len(rows) > 20
    assert [row for row in rows if row.count("`signal-exchange") > 1] == []
