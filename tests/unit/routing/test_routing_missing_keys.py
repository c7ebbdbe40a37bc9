"""A municipality that nothing can be sealed to: what is its own waits until the register has its key, all else goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from routing_bench import Bench, sender_of
from senders import AT, coded_example, identity_in
from structlog.testing import capture_logs

from signal_exchange.privacy.register import Register
from signal_exchange.routing.erasing import Terms
from signal_exchange.routing.erasures import ASKED, Answer, ErasureStore
from signal_exchange.stream.identity import Identity
from signal_exchange.stream.messages import Message
from signal_exchange.stream.work import Work

SIGNAL, TIP = coded_example("01_sexual"), coded_example("06_anonymous_tip")
DUE = datetime(2026, 12, 18, 16, 0, tzinfo=UTC)
LATER = AT + timedelta(days=30)
TERMS = Terms(segment_seconds=60.0, clean_seconds=60.0)


def under(bench: Bench, register: Register) -> None:
    """Let routing work under this register."""
    identity = Identity(lambda: register, identity_in(bench.region, "routing").current_keys)
    rulebook = replace(bench.handler.rulebook, register=register)
    bench.handler = replace(bench.handler, current_rulebook=lambda: rulebook, seal_to=identity.sealed_part)
    bench.seal = identity.parking_seal("routing")


def without(register: Register, *groups: str) -> Register:
    return replace(register, sealing_keys=tuple(each for each in register.sealing_keys if each.key.group not in groups))


def lost_key(bench: Bench, code: str) -> Register:
    """Take a municipality's sealing key away; give the register that has it."""
    whole = bench.handler.rulebook.register
    under(bench, without(whole, f"gm:{code}"))
    return whole


def tried_again(message: Message) -> Message:
    return replace(message, incoming=replace(message.incoming, attempt=1))


def test_its_signal_is_parked_under_its_number_others_are_routed_and_a_retry_lets_it_in(bench: Bench) -> None:
    sender, other = sender_of(bench, "01_sexual"), sender_of(bench, "02_labour")
    whole = lost_key(bench, sender.municipality)
    message = sender.published(SIGNAL)
    bench.run(message, other.published(coded_example("02_labour")))
    assert (bench.reasons, [each["municipality"] for each in bench.sent("accepted")]) == (
        ["NO_SEALING_KEY"],
        [other.municipality],
    )
    [parked] = bench.sent("parked")
    assert (parked["municipality"], parked["sequence"], parked["signal_id"]) == (sender.municipality, 1, SIGNAL["signal_id"])
    under(bench, whole)
    bench.run(tried_again(message))
    assert bench.verdicts()[1] == "routed"
    assert {each["municipality"] for each in bench.sent("accepted")} == {sender.municipality, other.municipality}


def test_routing_parks_by_its_own_key_when_the_register_has_none_of_it(bench: Bench) -> None:
    sender = sender_of(bench, "01_sexual")
    under(bench, without(bench.handler.rulebook.register, "parking:routing", f"gm:{sender.municipality}"))
    bench.run(sender.published(SIGNAL))
    [parked] = bench.sent("parked")
    assert (parked["reason"], parked["record"]["group"]) == ("NO_SEALING_KEY", "parking:routing")
    assert identity_in(bench.region, "routing").opened(parked["record"], parked["parked_id"])


def test_its_re_screen_waits_and_comes_when_the_key_is_there(bench: Bench) -> None:
    sender = sender_of(bench, "06_anonymous_tip")
    bench.run(sender.published(TIP))
    whole = lost_key(bench, sender.municipality)
    assert look(bench) == 0
    under(bench, whole)
    assert look(bench) == 1


def look(bench: Bench) -> int:
    with bench.database.transaction() as connection:
        return bench.handler.recheck(DUE, Work("routing", connection, bench.seal))


def test_its_certificate_waits_and_is_not_lost(bench: Bench) -> None:
    sender = sender_of(bench, "01_sexual")
    signal_id = str(SIGNAL["signal_id"])
    bench.run(sender.published(SIGNAL), sender.erased(signal_id, 2))
    with bench.database.transaction() as connection:
        store = ErasureStore(connection)
        for service in ASKED:
            store.add_answer(Answer(signal_id, service, "DONE", AT))
        [erasure] = store.erasures().values()
        store.put([erasure.moved(buried_at=AT, marked_at=AT)])
    whole = lost_key(bench, sender.municipality)
    with capture_logs() as logged:
        assert certify(bench) == 0
    assert "sealing_key_missing" in [entry["event"] for entry in logged]
    under(bench, whole)
    assert certify(bench) == 1


def certify(bench: Bench) -> int:
    with bench.database.transaction() as connection:
        return bench.handler.saga(Work("routing", connection, bench.seal)).certify(LATER, TERMS, {})
