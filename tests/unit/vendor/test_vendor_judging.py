"""`vendor check` says of each record which section of WRITING.md it keeps and which it breaks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from written_steps import (
    AT,
    NAMES,
    NEXT_SIGNING,
    OIN,
    RUN,
    SEALING,
    SIGNAL,
    SIGNING,
    SUMMARY,
    TRACE,
    VENLO,
    Maker,
    partition,
    published,
    published_steps,
    register,
    tokens,
)

from signal_exchange.contracts.cloud_events import source_of
from signal_exchange.domain.policy import Policy
from signal_exchange.municipality.sending.envelopes import Signer
from signal_exchange.privacy.sealing import SealingKeyRing, pad_summary
from signal_exchange.reference.loading import load_code_lists, load_members
from signal_exchange.stream.messages import Incoming
from signal_exchange_demo.vendor.commands import as_fields, lines_of
from signal_exchange_demo.vendor.judging import STEPS, Judge, Judged
from signal_exchange_demo.vendor.sealed import Opener
from signal_exchange_demo.vendor.watching import Answers, concerns

FILE = published_steps()
Change = Callable[[dict[str, Any]], None]


def judge() -> Judge:
    opener = Opener(register(), SealingKeyRing(SEALING.values()), load_code_lists(), Policy())
    return Judge(VENLO, load_members(), opener)


def as_incoming(step: Mapping[str, Any], offset: int = 0) -> Incoming:
    headers = {name: bytes.fromhex(text) if name == "signature" else text.encode() for name, text in step["headers"].items()}
    key, value = step["key"].encode(), bytes.fromhex(step["value"])
    return Incoming("signals", step["partition_of_6"], offset, key, value, headers, AT + timedelta(hours=1))


def wrong(judged: Judged) -> dict[str, tuple[str, ...]]:
    return {finding.section: finding.wrong for finding in judged.findings if finding.wrong}


def sent(change: Change | None = None, *, record: str = "SignalPublished", sequence: int = 1, **fields: Any) -> Incoming:
    """Give a record that was changed before it was signed."""
    maker = Maker(FILE["sealed"])
    whole = fields or copy.deepcopy(published(maker, 1, SUMMARY, tokens(*NAMES)))
    if change is not None:
        change(whole)
    signer = Signer(SIGNING, source_of(OIN))
    signed = signer.sign(record, whole, at=AT, run=RUN, sequence=sequence)
    headers = signer.headers(record, signed, event_id=f"{SIGNAL}.1", at=AT, traceparent=TRACE)
    return Incoming("signals", partition(SIGNAL), 0, SIGNAL.encode(), signed.value, dict(headers), AT + timedelta(hours=1))


def test_every_step_of_writing_is_right_and_shows_its_step() -> None:
    judging = judge()
    judged = [judging.judge(as_incoming(step, offset)) for offset, step in enumerate(FILE["steps"])]
    assert [wrong(each) for each in judged] == [{}] * len(judged)
    assert {each.step for each in judged} == set(STEPS)


@pytest.mark.parametrize(
    ("headers", "section", "said"),
    [
        ({"signature": None}, "6 headers", "header signature: it has no value, and null is not allowed"),
        ({"signature": b"short"}, "6 headers", "header signature: 5 bytes, and a signature has 64"),
        ({"signing-key": b"another"}, "6 headers", "header signing-key: expected gm0983-2026-1"),
        ({"ce_type": "\N{LATIN SMALL LETTER E WITH ACUTE}".encode()}, "6 headers", "header ce_type: it is no ASCII text"),
        (
            {"ce_source": b"urn:nld:oin:1:systeem:x"},
            "6 headers",
            f"header ce_source: expected {source_of(OIN, '<name of your system>')}",
        ),
        (
            {"ce_time": b"yesterday"},
            "6 headers",
            "header ce_time: expected envelope.time in ISO 8601 with milliseconds and offset",
        ),
        ({"ce_id": b"1"}, "6 headers", f"header ce_id: expected {SIGNAL}.1"),
        ({"traceparent": b"x"}, "6 headers", "header traceparent: expected a W3C traceparent"),
        ({"signature": bytes(64)}, "5 signature", "the header signature is not this key's Ed25519 over the value"),
    ],
    ids=str,
)
def test_a_wrong_header_is_named(headers: Mapping[str, Any], section: str, said: str) -> None:
    incoming = as_incoming(FILE["steps"][0])
    found = wrong(judge().judge(replace(incoming, headers={**incoming.headers, **headers})))
    assert found[section][0].startswith(said)


def test_a_header_that_is_missing_is_named() -> None:
    incoming = as_incoming(FILE["steps"][0])
    found = wrong(judge().judge(replace(incoming, headers={})))
    assert len(found["6 headers"]) == 10
    assert "header content-type: missing" in found["6 headers"]


def test_key_and_partition_are_looked_at() -> None:
    incoming = as_incoming(FILE["steps"][0])
    assert wrong(judge().judge(replace(incoming, key=None)))["6 place"][0].startswith("the key of the record is not")
    assert "murmur2" in wrong(judge().judge(replace(incoming, partition=incoming.partition + 1)))["6 place"][0]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "tombstone"),
        (b"", "empty"),
        (b"garbage", "no_single_object_header"),
        (b"\xc3\x01garbage..", "unknown_fingerprint"),
        (bytes.fromhex(FILE["steps"][0]["value"]) + b"\0", "trailing_bytes"),
        (bytes.fromhex(FILE["steps"][0]["value"])[:-5], "broken_body"),
        (bytes.fromhex(FILE["feedback"]["value"]), "a SignalView does not belong on the topic signals"),
    ],
    ids=["tombstone", "empty", "garbage", "fingerprint", "trailing", "truncated", "other record"],
)
def test_what_is_no_record_says_why(value: bytes | None, said: str) -> None:
    judged = judge().judge(replace(as_incoming(FILE["steps"][0]), value=value))
    assert (judged.record, judged.step, wrong(judged)["5 encode"][0].startswith(said)) == (None, None, True)


def _two_for_care(fields: dict[str, Any]) -> None:
    fields["sealed"] = [fields["sealed"][0], *fields["sealed"]]


def _cut(fields: dict[str, Any]) -> None:
    fields["sealed"][0]["ciphertext"] = fields["sealed"][0]["ciphertext"][:3000]


def _no_linking(fields: dict[str, Any]) -> None:
    fields["sealed"] = fields["sealed"][:2]


def _not_asked_for(fields: dict[str, Any]) -> None:
    fields["signal"]["exchanges"] = [each for each in fields["signal"]["exchanges"] if each["purpose"] != "LINKING"]


def _other_key(fields: dict[str, Any]) -> None:
    fields["sealed"][0]["key_id"] = "care-2025-1"


def _no_group(fields: dict[str, Any]) -> None:
    fields["sealed"][0]["group"] = "parking"


def _with_a_name(fields: dict[str, Any]) -> None:
    bound_to = f"{SIGNAL}.1"
    text = pad_summary("Mevrouw van der Meer belde op 06-00001234.")
    fields["sealed"][:2] = [
        {"group": group, "key_id": SEALING[group].key_id, "ciphertext": SEALING[group].public.encrypt(text, bound_to=bound_to)}
        for group in ("care", "table")
    ]


def _pending(fields: dict[str, Any]) -> None:
    fields["tokens_pending"] = True


def _sector(fields: dict[str, Any]) -> None:
    fields["signal"]["sector"] = "CRI_THEFT"


def _other_municipality(fields: dict[str, Any]) -> None:
    fields["signal"]["municipality"] = "GM0988"


def _control_character(fields: dict[str, Any]) -> None:
    fields["signal"]["subjects"][0]["ref"] = "s\x00"


def _no_own_ref(fields: dict[str, Any]) -> None:
    fields["own_ref"] = b""


def _strange_carrier(fields: dict[str, Any]) -> None:
    fields["sealed"][2]["ciphertext"] = SEALING["linking"].public.encrypt(
        tokens(("subject:s9", "NAME_DOB", "meer|anna|19990714")), bound_to=f"{SIGNAL}.1"
    )


@pytest.mark.parametrize(
    ("change", "section", "said"),
    [
        (_two_for_care, "4 sealed parts", "part care: there is more than one"),
        (_cut, "4 sealed parts", "part care: 3000 bytes instead of 3184"),
        (_no_linking, "4 sealed parts", "part linking: missing"),
        (_not_asked_for, "4 sealed parts", "part linking: nobody asked for it"),
        (_other_key, "4 sealed parts", "part care: sealed with key care-2025-1"),
        (_no_group, "4 sealed parts", "part care: missing"),
        (_with_a_name, "4 sealed parts", "your leak guard let pass what ours finds in the summary: NAME, PHONE"),
        (_pending, "4 sealed parts", "tokens_pending is true, and there are tokens"),
        (_strange_carrier, "4 sealed parts", "part linking: carrier subject:s9 is nothing of this signal"),
        (_sector, "3 content", "sector R-VAL-05"),
        (_other_municipality, "5 envelope", "municipality: expected GM0983"),
        (_control_character, "3 border", "subjects.ref R-VAL-22"),
        (_no_own_ref, "3 content", "own_ref: 1 to 64 bytes"),
    ],
    ids=lambda each: each.__name__ if callable(each) else "",
)
def test_a_signal_that_breaks_a_section_is_told_which(change: Change, section: str, said: str) -> None:
    assert wrong(judge().judge(sent(change)))[section][0].startswith(said)


def test_r_flow_01_numbers_follow_each_other_and_stay_what_they_were() -> None:
    judging, first = judge(), sent()
    assert wrong(judging.judge(first)) == {}
    assert wrong(judging.judge(first)) == {}, "the same bytes again are right"
    assert "used before" in wrong(judging.judge(sent(_sector)))["5 number"][0]
    gap = sent(record="SignalWithdrawn", sequence=5, signal_id=SIGNAL, municipality=VENLO, version=3, reason="NO_REASON")
    found = wrong(judging.judge(gap))
    assert judging.missing() == [f"run {RUN}: 3 of the numbers up to 5 did not come"]
    assert (found["9 version"], found["3 content"]) == (("version 3: expected 2 (R-VAL-16)",), ("reason R-VAL-03",))
    zero = sent(record="SignalErased", sequence=0, signal_id=SIGNAL, municipality=VENLO, version=4)
    assert wrong(judging.judge(zero))["5 number"] == ("number 0: numbers begin at 1",)
    after = sent(record="SignalWithdrawn", sequence=6, signal_id=SIGNAL, municipality=VENLO, version=5, reason="MISTAKE")
    assert wrong(judging.judge(after))["9 version"][0].startswith("this signal was erased")


def test_a_checkpoint_that_says_more_than_was_sent_is_told_at_the_end() -> None:
    judging = judge()
    assert wrong(judging.judge(as_incoming(FILE["steps"][-1]))) == {}
    assert judging.missing() == [f"run {RUN}: 6 of the numbers up to 6 did not come"]
    signed = sent(record="Checkpoint", sequence=3, municipality=VENLO, highest=-1)
    assert len(wrong(judging.judge(signed))["7 checkpoint"]) == 2


def test_a_key_of_nobody_and_a_time_that_nobody_believes_are_told() -> None:
    signer = Signer(NEXT_SIGNING, source_of(OIN))
    fields = {"signal_id": SIGNAL, "municipality": VENLO, "version": 2, "reason": "MISTAKE"}
    signed = signer.sign("SignalWithdrawn", fields, at=AT - timedelta(days=9), run=RUN, sequence=1)
    incoming = replace(as_incoming(FILE["steps"][0]), value=signed.value)
    found = wrong(judge().judge(incoming))
    assert found["5 signature"][0].startswith("key_id: the register has no such key")
    assert found["5 envelope"][0].startswith("time:")


def test_who_a_record_concerns() -> None:
    own, other = as_incoming(FILE["steps"][0]), "GM0988"
    assert concerns(own, VENLO, register())
    assert not concerns(own, other, register())
    garbage = replace(own, value=b"garbage", headers={})
    assert concerns(garbage, other, register()), "it may be this client's: nobody's name stands on it"
    assert not concerns(replace(own, value=b"garbage"), other, register()), "another member's key stands on it"


def answered(facts: Sequence[Mapping[str, Any]], judged: Judged) -> Any:
    answers = Answers()
    for fact in facts:
        answers.add(fact)
    return answers.of(judged)


def test_what_the_exchange_says_stands_beside_the_judgement() -> None:
    judged = judge().judge(as_incoming(FILE["steps"][0], offset=4))
    assert answered([], judged) is None
    routed = answered([{"stage": "RECEIVED", "publisher_run": RUN, "sequence": 1, "verdict": "routed"}], judged)
    assert list(lines_of(judged, routed))[-1] == "  the exchange: routed"
    place = {"parked_id": "p", "topic": "signals", "partition": judged.incoming.partition, "offset": 4, "state": "PARKED"}
    parked = answered([{**place, "reason": "UNKNOWN_CODE", "errors": ["sector R-VAL-03"]}], judged)
    assert list(lines_of(judged, parked))[-1] == "  the exchange: parked as UNKNOWN_CODE (sector R-VAL-03)"
    assert as_fields(judged, parked)["exchange"] == {"verdict": "parked", "reason": "UNKNOWN_CODE", "errors": ["sector R-VAL-03"]}


def test_no_value_of_a_text_is_ever_shown() -> None:
    shown = "\n".join(lines_of(judge().judge(sent(_with_a_name)), None))
    assert "Meer" not in shown
    assert "06-" not in shown
