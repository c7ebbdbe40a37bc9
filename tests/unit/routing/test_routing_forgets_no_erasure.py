"""R-RET-03 after the loss of routing's store: every erasure goes on to its certificate, and what was erased stays gone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import a_message
from replays import MemoryReplay
from routing_bench import Bench, sender_of
from routing_stream import Stream
from senders import AT, Sender, coded_example, identity_in

from signal_exchange.contracts.codec import decode_whole
from signal_exchange.routing.erasing import KEYED_BY_SIGNAL, Terms
from signal_exchange.routing.erasures import ASKED, Answer, Erasure, ErasureStore
from signal_exchange.stream.erasure_word import word_in, word_of
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.outcomes import outcome_id_of

SIGNAL = coded_example("01_sexual")
SIGNAL_ID = str(SIGNAL["signal_id"])
LATER = AT + timedelta(hours=1)
TERMS = Terms(segment_seconds=60.0, clean_seconds=60.0)
SECOND = {**SIGNAL, "version": 2, "supersedes": 1}
ASKED_ON = ("referrals", "referrals-youth", "agenda-items", "link-tokens")
EVER_AFTER = AT + timedelta(days=400)


@pytest.fixture
def stream(bench: Bench) -> Stream:
    return Stream(bench)


def an_outcome(source: str, kind: str, state: str, at: datetime = LATER) -> Message:
    """Give an outcome of a service as it stands on the topic."""
    outcome_id = outcome_id_of(SIGNAL_ID, source, kind, 1)
    about = {"signal_id": SIGNAL_ID, "version": 2, "revision": 1, "municipality": SIGNAL["municipality"]}
    own = {"outcome_id": outcome_id, "source": source, "kind": kind, "state": state, "occurred_at": at}
    nothing = {"outcome": None, "own_ref": None, "detail": None}
    message = a_message("Outcome", {**about, **own, **nothing}, topic="outcomes", reader="routing", at=at)
    return replace(message, incoming=replace(message.incoming, key=f"{SIGNAL_ID}/{outcome_id}".encode()))


def receipts(services: Iterable[str] = ASKED) -> list[Message]:
    return [an_outcome(service, "RECEIPT", "DONE") for service in services]


def erased(stream: Stream) -> Sender:
    """Publish and erase the signal; routing asks everybody and reads what it told."""
    sender = sender_of(stream.bench, "01_sexual")
    stream.came(sender.published(SIGNAL))
    stream.came(sender.erased(SIGNAL_ID, 2))
    stream.reads_outcomes()
    return sender


def brought(stream: Stream, to: str) -> Sender:
    """Bring an erasure to this state."""
    sender = erased(stream)
    answered = {"REQUESTED": (), "ANSWERED BY SOME": ASKED[:2]}.get(to, ASKED)
    stream.told(*receipts(answered))
    stream.reads_outcomes()
    if to in ("MARKED", "CERTIFIED"):
        stream.looks(LATER + timedelta(seconds=60), TERMS)
    if to == "CERTIFIED":
        stream.looks(LATER + timedelta(seconds=120), TERMS)
    stream.reads_outcomes()
    return sender


def known(stream: Stream) -> tuple[Erasure, dict[str, Answer]]:
    with stream.bench.database.reading() as connection:
        store = ErasureStore(connection)
        [erasure] = store.erasures().values()
        return erasure, store.answers(SIGNAL_ID)


def told(stream: Stream) -> list[dict[str, Any]]:
    return [each for each in stream.bench.sent("outcomes") if each["kind"] == "ERASURE"]


def tombstones(stream: Stream) -> set[tuple[str, str]]:
    return {(each.topic, each.key) for each in stream.bench.outgoing if each.value is None}


def certified_in_time(stream: Stream, begin: datetime) -> None:
    """Let time pass until the certificate, which names everybody who answered."""
    stream.looks(begin, TERMS)
    stream.looks(begin + timedelta(seconds=60), TERMS)
    last = told(stream)[-1]
    assert last["state"] == "CERTIFIED"
    municipality = identity_in(stream.bench.region, f"municipality-{SIGNAL['municipality'].lower()}")
    certificate = json.loads(municipality.opened(last["detail"], f"{SIGNAL_ID}/{last['outcome_id']}"))
    assert certificate["receipts"].keys() == {*ASKED}
    assert datetime.fromisoformat(certificate["erased_at"]) == AT
    assert certificate["tombstones_at"] is not None


def nothing_is_accepted_or_kept_of_it(stream: Stream, sender: Sender) -> None:
    before = len(stream.bench.sent("accepted"))
    stream.came(sender.published(SECOND))
    assert stream.bench.reasons[-1] == "VERSION_CONFLICT"
    parked = stream.bench.sent("parked")[-1]
    kept = json.loads(identity_in(stream.bench.region, "routing").opened(parked["record"], parked["parked_id"]))
    assert kept["value"] is None
    assert len(stream.bench.sent("accepted")) == before
    late = an_outcome("agenda", "DECISION", "DECIDED")
    stream.told(late)
    assert [(each.key, each.value) for each in stream.reads_outcomes()] == [(late.incoming.key_text, None)]


@pytest.mark.parametrize("answered", [0, 2, 5])
def test_an_erasure_begun_after_the_back_up_goes_on_after_a_restore(stream: Stream, tmp_path: Path, answered: int) -> None:
    sender = sender_of(stream.bench, "01_sexual")
    stream.came(sender.published(SIGNAL))
    file = stream.backed_up(tmp_path / "routing.backup")
    stream.came(sender.erased(SIGNAL_ID, 2))
    stream.reads_outcomes()
    stream.told(*receipts(ASKED[:answered]))
    stream.reads_outcomes()
    stream.restored(file)
    nothing_is_accepted_or_kept_of_it(stream, sender)
    stream.told(*receipts(ASKED[answered:]))
    stream.reads_outcomes()
    assert {(topic, SIGNAL_ID) for topic in KEYED_BY_SIGNAL} <= tombstones(stream)
    assert (told(stream)[-1]["state"], stream.bench.stored()) == ("DONE", [])
    certified_in_time(stream, LATER + timedelta(seconds=60))


@pytest.mark.parametrize("state", ["REQUESTED", "ANSWERED BY SOME", "DONE", "MARKED", "CERTIFIED"])
def test_an_empty_store_gets_every_erasure_back_as_far_as_it_was(stream: Stream, state: str) -> None:
    sender = brought(stream, state)
    (before, answers), rows = known(stream), stream.rows()
    stream.lost_and_rebuilt()
    after, answered = known(stream)
    if state == "MARKED":  # nobody was told of it: it is done again
        before = replace(before, marked_at=None, revision=before.revision - 1)
    assert replace(after, marked_at=None) == replace(before, marked_at=None)
    assert (answered, stream.rows()["projection_signals"]) == (answers, rows["projection_signals"])
    nothing_is_accepted_or_kept_of_it(stream, sender)


@pytest.mark.parametrize("state", ["DONE", "MARKED"])
def test_what_was_buried_is_marked_again_and_gets_its_certificate(stream: Stream, state: str) -> None:
    brought(stream, state)
    stream.lost_and_rebuilt()
    certified_in_time(stream, LATER + timedelta(hours=2))


def test_a_certificate_stands_when_the_trace_forgot_and_the_topic_has_the_last_words_only(stream: Stream) -> None:
    sender = brought(stream, "CERTIFIED")
    stream.is_compacted("outcomes", "accepted")
    stream.topics.topics["signal-trace"].clear()
    stream.topics.topics["signals"].clear()
    stream.came()
    stream.lost_and_rebuilt()
    stream.told(*receipts())
    assert stream.reads_outcomes() == []
    assert stream.looks(EVER_AFTER, TERMS) == []
    assert known(stream)[0].state == "CERTIFIED"
    nothing_is_accepted_or_kept_of_it(stream, sender)


def test_a_signal_that_was_buried_comes_back_as_no_row(stream: Stream) -> None:
    brought(stream, "DONE")
    stream.is_compacted("accepted")
    stream.lost_and_rebuilt()
    assert stream.bench.stored() == []


def test_the_day_of_the_last_asking_comes_back(stream: Stream) -> None:
    erased(stream)
    stream.looks(AT + timedelta(days=1), TERMS)
    before = known(stream)
    stream.lost_and_rebuilt()
    assert known(stream) == before
    assert stream.looks(AT + timedelta(hours=47), TERMS) == []
    assert {each.topic for each in stream.looks(AT + timedelta(hours=48), TERMS)} >= {"referrals", "agenda-items"}


def cut_from(topics: MemoryReplay, ends: dict[str, int], *but: str) -> None:
    """Let the topics end where they ended then: what was sent since was lost with the store, but what stands on these."""
    for topic in topics.topics.keys() - set(but):
        del topics.topics[topic][ends.get(topic, 0) :]


def ends_of(topics: MemoryReplay) -> dict[str, int]:
    return {topic: len(log) for topic, log in topics.topics.items()}


def test_an_erasure_of_which_only_the_trace_was_sent_is_asked_for_within_a_day_and_judged_no_more(stream: Stream) -> None:
    sender = sender_of(stream.bench, "01_sexual")
    stream.came(sender.published(SIGNAL))
    stream.reads_outcomes()
    [offered] = [each["revision"] for each in stream.bench.sent("link-tokens")]
    ends = ends_of(stream.topics)
    stream.came(sender.erased(SIGNAL_ID, 2))
    cut_from(stream.topics, ends, "signals", "signal-trace")
    stream.lost_and_rebuilt()
    assert stream.bench.stored() == []
    asked = {each.topic for each in stream.looks(AT + timedelta(days=1), TERMS)}
    assert asked >= {"referrals", "referrals-youth", "agenda-items", "link-tokens", "outcomes"}
    assert stream.bench.sent("link-tokens")[-1]["revision"] > offered
    nothing_is_accepted_or_kept_of_it(stream, sender)


def test_an_erasure_that_everybody_answered_and_that_nobody_heard_was_done_asks_once_more(stream: Stream) -> None:
    erased(stream)
    stream.told(*receipts())
    ends = ends_of(stream.topics)
    stream.reads_outcomes()
    cut_from(stream.topics, ends)
    stream.lost_and_rebuilt()
    again = stream.looks(AT + timedelta(days=1), TERMS)
    assert (told(stream)[-1]["state"], {each.topic for each in again}) == ("REQUESTED", {"outcomes", "signal-trace"})
    stream.told(*receipts(["feedback"]))  # it answers whoever asks, as often as it is asked
    stream.reads_outcomes()
    assert told(stream)[-1]["state"] == "DONE"


def test_a_word_that_routing_has_not_read_yet_counts_and_what_others_told_since_comes_to_itself(stream: Stream) -> None:
    brought(stream, "REQUESTED")
    stream.looks(AT + timedelta(days=1), TERMS)  # asks again: routing's own outcome stands after what it has read
    before = known(stream)
    late = an_outcome("agenda", "DECISION", "DECIDED")
    stream.told(late, *receipts())
    broken = stream.topics.topics["outcomes"]
    broken.append(replace(broken[-1], offset=len(broken), value=b"nobody can read this"))
    stream.lost_and_rebuilt()
    assert known(stream) == before
    assert late.incoming.key_text not in {row["key"] for row in stream.rows()["projection_outcomes"]}
    stream.reads_outcomes()
    assert told(stream)[-1]["state"] == "DONE"


def forged(**changed: Any) -> Message:
    """Give an erasure that another service tells in routing's name, so that it comes after what routing told itself."""
    outcome_id = outcome_id_of(SIGNAL_ID, "routing", "ERASURE", 1)
    about = {"signal_id": SIGNAL_ID, "version": 2, "revision": 40, "municipality": SIGNAL["municipality"]}
    own = {"outcome_id": outcome_id, "source": "routing", "kind": "ERASURE", "state": "REQUESTED", "occurred_at": LATER}
    message = a_message("Outcome", {**about, **own, **changed}, topic="outcomes", reader="routing", at=LATER)
    return replace(message, incoming=replace(message.incoming, key=f"{SIGNAL_ID}/{outcome_id}".encode()))


