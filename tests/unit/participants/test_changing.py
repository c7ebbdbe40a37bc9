"""How the participants' register changes: who may join, leave and renew keys, and what stays valid."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from builders import ONE, TWO, a_word
from refusing import refused

from signal_exchange.domain.ids import parse_municipality_code
from signal_exchange.participants.changing import OVERLAP, joined, left, revoked, rotated
from signal_exchange.participants.differences import differences
from signal_exchange.participants.requests import SignedRequest, new_keys, read_request, request_text
from signal_exchange.privacy.register import Register, RegisterInvalidError
from signal_exchange.privacy.register_entries import GroupKey, MemberKey, Participant, Period, registered_members
from signal_exchange.privacy.sealing import SealingPrivateKey
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.reference.loading import load_members
from signal_exchange.stream.erasure_word import fault_of

CODE = parse_municipality_code("GM0907")
MEMBER = load_members().get(CODE)
AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DAY = date(2026, 11, 20)


def asking(name: str = "2026-2", before: SigningKey | None = None) -> tuple[SigningKey, SignedRequest]:
    signing, sealing = new_keys(CODE, name)
    return signing, read_request(request_text(CODE, signing, sealing, before))


@pytest.fixture
def member() -> tuple[SigningKey, Register]:
    signing, asked = asking()
    return signing, joined(Register(1), asked, MEMBER, DAY, AT)


def test_who_joins_can_sign_from_that_day_and_be_written_to(member: tuple[SigningKey, Register]) -> None:
    signing, register = member
    assert register.serial == 2
    assert register.signing_key(signing.key_id, AT) == (CODE, signing.public)
    assert register.signing_key(signing.key_id, AT - timedelta(days=1)) is None
    assert register.sealing_key(f"gm:{CODE}", AT).key_id == f"gm:{CODE}-2026-2"
    assert registered_members(load_members(), register.municipalities).is_member(CODE, DAY)
    assert not load_members().is_member(CODE, DAY)


def test_joining_twice_with_the_same_keys_is_once_and_with_others_is_refused() -> None:
    _, asked = asking()
    register = joined(Register(1), asked, MEMBER, DAY, AT)
    assert joined(register, asked, MEMBER, DAY, AT) is register
    with refused("takes part with other keys", "en"):
        joined(register, asking("2026-3")[1], MEMBER, DAY, AT)


def test_a_municipality_of_another_region_cannot_join() -> None:
    with refused("no municipality of this region", "en"):
        joined(Register(1), asking()[1], None, DAY, AT)


def test_who_left_signs_nothing_any_more_but_what_was_published_stays_valid(member: tuple[SigningKey, Register]) -> None:
    signing, register = member
    after = left(register, CODE, date(2026, 12, 1))
    assert after.signing_key(signing.key_id, datetime(2026, 11, 30, 12, 0, tzinfo=UTC)) is not None
    assert after.signing_key(signing.key_id, datetime(2026, 12, 1, 12, 0, tzinfo=UTC)) is None
    assert left(after, CODE, date(2026, 12, 1)) is after
    with refused("takes no part", "en"):
        left(after, CODE, date(2026, 12, 2))
    with refused("has left", "en"):
        joined(after, asking("2027-1")[1], MEMBER, DAY, AT)


def test_a_new_key_signs_at_once_and_the_old_one_eight_days_longer(member: tuple[SigningKey, Register]) -> None:
    old, register = member
    new, asked = asking("2026-3", old)
    after = rotated(register, asked, AT)
    assert after.signing_key(new.key_id, AT) == (CODE, new.public)
    assert after.signing_key(old.key_id, AT + OVERLAP - timedelta(seconds=1)) is not None
    assert after.signing_key(old.key_id, AT + OVERLAP) is None
    assert after.sealing_key(f"gm:{CODE}", AT).key_id.endswith("2026-3")
    assert rotated(after, asked, AT) is after


def test_a_second_rotation_does_not_lengthen_the_life_of_a_key_that_was_ending(member: tuple[SigningKey, Register]) -> None:
    first, register = member
    second, asked = asking("2026-3", first)
    once = rotated(register, asked, AT)
    _, again = asking("2026-4", second)
    twice = rotated(once, again, AT + timedelta(days=2))
    assert twice.signing_key(first.key_id, AT + OVERLAP) is None


@pytest.mark.parametrize("before", [None, SigningKey.generate("stranger")])
def test_new_keys_that_nobody_with_a_valid_key_asked_for_are_refused(
    member: tuple[SigningKey, Register], before: SigningKey | None
) -> None:
    _, register = member
    with refused("not signed with a key of this municipality", "en"):
        rotated(register, asking("2026-3", before)[1], AT)


def test_who_takes_no_part_cannot_renew_keys() -> None:
    with refused("takes no part", "en"):
        rotated(Register(1), asking()[1], AT)


def _sign_another(document: dict[str, dict[str, str]]) -> None:
    document["request"]["municipality"] = "GM0983"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda document: document.pop("signature"), "no request for keys"),
        (lambda document: document["request"].pop("sealing"), "no request for keys"),
        (lambda document: document["request"].update(kind="else"), "no request for keys"),
        (_sign_another, "not signed with the key that it names"),
    ],
)
def test_a_request_that_is_none_or_was_changed_is_refused(spoil: Callable[[dict[str, object]], object], words: str) -> None:
    signing, sealing = new_keys(CODE, "2026-2")
    document = json.loads(request_text(CODE, signing, sealing, None))
    spoil(document)
    with refused(words, "en"):
        read_request(json.dumps(document))


def a_request(signing: SigningKey, sealing: SealingPrivateKey, code: str = CODE) -> str:
    return request_text(parse_municipality_code(code), signing, sealing, None)


FOREIGN = {
    "a service's sealing key": (f"{CODE.lower()}-1", "care-2026-1"),
    "a parking key": (f"{CODE.lower()}-1", "parking-routing-2026-1"),
    "another municipality's sealing key": (f"{CODE.lower()}-1", "gm:GM0983-2026-1"),
    "another municipality's signing key": ("gm0983-2026-1", f"gm:{CODE}-1"),
    "the prefix alone": (f"{CODE.lower()}-", f"gm:{CODE}-1"),
    "capitals": (f"{CODE}-1", f"gm:{CODE}-1"),
    "no prefix": ("1", f"gm:{CODE}-1"),
    "a blank": (f"{CODE.lower()}-1 ", f"gm:{CODE}-1"),
    "a line end": (f"{CODE.lower()}-1\n", f"gm:{CODE}-1"),
    "a control character": (f"{CODE.lower()}-1", f"gm:{CODE}-\x00"),
    "a very long name": (f"{CODE.lower()}-1", f"gm:{CODE}-" + "1" * 41),
    "a name of other letters": (f"{CODE.lower()}-\u0430", f"gm:{CODE}-1"),
}


@pytest.mark.parametrize("ids", FOREIGN.values(), ids=FOREIGN)
def test_a_request_names_key_ids_of_its_own_municipality_only(ids: tuple[str, str]) -> None:
    signing, sealing = SigningKey.generate(ids[0]), SealingPrivateKey.generate(ids[1], f"gm:{CODE}")
    with refused("names its own keys only", "en"):
        read_request(a_request(signing, sealing))


def test_an_id_that_stands_in_the_register_with_another_key_is_refused_and_nothing_is_taken_out() -> None:
    _, first = asking()
    register = joined(Register(1), first, MEMBER, DAY, AT)
    other = SealingPrivateKey.generate(f"gm:{CODE}-2026-3", "care")
    taken = replace(register, sealing_keys=(*register.sealing_keys, GroupKey(other.public, Period(AT))))
    old, asked = asking("2026-3", None)
    with refused("as another key, of care", "en"):
        rotated(replace(taken, municipalities=(replace(taken.municipalities[0], signing_keys=()),)), asked, AT)
    theirs = Participant(parse_municipality_code("GM0983"), "ACCEDED", DAY, signing_keys=(MemberKey(old.public, Period(AT)),))
    with refused("another municipality's", "en"):
        joined(Register(1, (theirs,)), asked, MEMBER, DAY, AT)


def test_no_change_takes_a_key_out_of_the_register(member: tuple[SigningKey, Register]) -> None:
    old, register = member
    new, asked = asking("2026-3", old)
    steps = [register, rotated(register, asked, AT)]
    steps.append(revoked(steps[-1], new.key_id, AT + timedelta(hours=1)))
    steps.append(left(steps[-1], CODE, date(2026, 12, 1)))
    for before, after in itertools.pairwise(steps):
        after.require_successor_of(before)
        with pytest.raises(RegisterInvalidError, match="REGISTER_LACKS_KEY"):
            replace(after, municipalities=()).require_successor_of(before)
        with pytest.raises(RegisterInvalidError, match="REGISTER_LACKS_KEY"):
            replace(after, sealing_keys=()).require_successor_of(before)
    assert steps[-1].key_ever_given(CODE, old.key_id) == old.public
    assert steps[-1].key_ever_given(CODE, new.key_id) == new.public
    assert steps[-1].key_ever_given("GM0983", old.key_id) is None


def test_a_word_to_erase_holds_after_its_key_was_renewed_revoked_and_its_municipality_left(
    member: tuple[SigningKey, Register],
) -> None:
    old, register = member
    word = a_word(ONE, CODE, key=old)
    _, asked = asking("2026-3", old)
    renewed = rotated(register, asked, AT)
    for later in (renewed, revoked(renewed, old.key_id, AT), left(renewed, CODE, DAY)):
        assert later.signing_key(old.key_id, AT + OVERLAP) is None
        assert fault_of(word, signal_id=ONE, municipality=CODE, register=later) is None
        assert fault_of(word, signal_id=TWO, municipality=CODE, register=later) == "word.value R-RET-03"
    assert fault_of(word, signal_id=ONE, municipality=CODE, register=Register(1)) == "word.key_id R-RET-03"


def test_a_key_that_was_stolen_signs_nothing_from_that_moment_on_and_cannot_ask_for_new_ones(
    member: tuple[SigningKey, Register],
) -> None:
    stolen, register = member
    moment = AT + timedelta(hours=1)
    after = revoked(register, stolen.key_id, moment)
    assert after.signing_key(stolen.key_id, moment - timedelta(seconds=1)) is not None
    assert after.signing_key(stolen.key_id, moment) is None
    assert revoked(after, stolen.key_id, moment + timedelta(hours=1)) is after
    owner, asked = asking("2026-3")  # of one that has no valid key left the office checks who asks, as when it joined
    again = rotated(after, asked, moment)
    assert again.signing_key(owner.key_id, moment) == (CODE, owner.public)
    with refused("not signed with a key", "en"):
        rotated(again, asking("2026-4", stolen)[1], moment)
    with refused("No municipality has", "en"):
        revoked(register, "gm0907-unknown", moment)


FROM = "geldig vanaf 2026-11-20T10:00+00:00"


def test_the_office_sees_what_is_added_and_what_ends_for_whom(member: tuple[SigningKey, Register]) -> None:
    old, register = member
    assert differences(register, register) == []
    joining = differences(Register(1), register)
    assert joining == [
        "GM0907: ACCEDED vanaf 2026-11-20 (was: niet ingeschreven)",
        f"GM0907: tekensleutel gm0907-2026-2 komt erbij, {FROM} zonder einde",
        f"gm:GM0907: verzegelsleutel gm:GM0907-2026-2 komt erbij, {FROM} zonder einde",
    ]
    rotating = differences(register, rotated(register, asking("2026-3", old)[1], AT))
    assert rotating == [
        f"GM0907: tekensleutel gm0907-2026-2 verandert: {FROM} tot 2026-11-28T10:00+00:00 (was: {FROM} zonder einde)",
        f"GM0907: tekensleutel gm0907-2026-3 komt erbij, {FROM} zonder einde",
        f"gm:GM0907: verzegelsleutel gm:GM0907-2026-3 komt erbij, {FROM} zonder einde",
    ]
    leaving = differences(register, left(register, CODE, date(2026, 12, 1)))
    assert leaving == ["GM0907: LEFT vanaf 2026-11-20 tot 2026-12-01 (was: ACCEDED vanaf 2026-11-20)"]
