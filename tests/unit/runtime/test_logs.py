"""Log lines: listed events with listed fields, and of libraries nothing but the template."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.runtime import logs
from signal_exchange.runtime.logs import EVENTS, FIELDS, UnlistedLogEventError, only_listed

MARK = "TV-a-value-that-must-never-show"


class Printed:
    """What a process would have written to standard error."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Printed:
    """Configure the log as a process does; every unit test puts it back afterwards."""
    made = Printed()
    logging.getLogger().handlers = []  # else configuring closes those of pytest
    monkeypatch.setattr(sys, "stderr", made.stream)
    logs.configure("routing")
    return made


def test_a_listed_event_is_one_json_line_with_service_level_and_utc_time(printed: Printed) -> None:
    logs.log("batch_handled", count=3, seconds=0.25)
    (line,) = printed.lines
    assert {name: line[name] for name in ("event", "service", "level", "count", "seconds")} == {
        "event": "batch_handled",
        "service": "routing",
        "level": "info",
        "count": 3,
        "seconds": 0.25,
    }
    assert line["timestamp"].endswith("Z")


def test_what_a_person_should_look_at_is_a_warning(printed: Printed) -> None:
    logs.warn("parked_flood", count=200)
    assert printed.lines[0]["level"] == "warning"


def test_an_unlisted_event_is_refused_and_nothing_is_written(printed: Printed) -> None:
    with pytest.raises(UnlistedLogEventError, match=r"^Not in the list of log events: signal_seen\.$"):
        logs.log("signal_seen")
    assert printed.text == ""


@pytest.mark.parametrize("field", ["summary", "exc_info", "stack_info", "name"])
def test_an_unlisted_field_is_refused_by_its_name_and_its_value_does_not_show(printed: Printed, field: str) -> None:
    with pytest.raises(UnlistedLogEventError) as refusal:
        logs.log("batch_handled", **{field: MARK})
    assert field in str(refusal.value)
    assert MARK not in str(refusal.value) + printed.text


@given(st.sampled_from(sorted(EVENTS)), st.sets(st.sampled_from(sorted(FIELDS))))
def test_every_listed_event_passes_with_any_listed_fields(event: str, fields: set[str]) -> None:
    entry = {**dict.fromkeys(fields, "code"), "event": event}
    assert only_listed(None, "info", dict(entry)) == entry


@given(st.text().filter(lambda name: name not in EVENTS))
def test_an_event_that_is_not_listed_never_passes(event: str) -> None:
    with pytest.raises(UnlistedLogEventError):
        only_listed(None, "info", {"event": event})


@given(st.text().filter(lambda name: name not in FIELDS), st.sampled_from(sorted(EVENTS)))
def test_a_field_that_is_not_listed_never_passes(field: str, event: str) -> None:
    with pytest.raises(UnlistedLogEventError):
        only_listed(None, "info", {"event": event, field: 1})


def test_every_event_and_field_has_a_meaning_in_a_whole_sentence() -> None:
    assert all(meaning.endswith(".") for meaning in (*EVENTS.values(), *FIELDS.values()))


def test_a_librarys_message_passes_as_its_template_without_arguments(printed: Printed) -> None:
    logging.getLogger("aiokafka").warning("Cannot read %s from %r", MARK, {"key": MARK})
    (line,) = printed.lines
    assert (line["event"], line["logger"], line["level"]) == ("library_message", "aiokafka", "warning")
    assert line["template"] == "Cannot read %s from %r"
    assert MARK not in printed.text


def is_name(text: str) -> bool:
    return text in {"signals", "feedback.gm0983", "routing"}


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("signals",), ["signals"]),
        (("routing", MARK, "routing"), ["routing"]),
        (({"signals": {"feedback.gm0983", MARK}},), ["signals", "feedback.gm0983"]),
        ((TopicPartition("signals", 3), 4), ["signals"]),
        ((frozenset({TopicPartition("signals", 3)}), [MARK]), ["signals"]),
        ((f"signals {MARK}", RuntimeError(MARK)), None),
    ],
)
def test_of_a_librarys_values_only_names_of_topics_and_groups_pass(
    printed: Printed, monkeypatch: pytest.MonkeyPatch, arguments: tuple[object, ...], names: list[str] | None
) -> None:
    monkeypatch.setattr(sys, "stderr", printed.stream)
    logs.configure("routing", is_name=is_name)
    template = "It is about" + " %s" * len(arguments)
    logging.getLogger("aiokafka").warning(template, *arguments)
    (line,) = printed.lines
    assert line.get("names") == names
    assert MARK not in printed.text


