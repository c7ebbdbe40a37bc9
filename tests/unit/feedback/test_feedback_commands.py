"""What feedback shows of what it told: counts and states, and nothing that is sealed."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from builders import Consuming, a_register, a_trace_fact, an_environment, an_outcome
from signal_exchange.feedback.commands import app
from signal_exchange.feedback.handler import FeedbackHandler
from signal_exchange.feedback.store import TABLES
from signal_exchange.runtime.faults import Refused


def told(folder: Path, *words: str) -> str:
    result = CliRunner().invoke(app, list(words), env=an_environment(folder, "feedback"))
    assert result.exit_code == 0, result.output
    return result.output


def test_list_and_show_tell_states_and_counts(tmp_path: Path) -> None:
    assert "nog niets" in told(tmp_path, "list")
    url = f"sqlite+pysqlite:///{tmp_path / 'feedback.sqlite'}"
    consumer = Consuming("feedback", TABLES, FeedbackHandler(a_register()), url)
    consumer.take(a_trace_fact(), an_outcome(own_ref=b"ref"))
    [row] = json.loads(told(tmp_path, "list", "--json"))
    assert (row["numbers"], row["outcomes"]) == (1, 1)
    assert row["signal_id"] in told(tmp_path, "list")
    shown = json.loads(told(tmp_path, "show", row["signal_id"], "--json"))
    assert (shown["outcomes"][0]["kind"], shown["outcomes"][0]["source"]) == ("ROUTED", "routing")
    assert "ROUTED" in told(tmp_path, "show", row["signal_id"])
    unknown = CliRunner().invoke(app, ["show", "unknown"], env=an_environment(tmp_path, "feedback"))
    assert isinstance(unknown.exception, Refused)
