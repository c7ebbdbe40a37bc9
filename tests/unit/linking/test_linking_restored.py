"""What readers have heard still holds after linking was restored: nobody counts twice, and every later change reaches them.

A restored linking knows less than it told: here it comes back empty, and handles everything again at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from builders import TOMBSTONE, VENLO, WEERT, Consuming, Sent, signal_id
from link_records import LATER, PERSON, a_signal, an_answer, confirmed, linking, the_link

from signal_exchange.stream.messages import Message

LINK = the_link(1, 2)
UNDO = an_answer(LINK, "UNDO", days=4)


class Readers:
    """What the readers of linking's topics have: of each key the record with the highest revision."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], dict[str, Any]] = {}

    def hear(self, sent: Sequence[Sent]) -> None:
        for each in sent:
            known = self._last.get((each.topic, each.key))
            if each.record == TOMBSTONE:
                self._last.pop((each.topic, each.key), None)
            elif known is None or known["revision"] < each.fields["revision"]:
                self._last[each.topic, each.key] = each.fields

    def of(self, topic: str) -> list[dict[str, Any]]:
        return [fields for (its, _), fields in sorted(self._last.items()) if its == topic]

    @property
    def counted(self) -> Counter[str]:
        return Counter(each["municipality"] for each in self.of("observations") if each["counted"])

    @property
    def clusters(self) -> dict[str, str | None]:
        return {each["signal_id"]: each["cluster_id"] for each in self.of("links")}


@pytest.fixture
def readers() -> Readers:
    return Readers()


def told_one_by_one(readers: Readers, *messages: Message) -> Consuming:
    """Give a linking that handled these records, each in a batch of its own."""
    consumer = linking()
    for message in messages:
        readers.hear(consumer.take(message))
    return consumer


def restored(readers: Readers, *messages: Message) -> Consuming:
    """Give the linking that is put in its place and handles these records at once, a little later."""
    consumer = linking(now=LATER + timedelta(hours=1))
    readers.hear(consumer.take(*messages))
    return consumer


def test_a_restored_linking_gives_persons_facts_and_clusters_the_ids_that_they_had(readers: Readers) -> None:
    everything = [a_signal(1, PERSON), a_signal(2, PERSON), *confirmed(LINK), a_signal(3)]
    told_one_by_one(readers, *everything)
    facts, named = {each["observation_id"] for each in readers.of("observations")}, readers.clusters
    restored(readers, *everything)
    assert {each["observation_id"] for each in readers.of("observations")} == facts
    assert (readers.clusters, readers.counted) == (named, {VENLO: 2})


def test_a_person_whose_first_report_was_withdrawn_counts_once_after_a_restore(readers: Readers) -> None:
    both, gone = [a_signal(1, PERSON), a_signal(2, PERSON)], a_signal(1, version=2, revision=2, status="WITHDRAWN")
    told_one_by_one(readers, *both, *confirmed(LINK), gone)
    restored(readers, gone, both[1], *confirmed(LINK))
    assert readers.counted == {WEERT: 1}


def test_a_person_whose_first_report_was_erased_counts_once_after_a_restore_that_knows_nothing_of_it(readers: Readers) -> None:
    erased = a_signal(1, version=2, revision=9, status="ERASED", form=None, subjects=[])
    told_one_by_one(readers, a_signal(1, PERSON), a_signal(2, PERSON), *confirmed(LINK), erased)
    assert readers.counted.total() == 1
    restored(readers, a_signal(2, PERSON))
    assert readers.counted.total() == 1


def test_what_changes_after_a_restore_reaches_every_reader(readers: Readers) -> None:
    everything = [a_signal(1, PERSON), a_signal(2, PERSON), *confirmed(LINK)]
    told_one_by_one(readers, *everything)
    readers.hear(restored(readers, *everything).take(UNDO))
    assert [each["state"] for each in readers.of("link-candidates")] == ["REVOKED"]
    assert [each["link_ids"] for each in readers.of("links")] == [[], []]
    assert readers.counted == {VENLO: 1, WEERT: 1}


def test_a_confirmation_that_a_restored_linking_hears_of_together_with_its_undo_reaches_every_reader(readers: Readers) -> None:
    everything = [a_signal(1, PERSON), a_signal(2, PERSON), *confirmed(LINK)]
    told_one_by_one(readers, *everything)
    restored(readers, *everything, UNDO)
    assert [each["link_ids"] for each in readers.of("links")] == [[], []]
    assert readers.counted == {VENLO: 1, WEERT: 1}


def test_a_restored_linking_tells_nothing_of_what_it_handled_already(readers: Readers) -> None:
    everything = [a_signal(1, PERSON), a_signal(2, PERSON), *confirmed(LINK)]
    consumer = restored(readers, *everything)
    assert consumer.take(*everything) == []


def chain_that_breaks() -> list[Message]:
    """Give three signals in one cluster that the link of the younger two made; then the oldest one leaves it."""
    first, second = the_link(2, 3), the_link(1, 2)
    officers = [an_answer(first, "CONFIRM", who, days=1.5) for who in (VENLO, WEERT)]
    made = [an_answer(first, "RELEASE"), *officers]
    return [*(a_signal(number, PERSON) for number in (1, 2, 3)), *made, *confirmed(second), an_answer(second, "UNDO", days=4)]


def test_a_cluster_that_splits_off_gets_a_name_of_its_own_though_the_same_link_made_it(readers: Readers) -> None:
    told_one_by_one(readers, *chain_that_breaks())
    one, two, three = (readers.clusters[signal_id(number)] for number in (1, 2, 3))
    assert two == three
    assert None not in (one, two)
    assert one != two


def test_a_signal_that_left_a_cluster_is_not_in_it_again_after_a_restore(readers: Readers) -> None:
    told_one_by_one(readers, *chain_that_breaks())
    restored(readers, *chain_that_breaks())
    one, two, three = (readers.clusters[signal_id(number)] for number in (1, 2, 3))
    assert two == three
    assert one != two
