"""Routing tries again what it parked when a person asks: let in where it was refused, and never over something newer."""

from __future__ import annotations

from dataclasses import replace

from routing_bench import Bench, sender_of
from senders import coded_example

from signal_exchange.contracts.codec import decode_as
from signal_exchange.contracts.records import PARKED_RECORD
from signal_exchange.routing.numbers import forget_parked
from signal_exchange.stream.messages import Message
from signal_exchange.stream.work import Work

NEW_SECTOR = "LAB_INVENTED"


def a_signal_with_a_new_code() -> dict[str, object]:
    return {**coded_example("02_labour"), "sector": NEW_SECTOR}


def tried_again(message: Message) -> Message:
    return replace(message, incoming=replace(message.incoming, attempt=1))


def learns_the_code(bench: Bench) -> None:
    codes = bench.handler.rulebook.codes
    sectors = codes.lists["sector"]
    more = {**sectors.codes, NEW_SECTOR: replace(sectors.codes[str(coded_example("02_labour")["sector"])], code=NEW_SECTOR)}
    known = replace(codes, lists={**codes.lists, "sector": replace(sectors, codes=more)})
    renewed = replace(bench.handler.rulebook, codes=known)
    bench.handler = replace(bench.handler, current_rulebook=lambda: renewed)


def test_a_retry_after_the_code_list_was_renewed_routes_the_signal_and_moves_its_number(bench: Bench) -> None:
    message = sender_of(bench, "02_labour").published(a_signal_with_a_new_code())
    bench.run(message)
    learns_the_code(bench)
    bench.run(tried_again(message))
    assert (bench.reasons, bench.verdicts()) == (["UNKNOWN_CODE"], {1: "routed"})
    assert [each["state"] for each in bench.sent("accepted")] == ["ROUTED"]
    bench.run(message)
    assert bench.verdicts() == {1: "routed"}
    assert len(bench.sent("accepted")) == 1


def test_a_retry_before_the_cause_is_gone_parks_it_again(bench: Bench) -> None:
    message = sender_of(bench, "02_labour").published(a_signal_with_a_new_code())
    bench.run(message)
    bench.run(tried_again(message))
    assert (bench.reasons, bench.verdicts()) == (["UNKNOWN_CODE"] * 2, {1: "parked"})


def test_without_a_retry_the_same_bytes_again_stay_parked(bench: Bench) -> None:
    message = sender_of(bench, "02_labour").published(a_signal_with_a_new_code())
    bench.run(message)
    learns_the_code(bench)
    bench.run(message)
    assert bench.verdicts() == {1: "parked"}


def test_a_retry_after_a_newer_version_was_accepted_finds_itself_superseded(bench: Bench) -> None:
    sender, signal = sender_of(bench, "02_labour"), coded_example("02_labour")
    first = sender.published(a_signal_with_a_new_code())
    bench.run(first)
    bench.run(sender.published({**signal, "version": 2, "supersedes": 1}))
    learns_the_code(bench)
    bench.run(tried_again(first))
    assert bench.verdicts() == {1: "superseded", 2: "routed"}
    assert [each["version"] for each in bench.sent("accepted")] == [2]


def test_a_discarded_number_is_told_so_when_the_same_bytes_come_again(bench: Bench) -> None:
    message = sender_of(bench, "02_labour").published(a_signal_with_a_new_code())
    [parked] = [decode_as(letter.value, PARKED_RECORD) for letter in bench.run(message) if letter.topic == "parked"]
    with bench.database.transaction() as connection:
        work = Work("routing", connection, bench.seal)
        forget_parked(parked, work)
        forget_parked({**parked, "attributed": False}, work)
    bench.run(message)
    assert bench.verdicts() == {1: "discarded"}
