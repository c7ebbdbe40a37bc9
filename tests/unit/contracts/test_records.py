"""The types of the records: generated from the schemas, and a field that no schema has is seen before anything runs."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

import signal_exchange
from signal_exchange.agenda.handler import AgendaHandler
from signal_exchange.contracts import records
from signal_exchange.contracts.codec import decode_as, encode
from signal_exchange.contracts.faults import UndecodableError
from signal_exchange.contracts.generating import modules
from signal_exchange.contracts.record_names import RecordName
from signal_exchange.contracts.schemas import current_schemas
from signal_exchange.feedback.handler import FeedbackHandler
from signal_exchange.linking.handler import LinkingHandler
from signal_exchange.municipality.inbox.handler import InboxHandler
from signal_exchange.oversight.handler import handle as handle_oversight
from signal_exchange.reference.folders import schemas_folder
from signal_exchange.routing.handler import RoutingHandler
from signal_exchange.statistics.handler import handle as handle_observations
from signal_exchange.stream import views
from signal_exchange.worklist.handler import WorklistHandler

PACKAGE = Path(signal_exchange.__file__).parent
REQUEST = {"request_id": "r", "parked_id": "p", "service": "routing", "action": "RETRY", "reason": ""}


@pytest.mark.parametrize("place", ["domain/signals/coded_types.py", "contracts/records.py", "stream/views.py"])
def test_the_generated_types_are_those_of_the_schemas(place: str) -> None:
    assert modules(schemas_folder())[place] == (PACKAGE / place).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(current_schemas()))
def test_a_record_has_the_fields_of_its_schema_and_a_name_of_its_own(name: str) -> None:
    fields = [each["name"] for each in current_schemas()[name].parsed["fields"]]
    assert sorted(get_type_hints(getattr(records, name))) == sorted(fields)
    assert name in {value for value in vars(records).values() if isinstance(value, RecordName)}


PROGRAM = """
from datetime import datetime
from signal_exchange.contracts.records import Checkpoint, OutcomeView, RetryRequest

def read(request: RetryRequest, of: Checkpoint) -> str:
    return request["{field}"] + of["envelope"]["{inner}"]

def build(at: datetime) -> RetryRequest:
    return RetryRequest(request_id="r", parked_id="p", service="routing", action="RETRY", {given}="", at=at)
"""
RIGHT = {"field": "parked_id", "inner": "publisher_run", "given": "reason"}


def mypy(program: str, cache: Path) -> subprocess.CompletedProcess[str]:
    options = ["--strict", "--no-error-summary", "--config-file=", f"--cache-dir={cache}"]
    return subprocess.run(
        [sys.executable, "-m", "mypy", *options, "-c", program], capture_output=True, text=True, check=False, cwd=PACKAGE.parent
    )


def test_a_misspelt_field_fails_in_mypy(tmp_path: Path) -> None:
    right = mypy(PROGRAM.format(**RIGHT), tmp_path)
    assert (right.returncode, right.stdout) == (0, "")
    for hole, misspelt in (("field", "parked"), ("inner", "publisher"), ("given", "reasons")):
        wrong = mypy(PROGRAM.format(**{**RIGHT, hole: misspelt}), tmp_path)
        assert wrong.returncode == 1
        assert f'"{misspelt}"' in wrong.stdout


def test_a_record_of_a_known_name_is_read_whole_and_no_other_in_its_place() -> None:
    at = datetime(2026, 11, 30, 12, tzinfo=UTC)
    value = encode("RetryRequest", {**REQUEST, "at": at})
    assert decode_as(value, records.RETRY_REQUEST) == {**REQUEST, "at": at}
    with pytest.raises(UndecodableError, match="unexpected_record"):
        decode_as(value, records.OUTCOME)


def built_in(file: Path) -> set[str]:
    """Return the records that a module makes, by calling their types."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    imports = (node for node in nodes if isinstance(node, ast.ImportFrom) and node.module == records.__name__)
    own = {name.name for node in imports for name in node.names}
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    by_name = {each.id for each in called if isinstance(each, ast.Name)} & own
    of_module = (each for each in called if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name))
    return (by_name | {each.attr for each in of_module if getattr(each.value, "id", "") == "records"}) & WRITTEN


WRITTEN = {name for name in current_schemas() if not hasattr(records, f"{name}Body")} | {
    f"{name}Body" for name in current_schemas() if hasattr(records, f"{name}Body")
}
NOT_CALLED = {"AgendaItem", "CheckpointBody"}
"""An item of the agenda is a referral with a flag more; a checkpoint has two fields, at the one place that signs it."""


def test_each_record_is_built_in_one_module() -> None:
    modules_of: dict[str, set[str]] = {name: set() for name in WRITTEN}
    for file in PACKAGE.rglob("*.py"):
        place = file.relative_to(PACKAGE).as_posix()
        for name in built_in(file):
            modules_of[name].add(place)
    assert {name: len(places) for name, places in modules_of.items()} == {
        name: 0 if name in NOT_CALLED else 1 for name in WRITTEN
    }, modules_of


READERS = {
    "agenda": AgendaHandler.__call__,
    "feedback": FeedbackHandler.__call__,
    "linking": LinkingHandler.__call__,
    "municipality": InboxHandler.__call__,
    "oversight": handle_oversight,
    "routing": RoutingHandler.__call__,
    "statistics": handle_observations,
    "worklist": WorklistHandler.__call__,
}


@pytest.mark.parametrize(("reader", "handle"), READERS.items())
def test_a_handler_takes_the_records_that_its_service_reads_and_sees_no_other_field(reader: str, handle: Any) -> None:
    [taken] = get_args(get_type_hints(handle)["messages"])
    assert taken == getattr(views, f"{reader.title()}Reads")
