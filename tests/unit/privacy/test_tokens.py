from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signal_exchange.domain.links.epochs import epoch_of
from signal_exchange.privacy.evaluating import EpochKey
from signal_exchange.privacy.keeper_client import KeeperClient, NoTokens, Reason
from signal_exchange.privacy.normalising import LinkValue
from signal_exchange.privacy.register import Register, RegisterInvalidError
from signal_exchange.privacy.register_entries import KeeperKey, Period, RegisteredKeeper
from signal_exchange.privacy.sealing import LinkToken
from signal_exchange.privacy.tokens import TokenMaker, keeper_clients, token, token_input

unhurried = settings(deadline=None, max_examples=40)

EPOCH = "2026H2"
KEY_A, KEY_B, OTHER = (EpochKey(EPOCH, bytes([number]) * 32) for number in (1, 2, 3))
PHONE = LinkValue("subject:s1", "PHONE", "+31612345678")
PLATE = LinkValue("object:0", "PLATE", "NL:GX123B")
Answer = Callable[[httpx2.Request], httpx2.Response]


def evaluation(key: EpochKey, request: httpx2.Request) -> dict[str, Any]:
    points = json.loads(request.content)["punten"]
    answer = key.evaluate(bytes.fromhex("".join(points)))
    return {
        "epoch": EPOCH,
        "bewijs": answer[:64].hex(),
        "punten": [answer[start : start + 32].hex() for start in range(64, 576, 32)],
    }


def a_keeper(key: EpochKey, seen: list[httpx2.Request] | None = None) -> Answer:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if seen is not None:
            seen.append(request)
        return httpx2.Response(200, json=evaluation(key, request))

    return answer


def a_register(key_a: EpochKey = KEY_A, key_b: EpochKey = KEY_B) -> Register:
    period = Period(datetime(2026, 7, 1, tzinfo=UTC))
    keepers = tuple(
        RegisteredKeeper(f"keeper-{name}", f"https://{name}.example.nl/", (KeeperKey(EPOCH, key.public_key, period),))
        for name, key in (("b", key_b), ("a", key_a))
    )
    return Register(1, registered_keepers=keepers)


def a_maker(keeper_a: Answer, keeper_b: Answer, register: Register | None = None) -> TokenMaker:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return (keeper_a if request.url.host == "a.example.nl" else keeper_b)(request)

    http = httpx2.Client(transport=httpx2.MockTransport(answer), timeout=1)
    bearers = {"keeper-a": "token of a", "keeper-b": "token of b"}
    return TokenMaker(*keeper_clients(register or a_register(), bearers, http))


def outputs(key: EpochKey, value: LinkValue) -> bytes:
    return key._evaluator.evaluate_known_input(token_input(value.type, value.value))


def expected_token(value: LinkValue) -> LinkToken:
    made = token(value.type, EPOCH, outputs(KEY_A, value), outputs(KEY_B, value))
    return LinkToken(value.carrier, value.type, EPOCH, made)


@pytest.mark.parametrize(
    ("day", "epoch"),
    [
        (date(2026, 1, 1), "2026H1"),
        (date(2026, 6, 30), "2026H1"),
        (date(2026, 7, 1), "2026H2"),
        (date(2026, 12, 31), "2026H2"),
        (date(2027, 1, 1), "2027H1"),
    ],
)
def test_r_link_01_an_epoch_is_half_a_year(day: date, epoch: str) -> None:
    assert epoch_of(day) == epoch


def test_a_token_is_the_start_of_a_hash_over_length_prefixed_parts() -> None:
    out_a, out_b = b"a" * 64, b"b" * 64
    parts = (b"signal-exchange/token/v2", b"PHONE", b"2026H2", out_a, out_b)
    expected = hashlib.sha256(b"".join(len(part).to_bytes(2, "big") + part for part in parts)).digest()[:16]
    assert token("PHONE", "2026H2", out_a, out_b) == expected


@unhurried
@given(st.binary(min_size=64, max_size=64), st.binary(min_size=64, max_size=64), st.binary(min_size=64, max_size=64))
def test_a_token_needs_the_outputs_of_both_keepers(out_a: bytes, out_b: bytes, other: bytes) -> None:
    made = token("PHONE", EPOCH, out_a, out_b)
    assert (token("PHONE", EPOCH, other, out_b) == made) == (other == out_a)
    assert (token("PHONE", EPOCH, out_a, other) == made) == (other == out_b)
    assert (token("PHONE", EPOCH, out_b, out_a) == made) == (out_a == out_b)


def test_a_value_gets_the_token_that_both_keepers_make_together() -> None:
    maker = a_maker(a_keeper(KEY_A), a_keeper(KEY_B))
    assert maker.tokens_for_many([[PHONE, PLATE]], epoch=EPOCH)[0] == (expected_token(PHONE), expected_token(PLATE))