def test_what_fails_in_a_thread_or_ends_the_process_is_one_line_without_its_values(
    printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    logs.tell_uncaught()
    thread = threading.Thread(target=lambda: int(MARK))
    thread.start()
    thread.join()
    sys.excepthook(ValueError, ValueError(MARK), None)
    in_thread, at_end = printed.lines
    assert (in_thread["event"], in_thread["exception"]) == ("unexpected_fault", "ValueError")
    assert in_thread["template"] == f"{__name__}:<lambda>"
    assert (at_end["event"], at_end["exception"], at_end["template"]) == ("unexpected_fault", "ValueError", "")
    assert MARK not in printed.text


def test_a_message_that_the_library_formatted_itself_passes_as_its_place_in_the_code(printed: Printed) -> None:
    logging.getLogger("aiokafka").error(f"Cannot read {MARK}")  # noqa: G004 - as libraries do
    (line,) = printed.lines
    formatted_here = "test_a_message_that_the_library_formatted_itself_passes_as_its_place_in_the_code"
    assert line["template"] == f"test_logs:{formatted_here}"
    assert MARK not in printed.text


def test_of_a_librarys_exception_only_the_type_passes(printed: Printed) -> None:
    try:
        int(MARK)
    except ValueError:
        logging.getLogger("sqlalchemy").exception("Failed with %s", MARK)
    (line,) = printed.lines
    assert (line["exception"], line["template"]) == ("ValueError", "Failed with %s")
    assert MARK not in printed.text


def test_extra_fields_of_a_librarys_message_do_not_pass(printed: Printed) -> None:
    logging.getLogger("httpx2").warning("Asked %s", "x", extra={"summary": MARK})
    assert MARK not in printed.text


def test_what_libraries_say_below_a_warning_is_not_written(printed: Printed) -> None:
    logging.getLogger("httpx2").info("Asked %s", MARK)
    assert printed.text == ""


def test_below_the_chosen_level_nothing_is_written(printed: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", printed.stream)  # pytest put its own back between set-up and test
    logs.configure("routing", "WARNING")
    logs.log("batch_handled", count=1)
    logs.warn("world_unavailable", step="store")
    assert [line["event"] for line in printed.lines] == ["world_unavailable"]


def test_the_log_of_commands_is_begun_anew_when_it_is_long(
    tmp_path: Path, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "COMMANDS_LOG_BYTES", 10)
    logs.configure("command", "WARNING", commands_in=tmp_path)
    for reason in ("first", "second"):
        logs.warn("world_unavailable", step="store", reason=reason)
    kept = {name: json.loads((tmp_path / name).read_text())["reason"] for name in ("commands.log", "commands.log.1")}
    assert (kept, printed.text) == ({"commands.log": "second", "commands.log.1": "first"}, "")


def test_an_event_of_a_command_whose_folder_takes_no_log_is_told_on_stderr(
    tmp_path: Path, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", printed.stream)
    logs.configure("command", "WARNING", commands_in=tmp_path / "missing")
    logs.warn("withdrawn_after_question", count=1)
    assert [line["event"] for line in printed.lines] == ["withdrawn_after_question"]


def test_a_line_that_a_full_disk_refuses_is_lost_and_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w", encoding="utf-8", buffering=1) as full, monkeypatch.context() as within:  # noqa: PTH123 - a device
        within.setattr(sys, "stderr", full)
        logs.configure("routing")
        logs.warn("world_unavailable", step="store", reason="StoreUnavailableError")
        with pytest.raises(OSError, match="No space left"):
            full.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())
