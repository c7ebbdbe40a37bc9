"""What routing does with an officer's answer and with renewed tokens: they take a number, and change no version and no route."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from routing_bench import Bench, sender_of
from senders import AT, coded_example
from trying import examples

from signal_exchange.contracts.codec import decode_whole
from signal_exchange.participants.region import Region

ONE, TWO = coded_example("01_sexual"), coded_example("02_labour")
LINK = str(uuid.uuid4())
LATER = AT + timedelta(days=2)


def topics(letters: Any) -> set[str]:
    return {letter.topic for letter in letters}


def test_r_link_04_an_answer_goes_to_linking_with_who_may_give_it_and_when(bench: Bench) -> None:
    sender = sender_of(bench, "01_sexual")
    answer = sender.answered(ONE, LINK, "CONFIRM", at=LATER)
    bench.run(sender.published(ONE, sequence=9), answer)
    [told] = bench.sent("link-answers")
    assert (told["link_id"], told["kind"], told["by_role"], told["municipality"]) == (
        LINK,
        "CONFIRM",
        "ATTENTION_OFFICER",
        sender.municipality,
    )
    assert (told["answer_id"], told["answered_at"], told["key_types"]) == (answer.fields["answer_id"], LATER, ["NAME_DOB"])
    assert bench.verdicts()[answer.fields["envelope"]["sequence"]] == "answer"


def test_r_link_01_renewed_tokens_go_to_linking_and_nothing_is_routed_again(bench: Bench) -> None:
    sender = sender_of(bench, "01_sexual")
    bench.run(sender.published({**ONE}, sequence=9))
    renewed = sender.renewed(ONE, at=LATER)
    letters = bench.run(renewed)
    assert topics(letters) == {"accepted", "link-tokens", "signal-trace"}
    told = bench.sent("link-tokens")[-1]
    assert (told["version"], told["tokens"], told["tokens_at"], told["stated_at"]) == (1, renewed.fields["tokens"], LATER, LATER)
    before, after = bench.sent("accepted")
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"revision", "sealed"}
    assert bench.verdicts()[renewed.fields["envelope"]["sequence"]] == "renewed"


def test_the_same_statement_twice_takes_effect_once_and_is_confirmed_twice(bench: Bench) -> None:
    sender = sender_of(bench, "01_sexual")
    answer, renewed = sender.answered(ONE, LINK, "CONFIRM"), sender.renewed(ONE)
    bench.run(sender.published(ONE, sequence=9), answer, renewed)
    again = bench.run(answer, renewed)
    assert [decode_whole(each.value).fields["verdict"] for each in again] == ["answer", "renewed"]
    assert topics(again) == {"signal-trace"}


def test_tokens_of_a_version_that_was_replaced_or_withdrawn_are_told_to_nobody(bench: Bench) -> None:
    sender = sender_of(bench, "01_sexual")
    second = {**ONE, "version": 2, "supersedes": 1, "estimated_victims": 4}
    bench.run(sender.published(ONE, sequence=8), sender.published(second, sequence=9))
    assert topics(bench.run(sender.renewed(ONE, 1))) == {"signal-trace"}
    bench.run(sender.withdrawn(ONE, 3))
    assert topics(bench.run(sender.renewed(ONE, 2))) == {"signal-trace"}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"kind": "RELEASE"}, "UNKNOWN_CODE"),
        ({"key_types": ["NO_TYPE"]}, "UNKNOWN_CODE"),
        ({"answer_id": "x"}, "SCHEMA_INVALID"),
        ({"link_id": "x"}, "SCHEMA_INVALID"),
        ({"version": 2}, "VERSION_CONFLICT"),
        ({"version": 0}, "VERSION_CONFLICT"),
    ],
    ids=str,
)
def test_a_wrong_answer_is_parked_under_its_number(bench: Bench, changed: dict[str, Any], reason: str) -> None:
    sender = sender_of(bench, "01_sexual")
    answer = sender.answered(ONE, LINK, "CONFIRM", **changed)
    bench.run(sender.published(ONE, sequence=9), answer)
    assert (bench.reasons, bench.sent("link-answers")) == ([reason], [])
    assert bench.verdicts()[answer.fields["envelope"]["sequence"]] == "parked"


def test_tokens_that_are_sealed_for_others_than_linking_are_parked(bench: Bench) -> None:
    sender = sender_of(bench, "01_sexual")
    tokens = {"group": "care", "key_id": "care-2026-1", "ciphertext": b"sealed"}
    bench.run(sender.published(ONE, sequence=9), sender.renewed(ONE, tokens=tokens), sender.renewed(ONE, renewal_id="x"))
    assert (bench.reasons, len(bench.sent("link-tokens"))) == (["CONTENT_INVALID", "SCHEMA_INVALID"], 1)


def test_a_municipality_cannot_speak_of_another_ones_signal_or_of_one_that_nobody_published(bench: Bench) -> None:
    sender, other = sender_of(bench, "01_sexual"), sender_of(bench, "02_labour")
    bench.run(sender.published(ONE, sequence=9), other.answered(ONE, LINK, "CONFIRM"), other.renewed(TWO))
    assert (bench.reasons, bench.sent("link-answers")) == (["VERSION_CONFLICT", "VERSION_CONFLICT"], [])


def test_a_statement_from_long_ago_or_too_large_is_parked(bench: Bench) -> None:
    sender = sender_of(bench, "01_sexual")
    large = {"group": "linking", "key_id": "linking-2026-1", "ciphertext": bytes(70_000)}
    bench.run(sender.published(ONE, sequence=9), sender.renewed(ONE, tokens=large))
    fields = sender.answered(ONE, LINK, "CONFIRM").fields
    bench.run(sender.message("MunicipalAnswer", _content(fields), key=ONE["signal_id"], sent_at=AT - timedelta(days=9)))
    assert bench.reasons == ["TOO_LARGE", "CONTENT_INVALID"]


def _content(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "envelope"}


@settings(max_examples=examples(15), deadline=None)
@given(sizes=st.lists(st.integers(1, 3), min_size=6, max_size=6), again=st.lists(st.booleans(), min_size=6, max_size=6))
def test_a_stream_in_any_batches_and_repeated_ends_in_the_same_state(
    region: Region, tmp_path_factory: pytest.TempPathFactory, sizes: list[int], again: list[bool]
) -> None:
    bench = Bench(region, tmp_path_factory.mktemp("statements") / f"{uuid.uuid4()}.sqlite")
    sender = sender_of(bench, "01_sexual")
    corrected = {**ONE, "version": 2, "supersedes": 1, "estimated_victims": 4}
    stream = [
        sender.published(ONE),
        sender.renewed(ONE, 1),
        sender.published(corrected),
        sender.renewed(ONE, 2),
        sender.answered(ONE, LINK, "CONFIRM"),
        sender.withdrawn(ONE, 3),
    ]
    begin = 0
    for size, repeated in zip(sizes, again, strict=True):
        for _ in range(1 + repeated):
            bench.run(*stream[begin : begin + size])
        begin += size
    told = bench.sent("link-tokens")
    assert [(each["version"], each["status"], each["tokens"] is not None) for each in told] == [
        (1, "OPEN", True),
        (1, "OPEN", True),
        (2, "OPEN", True),
        (2, "OPEN", True),
        (3, "WITHDRAWN", False),
    ]
    assert told[3]["tokens"] == stream[3].fields["tokens"]
    assert (len(bench.sent("link-answers")), bench.reasons) == (1, [])
    assert sorted(bench.verdicts().values()) == ["answer", "renewed", "renewed", "superseded", "superseded", "withdrawn"]
    bench.database.close()
