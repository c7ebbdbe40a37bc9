"""The generated documents for the operator are what the commands print, and the lists behind them are what the code does."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import signal_exchange
from signal_exchange.cli import main as cli
from signal_exchange.cli.schema_commands import ANY_MUNICIPALITY
from signal_exchange.contracts.topics import catalogue
from signal_exchange.runtime.logs import EVENTS, FIELDS
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.runtime.settings import settings_catalogue

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = ("settings", "log-events", "metrics", "topics", "access")
ADDED_BY_STRUCTLOG = {"event", "level", "timestamp", "service"}


def printed(command: str, *options: str) -> str:
    result = CliRunner().invoke(cli.app, [command, *options], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_document_is_what_its_command_prints(name: str) -> None:
    file = ROOT / "docs" / "operator" / f"{name}.md"
    assert file.read_text(encoding="utf-8") == printed(name, "--markdown"), "run `make docs`"


def test_make_docs_writes_these_documents_and_no_other() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"OPERATOR_DOCS := {' '.join(DOCUMENTS)}\n" in makefile


def rows_of(document: str) -> Iterator[list[str]]:
    for line in document.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_row_of_a_document_has_as_many_cells_as_its_heading(name: str) -> None:
    for part in printed(name, "--markdown").split("\n\n"):
        assert len({len(row) for row in rows_of(part)}) <= 1


def first_cells(name: str) -> set[str]:
    return {row[0].strip("`") for row in rows_of(printed(name, "--markdown"))}


def test_each_document_names_everything_that_the_code_has() -> None:
    assert first_cells("settings") == {"variable"} | {setting.variable for setting in settings_catalogue()}
    assert first_cells("log-events") == {"event", "field"} | set(EVENTS) | set(FIELDS)
    assert first_cells("metrics") == {"metric"} | {each.name for each in Metrics().described}
    assert first_cells("topics") == {"topic"} | {topic.name for topic in catalogue([ANY_MUNICIPALITY]).topics}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_machine_can_read_the_same(name: str) -> None:
    assert json.loads(printed(name, "--json"))


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("settings", "SIGNAL_EXCHANGE_KAFKA_USER"),
        ("log-events", "record_parked"),
        ("metrics", "signal_exchange_outbox_waiting"),
        ("topics", "chair-alerts"),
    ],
)
def test_a_person_can_read_the_same(name: str, known: str) -> None:
    assert known in printed(name)


def sources() -> Iterator[ast.Module]:
    for file in sorted(Path(signal_exchange.__file__).parent.rglob("*.py")):
        yield ast.parse(file.read_text(encoding="utf-8"))


def calls() -> Iterator[ast.Call]:
    return (node for source in sources() for node in ast.walk(source) if isinstance(node, ast.Call))


def name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def is_of_the_log(function: ast.expr) -> bool:
    """Say whether this is logs.log, logs.warn, or one of them imported by itself."""
    owner = function.value if isinstance(function, ast.Attribute) else None
    return name_of(function) in {"log", "warn"} and (owner is None or (isinstance(owner, ast.Name) and owner.id == "logs"))


def logged() -> list[tuple[Any, set[str]]]:
    """Return the event and the names of the fields of every place where the code logs."""
    found = [call for call in calls() if is_of_the_log(call.func)]
    own = [(ast.literal_eval(call.args[0]), {str(word.arg) for word in call.keywords}) for call in found]
    library = {"logger", "template", "exception", "names"}  # of runtime.logs, which passes on what libraries say
    return [*own, ("library_message", library)]


def test_the_code_logs_exactly_the_listed_events() -> None:
    assert len(logged()) > 15
    assert {event for event, _ in logged()} == set(EVENTS)


def test_the_code_logs_exactly_the_listed_fields() -> None:
    assert {name for _, names in logged() for name in names} | ADDED_BY_STRUCTLOG == set(FIELDS)


def test_every_metric_is_set_somewhere() -> None:
    names = {name for name in vars(Metrics()) if not name.startswith("_") and name != "registry"}
    assert len(names) == len(Metrics().described)
    changed = {"inc", "set", "observe", "labels"}
    touched = {name_of(call.func.value) for call in calls() if isinstance(call.func, ast.Attribute) and call.func.attr in changed}
    assert names <= touched
