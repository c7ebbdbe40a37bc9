from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from municipal_files import Run, environment
from nodes import ObedientBroker, ObedientKeepers, Town, a_town, own_logging
from typer.testing import CliRunner, Result

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality import node
from signal_exchange.municipality.commands import app
from signal_exchange.municipality.sending import beside


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    with own_logging():
        yield


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> ObedientBroker:
    """Let commands find a broker and keepers that obey."""
    obedient = ObedientBroker()
    monkeypatch.setattr(node, "KafkaSender", lambda *_: obedient)
    monkeypatch.setattr(node, "keeper_tokens", lambda *_, **__: nullcontext(ObedientKeepers()))
    monkeypatch.setattr(beside, "WAIT_SECONDS", 0.5)
    return obedient


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """Give a node of Venlo."""
    return a_town(tmp_path)


@pytest.fixture
def run(town: Town, broker: ObedientBroker) -> Run:  # noqa: ARG001 - without it the commands would look for a real one
    """Run a command of this node."""

    def run_it(*words: str | Path, given: str | None = None) -> Result:
        result = CliRunner().invoke(app, list(map(str, words)), env=environment(town), input=given)
        if isinstance(result.exception, RefusedError):
            raise result.exception
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run_it
