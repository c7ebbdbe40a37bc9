"""Bytes to records and back: what is no record of ours gives a closed reason, and never a value."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from typing import Any

import fastavro
import pytest
from avro_data import data_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire_samples import filled, signals_samples

from signal_exchange.contracts.codec import (
    HEADER_BYTES,
    MAX_ITEMS,
    MAX_READ_BYTES,
    MAX_RECORD_BYTES,
    Decoded,
    decode,
    decode_whole,
    encode,
)
from signal_exchange.contracts.faults import UNDECODABLE_REASONS, CannotEncodeError, UndecodableError
from signal_exchange.contracts.schemas import WriterSchema, current_schemas, reader_schemas, self_contained, writer_schemas
from signal_exchange.reference.folders import schemas_folder

MARK = "TV-a-value-that-must-never-show"
READERS = tuple(sorted(file.stem for file in schemas_folder().glob("readers/*.avsc")))
RECORDS = tuple(current_schemas())


@cache
def schema_of(record: str) -> Any:
    return self_contained(json.loads((schemas_folder() / f"{record}.avsc").read_text(encoding="utf-8")))


@cache
def sample(record: str) -> bytes:
    return encode(record, filled(schema_of(record), full=True))


def reason_of(attempt: Callable[[], object]) -> str:
    with pytest.raises(UndecodableError) as fault:
        attempt()
    assert fault.value.reason in UNDECODABLE_REASONS
    return fault.value.reason


@pytest.mark.parametrize("record", RECORDS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_every_datum_of_every_record_comes_back_as_it_was(record: str, data: st.DataObject) -> None:
    fields = data.draw(data_of(schema_of(record)))
    assert decode_whole(encode(record, fields)) == Decoded(record, fields)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("record", RECORDS)
def test_the_fullest_and_the_emptiest_datum_come_back_as_they_were(record: str, *, full: bool) -> None:
    fields = filled(schema_of(record), full=full)
    assert decode_whole(encode(record, fields)).fields == fields


@pytest.mark.parametrize("record", RECORDS)
def test_a_value_starts_with_the_mark_and_the_fingerprint_that_any_avro_library_computes(record: str) -> None:
    canonical = fastavro.schema.to_parsing_canonical_form(schema_of(record))
    fingerprint = bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))
    assert sample(record)[:HEADER_BYTES] == b"\xc3\x01" + fingerprint


@pytest.mark.parametrize("record", RECORDS)
def test_the_same_datum_gives_the_same_bytes(record: str) -> None:
    fields = filled(schema_of(record), full=True)
    assert encode(record, fields) == encode(record, dict(reversed(fields.items())))


def test_a_signed_signal_of_every_example_reaches_routing_whole() -> None:
    for each in signals_samples():
        assert decode(each.value, "routing") == Decoded(each.record, dict(each.fields))


@pytest.mark.parametrize("change", ["missing", "unknown_type", "none", "one_too_many"])
def test_what_does_not_fit_cannot_be_encoded_and_is_told_without_its_values(change: str) -> None:
    fields: dict[str, Any] = {**filled(schema_of("Checkpoint"), full=True), "municipality": MARK}
    if change == "missing":
        del fields["highest"]
    elif change == "one_too_many":
        fields["summary"] = MARK
    else:
        fields["highest"] = MARK if change == "unknown_type" else None
    with pytest.raises(CannotEncodeError, match=r"^The datum does not fit the schema Checkpoint\.$") as fault:
        encode("Checkpoint", fields)
    assert MARK not in "".join(traceback.format_exception(fault.value))
    assert fault.value.record == "Checkpoint"


def test_a_value_that_fits_none_of_its_types_is_not_told() -> None:
    fields = filled(schema_of("SignalPublished"), full=True)
    fields["signal"]["supersedes"] = {"text": MARK}  # null or a number
    with pytest.raises(CannotEncodeError) as fault:
        encode("SignalPublished", fields)
    assert MARK not in "".join(traceback.format_exception(fault.value))


def with_bad_body(body: bytes) -> bytes:
    return sample("Checkpoint")[:HEADER_BYTES] + body


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(None, "tombstone", id="no value"),
        pytest.param(b"", "empty", id="no bytes"),
        pytest.param(b"\xc3\x01" + bytes(MAX_READ_BYTES), "too_large", id="larger than is read"),
        pytest.param(b'{"signal_id": "s"}', "no_single_object_header", id="JSON"),
        pytest.param(b"\x00\x00\x00\x00\x01abcdef", "no_single_object_header", id="schema registry of another vendor"),
        pytest.param(b"\xc3", "no_single_object_header", id="half a mark"),
        pytest.param(b"\xc3\x02" + bytes(8), "no_single_object_header", id="another version of the mark"),
        pytest.param(b"\xc3\x01", "unknown_fingerprint", id="mark alone"),
        pytest.param(b"\xc3\x01" + bytes(8), "unknown_fingerprint", id="unknown schema"),
        pytest.param(
            encode("TraceFact", filled(schema_of("TraceFact"), full=True)), "unexpected_record", id="not for this reader"
        ),
        pytest.param(with_bad_body(b""), "broken_body", id="no body"),
        pytest.param(with_bad_body(b"\xff" * 20), "broken_body", id="number without end"),
        pytest.param(sample("Checkpoint")[:-1], "broken_body", id="last byte lost"),
        pytest.param(sample("Checkpoint") + b"\x00", "trailing_bytes", id="a byte more"),
        pytest.param(sample("Checkpoint") * 2, "trailing_bytes", id="two records in one"),
    ],
)
def test_every_poison_has_its_closed_reason(value: bytes | None, reason: str) -> None:
    assert reason_of(lambda: decode(value, "routing")) == reason


def test_every_closed_reason_but_that_of_a_long_list_is_met_above() -> None:
    met = {case.values[1] for case in test_every_poison_has_its_closed_reason.pytestmark[0].args[1]}  # type: ignore[attr-defined]  # pytest keeps the table there
    assert met | {"oversized_collection"} == set(UNDECODABLE_REASONS)


def with_acts(acts: list[str]) -> bytes:
    fields = filled(schema_of("SignalPublished"), full=True)
    return encode("SignalPublished", {**fields, "signal": {**fields["signal"], "acts": acts}})


def test_a_list_may_be_as_long_as_the_limit_and_no_longer() -> None:
    assert len(decode(with_acts(["A"] * MAX_ITEMS), "routing").fields["signal"]["acts"]) == MAX_ITEMS
    assert reason_of(lambda: decode(with_acts(["A"] * (MAX_ITEMS + 1)), "routing")) == "oversized_collection"


@pytest.mark.parametrize("count", [b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"])
def test_a_count_that_the_bytes_do_not_hold_claims_no_memory(count: bytes) -> None:
    whole, one_item = with_acts(["FORGED"]), b"\x02\x0cFORGED"
    assert whole.count(one_item) == 1
    forged = whole.replace(one_item, count + one_item[1:])
    assert reason_of(lambda: decode(forged, "routing")) in {"broken_body", "trailing_bytes"}


def test_a_record_of_the_largest_size_that_a_municipality_may_send_is_read() -> None:
    fields = filled(schema_of("Checkpoint"), full=True)
    short = encode("Checkpoint", {**fields, "municipality": "x" * 60_000})
    whole = encode("Checkpoint", {**fields, "municipality": "x" * (60_000 + MAX_RECORD_BYTES - len(short))})
    assert len(whole) == MAX_RECORD_BYTES
    assert decode(whole, "routing").record == "Checkpoint"


def test_a_reader_sees_the_fields_of_its_view_and_no_other() -> None:
    for reader in READERS:
        for record, view in reader_schemas(reader).items():
            assert set(decode(sample(record), reader).fields) == {field["name"] for field in view["fields"]}


def test_what_a_view_leaves_out_is_not_in_the_decoded_record() -> None:
    for reader, record, left_out in left_out_fields():
        assert left_out not in decode(sample(record), reader).fields, (reader, record)


def left_out_fields() -> Iterator[tuple[str, str, str]]:
    found = [
        (reader, record, field["name"])
        for reader in READERS
        for record, view in reader_schemas(reader).items()
        for field in schema_of(record)["fields"]
        if field["name"] not in {each["name"] for each in view["fields"]}
    ]
    assert ("oversight", "ParkedRecord", "record") in found
    return iter(found)


@pytest.mark.parametrize("reader", READERS)
@given(value=st.binary(max_size=200))
def test_random_bytes_never_raise_anything_but_undecodable(reader: str, value: bytes) -> None:
    assert judged(value, reader)


@pytest.mark.parametrize("reader", READERS)
@given(data=st.data())
def test_random_bytes_behind_a_known_header_never_raise_anything_but_undecodable(reader: str, data: st.DataObject) -> None:
    record = data.draw(st.sampled_from(sorted(reader_schemas(reader))))
    assert judged(sample(record)[:HEADER_BYTES] + data.draw(st.binary(max_size=300)), reader)


@pytest.mark.parametrize("reader", READERS)
@given(data=st.data())
def test_valid_records_with_bytes_changed_never_raise_anything_but_undecodable(reader: str, data: st.DataObject) -> None:
    value = bytearray(sample(data.draw(st.sampled_from(sorted(reader_schemas(reader))))))
    for at, byte in data.draw(st.lists(st.tuples(st.integers(HEADER_BYTES, len(value) - 1), st.integers(0, 255)), max_size=4)):
        value[at] = byte
    begin, end = sorted(data.draw(st.tuples(*[st.integers(0, len(value))] * 2)))
    cut = data.draw(st.booleans())
    assert judged(bytes(value[:begin] + value[end:]) if cut else bytes(value), reader)


def judged(value: bytes, reader: str) -> bool:
    """Decode for a reader; a refusal must have a closed reason and show nothing of the value."""
    try:
        return isinstance(decode(value, reader), Decoded)
    except UndecodableError as fault:
        told = "".join(traceback.format_exception(fault))
        return fault.reason in UNDECODABLE_REASONS and str(fault) == fault.reason and "élève" not in told


def test_an_error_tells_nothing_of_the_value() -> None:
    fields = {**filled(schema_of("Checkpoint"), full=True), "municipality": MARK}
    with pytest.raises(UndecodableError) as fault:
        decode(encode("Checkpoint", fields)[:-1], "routing")
    assert MARK not in "".join(traceback.format_exception(fault.value)) + repr(fault.value)


def test_a_decoded_record_does_not_show_its_fields() -> None:
    assert repr(decode(sample("Checkpoint"), "routing")) == "Decoded(record='Checkpoint')"


@pytest.mark.parametrize(
    "written", list(writer_schemas().values()), ids=lambda written: f"{written.record}-{written.header.hex()[4:]}"
)
@pytest.mark.parametrize("full", [True, False], ids=["every part", "no optional part"])
def test_every_reader_reads_what_was_written_by_every_release(written: WriterSchema, full: bool) -> None:  # noqa: FBT001 - two cases
    out = BytesIO()
    fastavro.schemaless_writer(out, written.parsed, filled(written.parsed, full=full))
    read = [reader for reader in READERS if written.record in reader_schemas(reader)]
    assert all(decode(written.header + out.getvalue(), reader).record == written.record for reader in read)
