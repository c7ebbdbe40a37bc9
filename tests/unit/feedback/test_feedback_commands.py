"""What feedback shows of what it told: counts and states, and nothing that is sealed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from builders import Consuming, a_register, a_trace_fact, an_environment, an_outcome
from people import acting_in
from typer.testing import CliRunner

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.feedback.actions import FeedbackActions
from signal_exchange.feedback.commands import app
from signal_exchange.feedback.handler import FeedbackHandler
from signal_exchange.feedback.store import TABLES


def told(folder: Path, *words: str) -> str:
    result = CliRunner().invoke(app, list(words), env=an_environment(folder, "feedback"))
    assert result.exit_code == 0, result.output
    return result.output


def test_list_and_show_tell_states_and_counts(tmp_path: Path) -> None:
    assert "nog niets" in told(tmp_path, "list")
    url = f"sqlite+pysqlite:///{tmp_path / 'feedback.sqlite'}"
    consumer = Consuming("feedback", TABLES, FeedbackHandler(a_register), url)
    consumer.take(a_trace_fact(), an_outcome(own_ref=b"ref"))
    [row] = json.loads(told(tmp_path, "list", "--json"))
    assert (row["numbers"], row["outcomes"]) == (1, 1)
    assert row["signal_id"] in told(tmp_path, "list")
    shown = json.loads(told(tmp_path, "show", row["signal_id"], "--json"))
    assert (shown["outcomes"][0]["kind"], shown["outcomes"][0]["source"]) == ("ROUTED", "routing")
    assert "ROUTED" in told(tmp_path, "show", row["signal_id"])
    unknown = CliRunner().invoke(app, ["show", "unknown"], env=an_environment(tmp_path, "feedback"))
    assert isinstance(unknown.exception, RefusedError)


def test_one_object_sees_what_comes_in_later(tmp_path: Path) -> None:
    consumer = Consuming("feedback", TABLES, FeedbackHandler(a_register), f"sqlite+pysqlite:///{tmp_path / 'feedback.sqlite'}")
    actions = FeedbackActions(acting_in(consumer))
    assert actions.views() == []
    consumer.take(a_trace_fact(), an_outcome(own_ref=b"ref"))
    [view] = actions.views()
    assert actions.show(view.owner[1]) == view
    with pytest.raises(RefusedError, match="SIGNAL_NOT_REPORTED"):
        actions.show("unknown")
