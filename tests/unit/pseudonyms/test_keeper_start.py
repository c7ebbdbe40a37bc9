"""How a keeper starts and tells that it works: on loopback, unless mode demo says otherwise."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from refusing import refused

from signal_exchange.privacy.evaluating import EpochKey
from signal_exchange.privacy.register import Register, sign_register
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.pseudonyms import composition
from signal_exchange.pseudonyms.api import create_app
from signal_exchange.pseudonyms.composition import serve
from signal_exchange.pseudonyms.keeper import Keeper
from signal_exchange.pseudonyms.keys import Bearers, HeldKey, write_bearers, write_keys
from signal_exchange.pseudonyms.store import TABLES, CounterStore
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import StoreUnavailableError
from signal_exchange.runtime.settings import KeeperSettings

HELD = HeldKey(EpochKey("2026H2", b"\x01" * 32), date(2026, 7, 1), date(2027, 1, 30))


def a_keeper_at(folder: Path, **changes: Any) -> KeeperSettings:
    region = SigningKey.generate("region-2026-1")
    (folder / "register.json").write_bytes(sign_register(Register(1), region))
    public = {"key_id": region.key_id, "public_key": region.public.raw.hex()}
    (folder / "region.json").write_text(json.dumps(public), encoding="utf-8")
    write_keys(folder / "keys.json", [HELD])
    write_bearers(folder / "bearers.json", {})
    files = {"register_file": "register.json", "region_key_file": "region.json"}
    files |= {"keys_file": "keys.json", "tokens_file": "bearers.json", "data_dir": "."}
    return KeeperSettings(**{"keeper": "keeper-a", **{name: folder / file for name, file in files.items()}, **changes})


class Served:
    """Takes the place of uvicorn: remembers where an API would be heard."""

    def __init__(self) -> None:
        self.hosts: list[str] = []

    def run(self, _app: object, *, host: str, **_: object) -> None:
        self.hosts.append(host)


class Told:
    """Takes the place of the log: remembers the events."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def configure(self, *_: str) -> None:
        pass

    def warn(self, event: str, **_: object) -> None:
        self.events.append(event)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    server = Served()
    monkeypatch.setattr(composition, "uvicorn", server)
    return server


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    log = Told()
    monkeypatch.setattr(composition, "logs", log)
    return log


def test_a_keeper_is_heard_on_this_machine_only_unless_somebody_says_otherwise(
    tmp_path: Path, served: Served, told: Told
) -> None:
    serve(a_keeper_at(tmp_path))
    assert (served.hosts, told.events) == (["127.0.0.1"], [])


def test_in_mode_demo_a_keeper_may_be_heard_by_others_and_the_log_says_so(tmp_path: Path, served: Served, told: Told) -> None:
    serve(a_keeper_at(tmp_path, mode="demo", listen="0.0.0.0"))  # noqa: S104 - the address under test; nothing listens
    assert (served.hosts, told.events) == (["0.0.0.0"], ["listens_beyond_loopback"])  # noqa: S104 - the same


def test_in_production_a_keeper_that_others_would_hear_in_plain_text_does_not_start(
    tmp_path: Path, served: Served, told: Told
) -> None:
    with refused("SIGNAL_EXCHANGE_LISTEN is not a loopback address", "en"):
        serve(a_keeper_at(tmp_path, listen="0.0.0.0"))  # noqa: S104 - the address under test; nothing listens
    assert (served.hosts, told.events) == ([], [])


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite+pysqlite:///{tmp_path / 'counters.sqlite'}", TABLES)
    yield made
    made.close()


class BrokenCounters(CounterStore):
    """Counters that do not answer."""

    def counts(self, *_: date) -> Any:
        raise StoreUnavailableError("OperationalError")


def health(store: CounterStore, day: datetime) -> tuple[int, str]:
    app = create_app(Keeper((HELD,), lambda: Bearers({}), store, lambda: day))

    async def ask() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://keeper") as client:
            return await client.get("/health/ready")

    answer = asyncio.run(ask())
    assert answer.headers["content-type"] == "application/health+json"
    return answer.status_code, answer.json()["status"]


def test_a_keeper_is_ready_while_it_holds_a_key_for_today_and_can_count(database: Database) -> None:
    assert health(CounterStore(database), datetime(2026, 11, 20, 10, 0, tzinfo=UTC)) == (200, "pass")
    assert health(CounterStore(database), datetime(2027, 3, 1, 10, 0, tzinfo=UTC)) == (503, "fail")
    assert health(BrokenCounters(database), datetime(2026, 11, 20, 10, 0, tzinfo=UTC)) == (503, "fail")