RUN_OF_NOBODY = "00000000-0000-4000-8000-0000000000aa"


def a_forged_trace() -> Message:
    about = {
        "signal_id": SIGNAL_ID,
        "version": 2,
        "municipality": SIGNAL["municipality"],
        "publisher_run": RUN_OF_NOBODY,
        "sequence": 9,
    }
    step = {
        "trace_id": "00000000-0000-4000-8000-00000000f06d",
        "service": "routing",
        "stage": "RECEIVED",
        "verdict": "erased",
        "at": LATER,
    }
    none = dict.fromkeys(("destination", "owner_role", "next_date"))
    return a_message("TraceFact", {**about, **step, **none}, topic="signal-trace", reader="rebuild", at=LATER)


def test_a_rebuild_believes_no_erasure_without_the_word_of_the_signals_municipality(stream: Stream) -> None:
    sender = sender_of(stream.bench, "01_sexual")
    other = Sender.of(
        stream.bench.region, next(code for code in stream.bench.region.municipalities if code != sender.municipality)
    )
    stream.came(sender.published(SIGNAL))
    [before] = stream.bench.stored()
    theirs = word_of(other.erased(SIGNAL_ID, 2).incoming)
    stream.told(forged(), forged(word=theirs), forged(word=theirs, municipality=other.municipality))
    stream.topics.add(a_forged_trace())
    stream.lost_and_rebuilt()
    with stream.bench.database.reading() as connection:
        assert ErasureStore(connection).erasures() == {}
    assert [(each.state, each.accepted) for each in stream.bench.stored()] == [(before.state, before.accepted)]
    stream.came(sender.published(SECOND))
    assert (stream.bench.reasons, stream.bench.verdicts()[2]) == ([], "routed")


