"""Headers, the content that a repeat has in common, and what a delivery has a place for."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from senders import EXAMPLES, coded_example
from wire_samples import signals_samples

from signal_exchange.contracts.cloud_events import (
    EVENT_TYPES,
    headers,
    new_traceparent,
    signature_headers,
    source_of,
)
from signal_exchange.contracts.delivered import SIGNAL_FIELDS, SUBJECT_FIELDS, delivered_fields
from signal_exchange.contracts.schemas import current_schemas
from signal_exchange.contracts.signed import content_of
from signal_exchange.reference.folders import schemas_folder

AT = datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)


def some_headers(record: str = "SignalPublished") -> dict[str, str]:
    made = headers(record, event_id="s.1", at=AT, source=source_of("00000099000000983000"), traceparent=new_traceparent())
    return {name: value.decode() for name, value in made}


def test_headers_are_cloud_events_in_binary_mode_of_the_nl_gov_profile() -> None:
    made = some_headers()
    assert made.pop("traceparent")
    assert made == {
        "ce_specversion": "1.0",
        "ce_id": "s.1",
        "ce_source": "urn:nld:oin:00000099000000983000:systeem:signaalpunt",
        "ce_type": "nl.mensenhandelsignalen.signaal.gepubliceerd.v1",
        "ce_time": "2026-11-20T10:00:00.123+00:00",
        "ce_dataschema": "urn:nl.mensenhandelsignalen:schema:SignalPublished",
        "content-type": "application/avro",
    }


def test_there_is_no_subject_which_would_tell_of_whom_it_is() -> None:
    assert "ce_subject" not in some_headers()


def test_every_record_has_an_event_type_of_the_code_list() -> None:
    source = schemas_folder() / "codes" / "event_type.csv"
    codes = {row["code"] for row in csv.DictReader(source.read_text(encoding="utf-8").splitlines())}
    assert set(EVENT_TYPES) == set(current_schemas())
    assert set(EVENT_TYPES.values()) <= codes


def test_a_trace_context_is_new_each_time_and_has_the_form_of_w3c() -> None:
    first, second = new_traceparent(), new_traceparent()
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", first)
    assert first != second


def test_the_signature_travels_as_it_is_with_the_id_of_its_key() -> None:
    assert signature_headers(b"\x00\xff", "gm0983-2026-1") == [("signature", b"\x00\xff"), ("signing-key", b"gm0983-2026-1")]


def test_r_val_16_a_repeat_under_another_number_and_time_has_the_same_content() -> None:
    fields: dict[str, Any] = dict(signals_samples()[0].fields)
    numbered = {"publisher_run": "other", "sequence": 99, "time": AT, "key_id": "gm0983-2026-2"}
    again = {**fields, "envelope": {**fields["envelope"], **numbered}}
    assert content_of(again) == content_of(fields)
    assert content_of(fields)["envelope"] == {"event_type": "SignalPublished"}


def test_r_val_16_another_event_type_or_signal_is_other_content() -> None:
    fields: dict[str, Any] = dict(signals_samples()[0].fields)
    withdrawn = {**fields, "envelope": {**fields["envelope"], "event_type": "SignalWithdrawn"}}
    assert content_of(withdrawn) != content_of(fields)
    assert content_of({**fields, "own_ref": b"other"}) != content_of(fields)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_delivery_carries_what_it_has_a_place_for_and_nothing_else(name: str) -> None:
    signal = {**coded_example(name), "summary": "synthetic text"}
    made = delivered_fields(signal)
    assert set(made) == set(SIGNAL_FIELDS)
    assert "synthetic text" not in repr(made)
    assert all(set(subject) == set(SUBJECT_FIELDS) for subject in made["subjects"] or ())
    assert made["forms"] == signal["forms"]


def test_what_a_form_of_delivery_left_out_is_null() -> None:
    made = delivered_fields({"forms": {"primary": "LABOUR", "secondary": []}, "subjects": [{"ref": "s1"}]})
    assert made["sector"] is None
    assert made["subjects"] == [{**dict.fromkeys(SUBJECT_FIELDS), "ref": "s1"}]
    assert delivered_fields({})["subjects"] is None
