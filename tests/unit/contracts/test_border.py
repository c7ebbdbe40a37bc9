"""The border: what may not pass, in whatever record it stands and however deep (R-VAL-22)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hostile import fitting, hostile_for, places, with_value

from signal_exchange.contracts.border import AHEAD, EARLIEST, INT_MOST, LONG_MOST, breaches, is_printable
from signal_exchange.contracts.schemas import current_schemas

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
RECORDS = sorted(current_schemas())
ID = "0b7f5c1e-6a53-4a0e-9d15-3f2f6f0f7a01"


@pytest.mark.parametrize("record", RECORDS)
def test_r_val_22_a_fitting_record_passes(record: str) -> None:
    assert breaches(record, fitting(record, AT), AT) == ()


@pytest.mark.parametrize("record", RECORDS)
def test_r_val_22_a_control_character_passes_nowhere(record: str) -> None:
    fields = fitting(record, AT)
    texts = [path for path, value in places(fields) if isinstance(value, str)]
    assert texts
    for path in texts:
        for text in ("a\0b", "\ud800", "a" * 501):
            assert breaches(record, with_value(fields, path, text), AT), path


@pytest.mark.parametrize("record", RECORDS)
def test_r_val_22_what_no_store_holds_passes_nowhere(record: str) -> None:
    fields = fitting(record, AT)
    for path, value in places(fields):
        for wrong in (-1, 2**53, 2**63) if isinstance(value, int) and not isinstance(value, bool) else ():
            assert breaches(record, with_value(fields, path, wrong), AT), path


@pytest.mark.parametrize("record", RECORDS)
def test_r_val_22_no_hostile_value_makes_the_border_itself_fail(record: str) -> None:
    fields = fitting(record, AT)
    for path, value in places(fields):
        for wrong in hostile_for(value):
            if not isinstance(value, datetime):
                breaches(record, with_value(fields, path, wrong), AT)


def checkpoint(**changes: Any) -> dict[str, Any]:
    envelope = {"event_type": "x", "time": AT, "publisher_run": ID, "sequence": 0, "key_id": "gm0983-2026-1"}
    return {"envelope": envelope | changes, "municipality": "GM0983", "highest": 3}


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({}, ()),
        ({"publisher_run": ID.upper()}, ("envelope.publisher_run R-VAL-22",)),
        ({"publisher_run": ""}, ("envelope.publisher_run R-VAL-22",)),
        ({"sequence": LONG_MOST}, ()),
        ({"sequence": LONG_MOST + 1, "key_id": "\n"}, ("envelope.sequence R-VAL-22", "envelope.key_id R-VAL-22")),
        ({"key_id": "k" * 100}, ()),
        ({"time": datetime(9999, 12, 31, tzinfo=UTC)}, ()),  # R-VAL-01 says whether it is believed
    ],
)
def test_r_val_22_field_and_rule_are_named_and_never_the_value(changes: dict[str, Any], errors: tuple[str, ...]) -> None:
    assert breaches("Checkpoint", checkpoint(**changes), AT) == errors


@pytest.mark.parametrize(
    ("name", "value", "passes"),
    [
        ("due_from", EARLIEST, True),
        ("due_from", EARLIEST - timedelta(milliseconds=1), False),
        ("due_from", AT + AHEAD, True),
        ("due_from", AT + AHEAD + timedelta(milliseconds=1), False),
        ("due_from", datetime(9999, 12, 31, tzinfo=UTC), False),
        ("version", INT_MOST, True),
        ("version", INT_MOST + 1, False),
        ("revision", LONG_MOST, True),
        ("municipality", "GM983", False),
        ("municipality", "GM0983 ", False),
        ("urgency", "ACUTE", True),
        ("urgency", "", False),
        ("urgency", "x", False),
        ("rule_id", "", True),
        ("rule_id", "a" * 101, False),
        ("rule_id", "\u202egnp", True),
    ],
)
def test_r_val_22_each_kind_at_its_edge(name: str, value: object, passes: bool) -> None:  # noqa: FBT001 - a column of the table
    fields = fitting("AgendaItem", AT) | {"status": "OFFERED", "urgency": "ACUTE", name: value}
    assert breaches("AgendaItem", fields, AT) == (() if passes else (f"{name} R-VAL-22",))


@pytest.mark.parametrize(
    ("day", "passes"),
    [("2026-11-18", True), ("20261118", False), ("2026-02-30", False), ("0001-01-01", False), ("9999-12-31", False), ("", False)],
)
def test_r_val_22_days(day: str, passes: bool) -> None:  # noqa: FBT001 - a column of the table
    assert (breaches("Observation", fitting("Observation", AT) | {"publish_day": day}, AT) == ()) is passes


def test_r_val_22_what_is_erased_says_nothing() -> None:
    fields = fitting("AgendaItem", AT) | {"status": "ERASED", "urgency": ""}
    assert breaches("AgendaItem", fields, AT) == ()


def test_r_val_22_days_and_weeks_of_a_published_signal_are_left_to_its_own_rules() -> None:
    fields = fitting("SignalPublished", AT)
    fields["signal"]["observed_weeks"] = {"from": "no week", "to": "2026-W99"}
    fields["signal"]["consent"]["recorded_on"] = "soon"
    fields["signal"]["sector"] = "\0"
    assert breaches("SignalPublished", fields, AT) == ("sector R-VAL-22",)


@pytest.mark.parametrize(("text", "passes"), [("élève 🙂\u00a0x", True), ("", True), ("a\u2029", False), ("\x7f", False)])
def test_r_val_22_what_a_text_may_hold(text: str, passes: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_printable(text) is passes
