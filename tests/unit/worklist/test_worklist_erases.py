"""R-RET-03 at the worklist: everything about an erased signal goes, what people entered too."""

from __future__ import annotations

from builders import ONE, START, TWO, VENLO, Consuming, a_referral, a_register, an_identity, erases, gone, of_record
from people import OFFICER, coordinator

from signal_exchange.worklist.composition import rules
from signal_exchange.worklist.handler import WorklistHandler
from signal_exchange.worklist.service import WORKLIST
from signal_exchange.worklist.store import TABLES, Advice, Contact, Opening, WorklistStore

RULES = rules()


HANDLER = WorklistHandler("CARE_COORDINATOR", RULES.calendar, an_identity().sealed_part, a_register)


def worklist() -> Consuming:
    return Consuming(WORKLIST, TABLES, HANDLER)


def with_people(consumer: Consuming) -> None:
    """Deliver two signals; of the first one people saw it, advised and opened the summary."""
    consumer.take(a_referral(1), a_referral(2))
    coordinator(consumer).mark_seen(ONE, OFFICER)
    with consumer.database.transaction() as connection:
        store = WorklistStore(connection)
        store.add_advice(Advice(ONE, 1, 1, 1, START, "officer"))
        store.add_contact(Contact(ONE, 1, 1, START, "officer", reached=False))
        store.add_opening(Opening(ONE, 1, START, "officer"))


def test_nothing_about_an_erased_signal_is_left_and_another_one_stays() -> None:
    consumer = worklist()
    with_people(consumer)
    [receipt] = of_record(consumer.take(erases(a_referral(1))), "Outcome")
    assert (receipt["kind"], receipt["state"], receipt["municipality"]) == ("RECEIPT", "DONE", VENLO)
    rows = consumer.everything("record_erased", "record_audit")
    assert ONE not in str(rows)
    assert TWO in str(rows)


def test_an_erasure_beside_the_offer_in_one_batch_holds_nothing_and_a_late_offer_brings_nothing_back() -> None:
    consumer = worklist()
    [receipt] = of_record(consumer.take(a_referral(1), erases(a_referral(1))), "Outcome")
    assert receipt["state"] == "NOTHING_HELD"
    assert consumer.take(a_referral(1, revision=5_000)) == []
    assert ONE not in str(consumer.everything("record_erased"))


def test_a_tombstone_deletes_as_well_for_who_missed_the_ask() -> None:
    consumer = worklist()
    with_people(consumer)
    assert consumer.on_tombstones(HANDLER.on_tombstones, gone("referrals", ONE)) == []
    assert ONE not in str(consumer.everything("record_audit"))


def test_what_is_parked_about_a_signal_ends_with_its_tombstone_and_what_is_about_another_waits() -> None:
    consumer = worklist()
    consumer.parks(a_referral(1))
    consumer.on_tombstones(HANDLER.on_tombstones, gone("referrals", TWO))
    assert len(consumer.parked()) == 1
    consumer.on_tombstones(HANDLER.on_tombstones, gone("referrals", ONE))
    assert consumer.parked() == []
