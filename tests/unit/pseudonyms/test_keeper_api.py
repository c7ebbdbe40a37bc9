from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from described import as_described
from fastapi import FastAPI

from signal_exchange.domain.ids import MunicipalityCode
from signal_exchange.privacy.blinding import Blinded
from signal_exchange.privacy.evaluating import EpochKey
from signal_exchange.privacy.keeper_client import NoTokens, Reason
from signal_exchange.privacy.normalising import LinkValue
from signal_exchange.privacy.register import Register
from signal_exchange.privacy.register_entries import KeeperKey, Period, RegisteredKeeper
from signal_exchange.privacy.sealing import LinkToken
from signal_exchange.privacy.tokens import TokenMaker, keeper_clients, token, token_input
from signal_exchange.pseudonyms.api import create_app
from signal_exchange.pseudonyms.keeper import Keeper
from signal_exchange.pseudonyms.keys import Bearers, HeldKey, digest_of
from signal_exchange.pseudonyms.store import TABLES, CounterStore, Quota
from signal_exchange.runtime import database as runtime_database
from signal_exchange.runtime.database import Database

VENLO, WEERT = MunicipalityCode("GM0983"), MunicipalityCode("GM0988")
EPOCH = "2026H2"
KEY, KEY_B = EpochKey(EPOCH, b"\x01" * 32), EpochKey(EPOCH, b"\x02" * 32)
HELD = HeldKey(KEY, date(2026, 7, 1), date(2027, 1, 30))
NOW = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)