def test_two_municipalities_make_the_same_token_of_the_same_value() -> None:
    first = a_maker(a_keeper(KEY_A), a_keeper(KEY_B)).tokens_for_many([[PLATE]], epoch=EPOCH)[0]
    second = a_maker(a_keeper(KEY_A), a_keeper(KEY_B)).tokens_for_many([[PLATE]], epoch=EPOCH)[0]
    assert first == second


def test_another_key_at_either_keeper_gives_another_token() -> None:
    made = {expected_token(PLATE)}
    for key_a, key_b in ((OTHER, KEY_B), (KEY_A, OTHER)):
        maker = a_maker(a_keeper(key_a), a_keeper(key_b), a_register(key_a, key_b))
        tokens = maker.tokens_for_many([[PLATE]], epoch=EPOCH)[0]
        assert isinstance(tokens, tuple)
        made |= set(tokens)
    assert len(made) == 3


def test_a_record_without_values_asks_nobody() -> None:
    seen: list[httpx2.Request] = []
    assert a_maker(a_keeper(KEY_A, seen), a_keeper(KEY_B, seen)).tokens_for_many([[]], epoch=EPOCH)[0] == ()
    assert seen == []


@unhurried
@given(st.integers(1, 40))
def test_every_request_to_a_keeper_has_exactly_16_points(count: int) -> None:
    seen: list[httpx2.Request] = []
    values = [LinkValue("subject:s1", "PHONE", f"+316{number:08}") for number in range(count)]
    a_maker(a_keeper(KEY_A, seen), a_keeper(KEY_B)).tokens_for_many([values], epoch=EPOCH)[0]
    assert [len(json.loads(request.content)["punten"]) for request in seen] == [16] * -(-count // 16)


def test_a_request_carries_our_bearer_token_the_epoch_and_nothing_of_the_value() -> None:
    seen: list[httpx2.Request] = []
    a_maker(a_keeper(KEY_A, seen), a_keeper(KEY_B, seen)).tokens_for_many([[PHONE]], epoch=EPOCH)[0]
    by_host = {request.url.host: request for request in seen}
    assert by_host["a.example.nl"].headers["Authorization"] == "Bearer token of a"
    assert by_host["b.example.nl"].headers["Authorization"] == "Bearer token of b"
    for request in seen:
        assert str(request.url).endswith(".example.nl/v1/evaluaties")
        assert set(json.loads(request.content)) == {"epoch", "punten"}
        assert b"31612345678" not in request.content
    assert by_host["a.example.nl"].content != by_host["b.example.nl"].content


def test_the_values_of_many_records_share_full_requests_and_repeats_are_asked_once() -> None:
    seen: list[httpx2.Request] = []
    records = [[LinkValue("subject:s1", "PHONE", f"+316{number:08}"), PLATE] for number in range(100)]
    tokens = a_maker(a_keeper(KEY_A, seen), a_keeper(KEY_B)).tokens_for_many(records, epoch=EPOCH)
    assert len(seen) == 7
    assert tokens[40] == (expected_token(records[40][0]), expected_token(PLATE))
    assert len({made for made in tokens if isinstance(made, tuple)}) == 100


def test_both_keepers_are_asked_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=5)

    def meeting(keeper: Answer) -> Answer:
        def answer(request: httpx2.Request) -> httpx2.Response:
            both.wait()
            return keeper(request)

        return answer

    (made,) = a_maker(meeting(a_keeper(KEY_A)), meeting(a_keeper(KEY_B))).tokens_for_many([[PHONE]], epoch=EPOCH)
    assert isinstance(made, tuple)


def raising(error: Exception) -> Answer:
    def answer(_: httpx2.Request) -> httpx2.Response:
        raise error

    return answer


def replying(status: int, **parts: Any) -> Answer:
    return lambda _: httpx2.Response(status, **parts)


def changed(**fields: object) -> Answer:
    return lambda request: httpx2.Response(200, json=evaluation(KEY_B, request) | fields)


def without(name: str) -> Answer:
    def answer(request: httpx2.Request) -> httpx2.Response:
        fields = evaluation(KEY_B, request)
        del fields[name]
        return httpx2.Response(200, json=fields)

    return answer


