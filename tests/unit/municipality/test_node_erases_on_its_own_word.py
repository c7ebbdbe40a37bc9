"""R-RET-03: a node destroys only what its own municipality asked for, whoever says it in the name of the exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from node_views import a_view, an_erasure, an_outcome_of, hear, own_word, work_of
from nodes import NOW, Town, example, settings_of

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.inbox.handler import FROM_THE_EXCHANGE
from signal_exchange.municipality.inbox.parked import InboxParked
from signal_exchange.municipality.node import Node, node_of
from signal_exchange.municipality.rebuilding import plan
from signal_exchange.municipality.sending.outbox import OUTBOX
from signal_exchange.municipality.service import SERVICE
from signal_exchange.municipality.store import ERASURES, PARKED, SIGNALS, VIEWS
from signal_exchange.participants.region import init_region
from signal_exchange.privacy.register import Register
from signal_exchange.privacy.register_entries import MemberKey, Period
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.stream.identity import Identity
from signal_exchange.stream.messages import Message

OTHER = "GM0988"
Forge = Callable[[Town, str, str], dict[str, Any]]


@pytest.fixture
def town(tmp_path: Path) -> Town:
    region = init_region(tmp_path / "region", ["GM0983", OTHER], NOW.date())
    return Town(region, node_of(settings_of(region, "GM0983")))


def published(town: Town, *references: str) -> list[str]:
    """Publish signals and send them; give their ids."""
    results = town.publish(*(example(local_ref=reference) for reference in references or ("A-1",)))
    town.relay().send_all()
    return [str(each.signal_id) for each in results]


def erased_at_home(town: Town, signal_id: str, **changed: Any) -> Message:
    """Give the view by which an erasure comes home."""
    return a_view(signal_id, revision=9, version=2, outcomes=[an_erasure(town, signal_id, **changed)])


def with_register(town: Town, change: Callable[[Register], Register]) -> Town:
    """Give the node after the region changed the register."""
    changed = change(town.node.identity.register)
    return replace(town, node=replace(town.node, identity=Identity(lambda: changed, town.node.identity.current_keys)))


def vault(town: Town) -> list[list[dict[str, Any]]]:
    return [town.rows(table) for table in (SIGNALS, ERASURES, VIEWS, OUTBOX)]


def test_a_node_that_was_restored_from_a_back_up_erases_again_what_its_own_word_says(town: Town) -> None:
    [signal_id] = published(town)
    assert hear(town, erased_at_home(town, signal_id)).parked == []
    assert town.rows(SIGNALS) == []
    [row] = town.rows(ERASURES)
    assert (row["signal_id"], row["who"]) == (signal_id, FROM_THE_EXCHANGE)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def another(town: Town) -> Node:
    return node_of(settings_of(town.region, OTHER))


FORGED: dict[str, Forge] = {
    "no word": lambda _town, _own, _other: {"word": None},
    "another service": lambda _town, _own, _other: {"source": "worklist"},
    "another signal's erasure": lambda town, _own, other: {"word": own_word(town, other)},
    "another municipality in the word": lambda town, own, _other: {"word": own_word(town, own, municipality=OTHER)},
    "another municipality's key": lambda town, own, _other: {"word": own_word(town, own, key=another(town).signer().key)},
    "a key that nobody has": lambda town, own, _other: {"word": own_word(town, own, key=SigningKey.generate("x"))},
    "our key id and another key": lambda town, own, _other: {
        "word": own_word(town, own, key=SigningKey.generate(town.node.signer().key.key_id))
    },
    "our key id with another's signature": lambda town, own, _other: {
        "word": {**own_word(town, own, key=another(town).signer().key), "key_id": town.node.signer().key.key_id}
    },
    "a withdrawal of ours": lambda town, own, _other: {"word": own_word(town, own, record="SignalWithdrawn")},
    "no signature": lambda town, own, _other: {"word": {**own_word(town, own), "signature": b""}},
    "nothing signed": lambda town, own, _other: {
        "word": {**own_word(town, own), "value": b"", "signature": town.node.signer().key.sign(b"")}
    },
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_of_every_signal_a_forged_erasure_is_parked_and_destroys_nothing(town: Town, forge: Forge) -> None:
    ids = published(town, "A-1", "A-2", "A-3")
    before = vault(town)
    views = [erased_at_home(town, own, **forge(town, own, ids[number - 1])) for number, own in enumerate(ids)]
    work = hear(town, *views)
    assert [each.reason for each in work.parked] == ["ERASURE_UNPROVEN"] * 3
    assert vault(town) == before
    assert {row["reason"] for row in town.rows(PARKED)} == {"ERASURE_UNPROVEN"}


@pytest.mark.parametrize("part", ["value", "signature"])
def test_every_flipped_bit_of_the_word_is_seen(town: Town, part: str) -> None:
    [signal_id] = published(town)
    before, word = vault(town), own_word(town, signal_id)
    changed = [{**word, part: flipped(word[part], place)} for place in range(len(word[part]))]
    work = hear(town, *(erased_at_home(town, signal_id, word=each) for each in changed))
    assert (len(work.parked), vault(town)) == (len(changed), before)


def test_a_forged_erasure_beside_the_true_one_is_parked_with_it(town: Town) -> None:
    [signal_id] = published(town)
    forged = {**an_outcome_of(town, signal_id, None, kind="ERASURE", state="REQUESTED", source="agenda"), "outcome_id": "x"}
    work = hear(town, a_view(signal_id, outcomes=[an_erasure(town, signal_id), forged]))
    assert (len(work.parked), len(town.rows(SIGNALS))) == (1, 1)


def ending(register: Register, code: str) -> Register:
    """Let every key of a municipality end, and give it a new one."""

    def ended(key: MemberKey) -> MemberKey:
        return MemberKey(key.key, Period(key.valid.begin, NOW - timedelta(days=1)))

    members = tuple(
        replace(each, signing_keys=(*map(ended, each.signing_keys), MemberKey(SigningKey.generate("n").public, Period(NOW))))
        if each.code == code
        else each
        for each in register.municipalities
    )
    return replace(register, serial=register.serial + 1, municipalities=members)


def leaving(register: Register, code: str) -> Register:
    left = (
        replace(each, accession_status="LEFT", left_date=NOW.date()) if each.code == code else each
        for each in register.municipalities
    )
    return replace(register, serial=register.serial + 1, municipalities=tuple(left))


@pytest.mark.parametrize("change", [ending, leaving])
def test_a_word_holds_after_its_key_ended_and_after_its_municipality_left(
    town: Town, change: Callable[[Register, str], Register]
) -> None:
    [signal_id] = published(town)
    view = erased_at_home(town, signal_id)
    later = with_register(town, lambda register: change(register, "GM0983"))
    assert hear(later, view).parked == []
    assert town.rows(SIGNALS) == []


def test_a_refused_erasure_waits_for_a_person_and_trying_again_does_not_let_it_through(town: Town) -> None:
    [signal_id] = published(town)
    hear(town, erased_at_home(town, signal_id, word=None))
    node = town.node
    parked = InboxParked("municipality-gm0983", node.database, node.vault_key, node.identity.parking_seal(SERVICE), node.inbox())
    [row] = parked.waiting()
    with pytest.raises(RefusedError, match="ERASURE_UNPROVEN"):
        parked.retry(row["parked_id"], "CAUSE_GONE", "officer", NOW)
    assert ([each["parked_id"] for each in parked.waiting()], len(town.rows(SIGNALS))) == ([row["parked_id"]], 1)


def test_a_rebuild_takes_no_view_that_was_refused_and_touches_no_record(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    [signal_id] = published(town)
    monkeypatch.setattr("signal_exchange.municipality.rebuilding.loaded", lambda _group: town.node.settings)
    with town.node.database.transaction() as connection:
        work = work_of(town, connection)
        take = plan().take
        assert take is not None
        take([erased_at_home(town, signal_id, word=None)], work)
    assert [each.reason for each in work.parked] == ["ERASURE_UNPROVEN"]
    assert (town.rows(VIEWS), len(town.rows(SIGNALS))) == ([], 1)