def test_an_erasure_that_a_rebuild_knew_from_the_trace_only_begins_when_its_word_comes_again(stream: Stream) -> None:
    sender = sender_of(stream.bench, "01_sexual")
    stream.came(sender.published(SIGNAL))
    ends, committed = ends_of(stream.topics), dict(stream.topics.done)
    word = sender.erased(SIGNAL_ID, 2)
    stream.came(word)
    cut_from(stream.topics, ends, "signals", "signal-trace")
    stream.topics.done.update(committed)  # the process died before it committed
    stream.lost_and_rebuilt()
    with stream.bench.database.reading() as connection:
        assert ErasureStore(connection).erasures() == {}
    stream.bench.run(word)
    assert known(stream)[0].word == word_of(word.incoming)
    assert (told(stream)[-1]["state"], told(stream)[-1]["word"]) == ("REQUESTED", word_of(word.incoming))


def named(incoming: Incoming) -> str:
    return decode_whole(incoming.value).record


@pytest.mark.parametrize("state", ["REQUESTED", "DONE", "CERTIFIED"])
def test_every_order_to_erase_and_every_state_of_it_carries_the_municipalitys_own_word(stream: Stream, state: str) -> None:
    brought(stream, state)
    [said] = [word_of(each) for each in map(Incoming.of, stream.topics.topics["signals"]) if named(each) == "SignalErased"]
    orders = [each for topic in ASKED_ON for each in stream.bench.sent(topic) if each["status"] == "ERASED"]
    assert len(orders) == len(ASKED_ON)
    assert all(each["word"] == said for each in (*orders, *told(stream)))
    buried = [each for each in stream.bench.outgoing if each.value is None and each.key == SIGNAL_ID]
    assert {each.topic for each in buried} == ({*KEYED_BY_SIGNAL} if state != "REQUESTED" else set())
    assert all(word_in(dict(each.headers)) == said for each in buried)
    stream.lost_and_rebuilt()
    assert known(stream)[0].word == said