@pytest.mark.parametrize(
    ("keeper_b", "reason", "retry_after"),
    [
        (raising(httpx2.ReadTimeout("")), Reason.TIMEOUT, None),
        (raising(httpx2.ConnectTimeout("")), Reason.TIMEOUT, None),
        (raising(httpx2.ConnectError("")), Reason.UNREACHABLE, None),
        (raising(httpx2.RemoteProtocolError("")), Reason.UNREACHABLE, None),
        (replying(500), Reason.FAILED, None),
        (replying(503), Reason.FAILED, None),
        (replying(429, headers={"Retry-After": "3600"}), Reason.QUOTA, 3600),
        (replying(429, headers={"Retry-After": "tomorrow"}), Reason.QUOTA, None),
        (replying(429), Reason.QUOTA, None),
        (replying(401), Reason.REFUSED, None),
        (replying(400), Reason.REFUSED, None),
        (replying(302, headers={"Location": "https://elsewhere.example.nl"}), Reason.REFUSED, None),
        (replying(400, json={"errors": [{"code": "EPOCH_UNKNOWN"}]}), Reason.UNKNOWN_EPOCH, None),
        (a_keeper(OTHER), Reason.WRONG_PROOF, None),
        (replying(200, content=b"no json"), Reason.WRONG_PROOF, None),
        (replying(200, json=[]), Reason.WRONG_PROOF, None),
        (replying(200, content=b"x" * 20_000), Reason.WRONG_PROOF, None),
        (changed(epoch="2027H1"), Reason.WRONG_PROOF, None),
        (changed(bewijs="00" * 64), Reason.WRONG_PROOF, None),
        (changed(bewijs="00" * 63), Reason.WRONG_PROOF, None),
        (changed(punten=[]), Reason.WRONG_PROOF, None),
        (without("bewijs"), Reason.WRONG_PROOF, None),
    ],
)
def test_without_a_whole_answer_of_both_keepers_there_are_no_tokens_but_a_reason(
    keeper_b: Answer, reason: Reason, retry_after: int | None
) -> None:
    expected = NoTokens(reason, "keeper-b", retry_after)
    assert a_maker(a_keeper(KEY_A), keeper_b).tokens_for_many([[PHONE]], epoch=EPOCH)[0] == expected


def test_the_first_keeper_may_fail_as_well() -> None:
    maker = a_maker(replying(503), a_keeper(KEY_B))
    assert maker.tokens_for_many([[PHONE]], epoch=EPOCH)[0] == NoTokens(Reason.FAILED, "keeper-a")


def test_an_epoch_without_a_pinned_key_asks_nobody() -> None:
    seen: list[httpx2.Request] = []
    maker = a_maker(a_keeper(KEY_A, seen), a_keeper(KEY_B, seen))
    assert maker.tokens_for_many([[PHONE]], epoch="2031H1")[0] == NoTokens(Reason.UNKNOWN_EPOCH, "keeper-a")
    assert seen == []


def test_after_a_refusal_nothing_more_is_asked_and_what_was_made_counts() -> None:
    asked: list[httpx2.Request] = []

    def full_after_two(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return a_keeper(KEY_B)(request) if len(asked) <= 2 else httpx2.Response(429, headers={"Retry-After": "60"})

    records = [[LinkValue("subject:s1", "PHONE", f"+316{number:08}")] for number in range(16 * 12)]
    maker = TokenMaker(*_clients_of(a_maker(a_keeper(KEY_A), full_after_two)), in_flight=1)
    tokens = maker.tokens_for_many([*records, []], epoch=EPOCH)
    assert len(asked) == 3
    assert [isinstance(made, tuple) for made in tokens] == [True] * 32 + [False] * 160 + [True]
    assert tokens[32] == NoTokens(Reason.QUOTA, "keeper-b", 60)


def _clients_of(maker: TokenMaker) -> tuple[KeeperClient, KeeperClient]:
    return maker.keeper_a, maker.keeper_b


def test_a_reason_never_holds_a_value_or_a_text_of_the_keeper() -> None:
    told = a_maker(a_keeper(KEY_A), replying(500, text="+31612345678")).tokens_for_many([[PHONE]], epoch=EPOCH)[0]
    assert "612345678" not in repr(told)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_trust_is_split_over_exactly_two_keepers(count: int) -> None:
    keepers = tuple(RegisteredKeeper(f"keeper-{n}", f"https://{n}.example.nl") for n in range(count))
    with httpx2.Client() as http, pytest.raises(RegisterInvalidError, match="REGISTER_WITHOUT_TWO_KEEPERS"):
        keeper_clients(Register(1, registered_keepers=keepers), {}, http)


def test_keepers_that_share_a_key_or_an_address_are_refused() -> None:
    one_address = tuple(RegisteredKeeper(name, "https://a.example.nl") for name in "ab")
    with httpx2.Client() as http:
        for register in (a_register(KEY_A, KEY_A), Register(1, registered_keepers=one_address)):
            with pytest.raises(RegisterInvalidError):
                keeper_clients(register, {}, http)