class Bridge(httpx2.BaseTransport):
    """Lets a synchronous client speak with the application, without a socket."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return asyncio.run(self._handle(request))

    async def _handle(self, request: httpx2.Request) -> httpx2.Response:
        sent = httpx2.Request(request.method, request.url, headers=request.headers, content=request.read())
        response = await httpx2.ASGITransport(self._app).handle_async_request(sent)
        return httpx2.Response(response.status_code, headers=response.headers, content=await response.aread())


@dataclass
class World:
    """A keeper with a clock that stands where a test puts it."""

    path: Path
    now: datetime = NOW
    quota: Quota = Quota(3, 5)  # noqa: RUF009 - a frozen value
    keys: tuple[HeldKey, ...] = (HELD,)
    opened: list[Database] = field(default_factory=list)

    def client(self) -> httpx2.Client:
        database = Database(f"sqlite+pysqlite:///{self.path}", TABLES)
        self.opened.append(database)
        bearers = Bearers({VENLO: digest_of("venlo's token"), WEERT: digest_of("weert's token")})
        keeper = Keeper(self.keys, lambda: bearers, CounterStore(database), lambda: self.now, self.quota)
        headers = {"Authorization": "Bearer venlo's token"}
        app = create_app(keeper)
        hooks = {"response": [as_described(app)]}
        return httpx2.Client(transport=Bridge(app), base_url="http://keeper", headers=headers, event_hooks=hooks)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "counters.sqlite")
    yield made
    for database in made.opened:
        database.close()


def points() -> list[str]:
    request = Blinded.of([b"value"]).request
    return [request[start : start + 32].hex() for start in range(0, 512, 32)]


def a_request(**fields: object) -> dict[str, Any]:
    return {"epoch": EPOCH, "punten": points(), **fields}


def codes(answer: httpx2.Response) -> list[tuple[str, str]]:
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    return [(error["location"]["pointer"], error["code"]) for error in answer.json()["errors"]]


def test_a_municipality_gets_16_evaluated_points_and_a_proof_that_fits(world: World) -> None:
    blinded = Blinded.of([token_input("PLATE", "NL:GX123B")])
    sent = [blinded.request[start : start + 32].hex() for start in range(0, 512, 32)]
    answer = world.client().post("/v1/evaluaties", json={"epoch": EPOCH, "punten": sent})
    assert answer.status_code == 200
    assert answer.json()["epoch"] == EPOCH
    assert len(answer.json()["punten"]) == 16
    raw = bytes.fromhex(answer.json()["bewijs"] + "".join(answer.json()["punten"]))
    assert len(blinded.finish(raw, KEY.public_key)) == 1


def test_two_keepers_and_a_token_maker_make_tokens_together(world: World, tmp_path: Path) -> None:
    other = World(tmp_path / "b.sqlite", keys=(HeldKey(KEY_B, HELD.first_day, HELD.last_day),))
    value = LinkValue("object:0", "PLATE", "NL:GX123B")
    maker = _maker(world.client(), other.client())
    known = [key._evaluator.evaluate_known_input(token_input("PLATE", "NL:GX123B")) for key in (KEY, KEY_B)]
    assert maker.tokens_for_many([[value]], epoch=EPOCH)[0] == (
        LinkToken("object:0", "PLATE", EPOCH, token("PLATE", EPOCH, *known)),
    )
    for database in other.opened:
        database.close()


def _maker(client_a: httpx2.Client, client_b: httpx2.Client) -> TokenMaker:
    period = Period(datetime(2026, 7, 1, tzinfo=UTC))
    register = Register(
        1,
        registered_keepers=tuple(
            RegisteredKeeper(name, f"http://{name}", (KeeperKey(EPOCH, key.public_key, period),))
            for name, key in (("a", KEY), ("b", KEY_B))
        ),
    )
    bearers = {"a": "venlo's token", "b": "venlo's token"}
    return TokenMaker(keeper_clients(register, bearers, client_a)[0], keeper_clients(register, bearers, client_b)[1])


def test_a_used_up_quota_reaches_the_municipality_as_a_reason(world: World) -> None:
    world.quota = Quota(0, 0)
    maker = _maker(world.client(), world.client())
    told = maker.tokens_for_many([[LinkValue("object:0", "PLATE", "NL:GX123B")]], epoch=EPOCH)[0]
    assert isinstance(told, NoTokens)
    assert (told.reason, told.keeper) == (Reason.QUOTA, "a")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nobody's token", "Basic venlo's token", "venlo's token"])
def test_who_is_unknown_gets_401_and_is_told_nothing_else(world: World, header: str) -> None:
    answer = world.client().post("/v1/evaluaties", json=a_request(), headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b"\xff", b"[" * 4000])
def test_what_is_no_json_object_is_one_error(world: World, body: bytes) -> None:
    assert codes(world.client().post("/v1/evaluaties", content=body)) == [("#", "JSON_INVALID")]


def test_all_errors_of_a_request_come_at_once(world: World) -> None:
    wrong = points()
    wrong[3], wrong[7], wrong[9] = "zz", "00" * 32, "ff" * 32
    answer = world.client().post("/v1/evaluaties", json={"epoch": 5, "punten": [*wrong[:15], None], "naam": "x"})
    assert codes(answer) == [
        ("#", "FIELD_UNKNOWN"),
        ("#/epoch", "EPOCH_MISSING"),
        ("#/punten/3", "POINT_INVALID"),
        ("#/punten/7", "POINT_INVALID"),
        ("#/punten/9", "POINT_INVALID"),
        ("#/punten/15", "POINT_INVALID"),
    ]


@pytest.mark.parametrize("count", [0, 1, 15, 17])
def test_another_number_of_points_than_16_is_an_error_and_so_is_an_unknown_epoch(world: World, count: int) -> None:
    answer = world.client().post("/v1/evaluaties", json={"epoch": "2031H1", "punten": (points() + points())[:count]})
    assert codes(answer) == [("#/punten", "POINTS_MISSING"), ("#/epoch", "EPOCH_UNKNOWN")]


def test_missing_fields_are_named(world: World) -> None:
    assert codes(world.client().post("/v1/evaluaties", json={})) == [("#/epoch", "EPOCH_MISSING"), ("#/punten", "POINTS_MISSING")]


def test_an_error_never_repeats_what_was_sent(world: World) -> None:
    answer = world.client().post("/v1/evaluaties", json={"epoch": "999990019", "punten": ["999990019"] * 16, "999990019": 1})
    assert "999990019" not in answer.text


@pytest.mark.parametrize(
    ("day", "status"), [(datetime(2026, 6, 30, 21, 59, tzinfo=UTC), 400), (datetime(2026, 6, 30, 22, 0, tzinfo=UTC), 200),
                        (datetime(2027, 1, 30, 22, 59, tzinfo=UTC), 200), (datetime(2027, 1, 30, 23, 0, tzinfo=UTC), 400)]
)  # fmt: skip
def test_a_key_is_in_use_from_its_first_to_its_last_day_in_amsterdam(world: World, day: datetime, status: int) -> None:
    world.now = day
    assert world.client().post("/v1/evaluaties", json=a_request()).status_code == status


def test_a_body_that_is_too_large_is_413_before_it_is_read_whole(world: World) -> None:
    answer = world.client().post("/v1/evaluaties", content=b" " * 5000)
    assert answer.status_code == 413


def test_at_the_daily_quota_the_keeper_says_429_until_midnight_in_amsterdam(world: World) -> None:
    client = world.client()
    assert [client.post("/v1/evaluaties", json=a_request()).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = client.post("/v1/evaluaties", json=a_request())
    assert answer.headers["Retry-After"] == str(30 * 60 + 1)
    assert client.post("/v1/evaluaties", json=a_request(), headers={"Authorization": "Bearer weert's token"}).status_code == 200
    world.now = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
    assert client.post("/v1/evaluaties", json=a_request()).status_code == 200


def test_at_the_monthly_quota_the_keeper_says_429_until_the_next_month(world: World) -> None:
    client, world.quota = world.client(), Quota(3, 5)
    for day in (18, 19):
        world.now = datetime(2026, 11, day, 12, 0, tzinfo=UTC)
        statuses = [client.post("/v1/evaluaties", json=a_request()).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    world.now = datetime(2026, 11, 30, 22, 0, tzinfo=UTC)
    answer = client.post("/v1/evaluaties", json=a_request())
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3601")
    world.now = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    assert client.post("/v1/evaluaties", json=a_request()).status_code == 200


def test_a_faulty_request_costs_no_quota_but_is_counted_for_the_audit(world: World) -> None:
    client = world.client()
    for _ in range(4):
        assert client.post("/v1/evaluaties", json={}).status_code == 400
    assert client.post("/v1/evaluaties", json=a_request()).status_code == 200
    (count,) = CounterStore(world.opened[0]).counts(date(2026, 11, 1), date(2026, 11, 30))
    assert (count.municipality, count.day, count.evaluated, count.refused) == ("GM0983", date(2026, 11, 20), 1, 4)


@pytest.mark.sqlite
def test_what_is_not_counted_is_not_evaluated(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_database, "BUSY_MILLISECONDS", 1)
    client = world.client()
    with closing(sqlite3.connect(world.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = client.post("/v1/evaluaties", json=a_request())
        other.execute("ROLLBACK")
    assert answer.status_code == 503
    assert "punten" not in answer.json()


@pytest.mark.sqlite
def test_a_keeper_keeps_no_point_that_it_saw_or_made(world: World) -> None:
    sent = a_request()
    answer = world.client().post("/v1/evaluaties", json=sent)
    world.opened[0].close()
    stored = b"".join(file.read_bytes() for file in world.path.parent.iterdir())
    assert b"GM0983" in stored
    for point in [*sent["punten"], *answer.json()["punten"], answer.json()["bewijs"]]:
        assert point.encode() not in stored
        assert bytes.fromhex(point) not in stored


def test_everybody_may_read_the_public_keys_and_no_secret_is_among_them(world: World) -> None:
    answer = world.client().get("/v1/sleutels", headers={"Authorization": ""})
    assert answer.json() == {
        "sleutels": [{"epoch": EPOCH, "publieke_sleutel": KEY.public_key.hex(), "van": "2026-07-01", "tot_en_met": "2027-01-30"}]
    }
    assert KEY.seed.hex() not in answer.text


def test_the_log_tells_municipality_and_count_and_nothing_else(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    sent = a_request()
    world.client().post("/v1/evaluaties", json=sent)
    logged = "".join(capfd.readouterr())
    assert "points_evaluated" in logged
    assert not any(point in logged for point in sent["punten"])


def test_random_bodies_are_refused_and_never_an_internal_error(world: World) -> None:
    client = world.client()
    for size in (1, 10, 100, 1000, 4096):
        assert client.post("/v1/evaluaties", content=os.urandom(size)).status_code == 400
    assert client.post("/v1/evaluaties", content=json.dumps({"epoch": "x", "punten": [[]] * 16})).status_code == 400


def test_a_keeper_never_shows_a_key_or_a_digest() -> None:
    bearers = Bearers({VENLO: digest_of("venlo's token")})
    shown = repr(bearers) + repr(HELD) + repr(replace(HELD))
    assert digest_of("venlo's token") not in shown
    assert KEY.seed.hex() not in shown
