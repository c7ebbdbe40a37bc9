"""A process sees a change of the participants' register without a restart, and never takes over a bad one."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import MetaData
from structlog.testing import capture_logs

from signal_exchange.domain.ids import parse_municipality_code
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.privacy.register import Register, sign_register
from signal_exchange.privacy.register_entries import MemberKey, Participant, Period
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.recovery.rebuilding import Plan
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import StoreUnavailableError
from signal_exchange.runtime.settings import ProcessSettings
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.identity import RegisterFile, register_of
from signal_exchange.stream.seen_register import SEEN_TABLE
from signal_exchange.stream.tables import common_tables
from signal_exchange.stream.work import Seal

REGION = SigningKey.generate("region-2026-1")


@pytest.fixture
def settings(tmp_path: Path) -> ProcessSettings:
    public = {"key_id": REGION.key_id, "public_key": REGION.public.raw.hex()}
    (tmp_path / "region-key.json").write_text(json.dumps(public), encoding="utf-8")
    write(tmp_path / "register.json", 5)
    register, region = tmp_path / "register.json", tmp_path / "region-key.json"
    return ProcessSettings(mode="demo", data_dir=tmp_path, register_file=register, region_key_file=region)


def write(file: Path, serial: int, key: SigningKey = REGION) -> None:
    fresh = file.with_name("fresh")
    fresh.write_bytes(sign_register(Register(serial), key))
    fresh.replace(file)


def test_a_newer_register_is_in_force_at_once(settings: ProcessSettings) -> None:
    current = a_start(settings)
    assert current().serial == 5
    assert current() is current()
    write(settings.register_file, 6)
    assert current().serial == 6


@pytest.mark.parametrize("bad", ["older", "forged", "gone"])
def test_a_bad_register_is_told_and_the_one_before_stays_in_force(settings: ProcessSettings, bad: str) -> None:
    current = a_start(settings)
    if bad == "gone":
        settings.register_file.unlink()
    else:
        write(settings.register_file, 4 if bad == "older" else 9, REGION if bad == "older" else SigningKey.generate("other"))
    with capture_logs() as logged:
        assert current().serial == 5
        assert current().serial == 5
    assert [entry["event"] for entry in logged] == ["register_refused"]
    write(settings.register_file, 7)
    assert current().serial == 7


def a_store(folder: Path) -> Database:
    return Database(f"sqlite+pysqlite:///{folder / 'store.sqlite'}", MetaData())


def a_start(settings: ProcessSettings) -> RegisterFile:
    """Start a process anew, with the store that it had before."""
    return register_of(settings, a_store(settings.data_dir))


def test_a_first_start_makes_its_folder(settings: ProcessSettings) -> None:
    fresh = settings.model_copy(update={"data_dir": settings.data_dir / "not" / "yet"})
    assert register_of(fresh, a_store(fresh.data_dir))().serial == 5


def test_an_older_register_is_refused_at_the_next_start_of_who_saw_a_newer_one(settings: ProcessSettings) -> None:
    assert a_start(settings)().serial == 5
    write(settings.register_file, 4)
    with pytest.raises(RefusedError, match="REGISTER_OLDER serial=4 seen=5"):
        a_start(settings)
    write(settings.register_file, 5)
    assert a_start(settings)().serial == 5


def test_a_register_that_was_taken_over_while_running_counts_at_the_next_start(settings: ProcessSettings) -> None:
    current = a_start(settings)
    write(settings.register_file, 6)
    assert current().serial == 6
    write(settings.register_file, 5)
    with pytest.raises(RefusedError, match="REGISTER_OLDER serial=5 seen=6"):
        a_start(settings)


def test_what_another_process_of_the_same_store_saw_counts_too(settings: ProcessSettings) -> None:
    first, second = a_start(settings), a_start(settings)
    write(settings.register_file, 7)
    assert first().serial == 7
    write(settings.register_file, 6)
    with capture_logs() as logged:
        assert second().serial == 5
    assert [entry["event"] for entry in logged] == ["register_refused"]


def test_while_a_transaction_is_open_the_register_stays_and_the_change_comes_after_it(settings: ProcessSettings) -> None:
    store = a_store(settings.data_dir)
    current = register_of(settings, store)
    write(settings.register_file, 6)
    with store.transaction():
        assert current().serial == 5
    assert current().serial == 6


def test_a_change_that_cannot_be_kept_is_taken_over_once_it_can(
    settings: ProcessSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = a_start(settings)
    write(settings.register_file, 6)
    with monkeypatch.context() as away:
        away.setattr(Database, "reading", _away)
        assert current().serial == 5
    assert current().serial == 6


def _away(_database: Database) -> None:
    raise StoreUnavailableError("OperationalError")


def test_a_register_that_lacks_a_key_of_the_one_before_is_not_taken_over(settings: ProcessSettings) -> None:
    key = MemberKey(SigningKey.generate("gm0983-1").public, Period(datetime(2026, 1, 1, tzinfo=UTC)))
    member = Participant(parse_municipality_code("GM0983"), "ACCEDED", date(2026, 1, 1), signing_keys=(key,))
    settings.register_file.write_bytes(sign_register(Register(6, (member,)), REGION))
    current = a_start(settings)
    write(settings.register_file, 7)
    with capture_logs() as logged:
        assert current().serial == 6
    assert [entry["event"] for entry in logged] == ["register_refused"]


def test_a_back_up_neither_holds_the_serial_nor_takes_it_back(settings: ProcessSettings) -> None:
    names = {table.name for table in (*plan_of_a_service(settings).tables, *plan_of_a_service(settings).kept)}
    assert SEEN_TABLE in common_tables(STORE).metadata.tables
    assert SEEN_TABLE not in names


STORE = MetaData()


def plan_of_a_service(settings: ProcessSettings) -> Plan:
    database = Database(f"sqlite+pysqlite:///{settings.data_dir / 'service.sqlite'}", STORE)
    seal: Seal = lambda content, _: {"group": "parking:statistics", "key_id": "k", "ciphertext": content}  # noqa: E731
    outbox = common_tables(STORE)
    return Plan(ConsumerSpec("statistics", "statistics", (), database, outbox, lambda _messages, _work: None, seal))
