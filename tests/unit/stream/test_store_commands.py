"""The commands `rebuild`, `backup` and `restore`: what they say, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backups import key_files
from builders import Consuming, an_environment, an_identity, an_observation
from replays import MemoryReplay

from signal_exchange.cli import store_commands
from signal_exchange.cli.store_commands import run_backup, run_rebuild, run_restore
from signal_exchange.recovery.rebuilding import Keyed, Plan
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.statistics import store as statistics
from signal_exchange.statistics.handler import handle
from signal_exchange.stream.consumer import ConsumerSpec


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> MemoryReplay:
    found = MemoryReplay()

    @contextmanager
    def opened(*_: object) -> Iterator[MemoryReplay]:
        yield found

    monkeypatch.setattr(store_commands, "kafka_replay", opened)
    return found


@pytest.fixture
def plan(tmp_path: Path, topics: MemoryReplay) -> Plan:
    consumer = Consuming("statistics", statistics.TABLES, handle, f"sqlite+pysqlite:///{tmp_path / 'statistics.sqlite'}")
    spec = ConsumerSpec(
        name="statistics",
        reader="statistics",
        sources=("observations",),
        database=consumer.database,
        outbox=consumer.outbox,
        handle=handle,
        seal=an_identity().parking_seal("statistics"),
    )
    consumer.take(topics.add(an_observation(1)))
    topics.commit()
    return Plan(spec)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServiceSettings:
    folder = tmp_path / "process"
    folder.mkdir()
    for name, value in an_environment(folder, "statistics").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SIGNAL_EXCHANGE_BACKUP_KEY_FILE", str(key_files(folder)[0]))
    return loaded(ServiceSettings)


def test_a_rebuild_tells_how_many_records_and_rows_there_were(
    plan: Plan, settings: ServiceSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    run_rebuild(plan, settings, as_json=True)
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (told["service"], told["records"], told["rows"]["projection_observations"]) == ("statistics", 1, 1)
    run_rebuild(plan, settings, as_json=False)
    said = capsys.readouterr().out
    assert "projection_observations" in said
    assert "statistics is herbouwd uit 1 records" in said


@pytest.mark.parametrize("as_json", [True, False])
def test_a_back_up_is_made_and_put_back(
    plan: Plan, settings: ServiceSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    file = tmp_path / "copy.backup"
    run_backup(plan, settings, file, as_json=as_json)
    said = capsys.readouterr().out
    assert (json.loads(said)["service"] if as_json else said.split(":")[0]) == ("statistics" if as_json else str(file))
    run_restore(plan, settings, file, key_files(tmp_path)[1], older=None, replace=True, as_json=as_json)
    said = capsys.readouterr().out
    assert (json.loads(said)["service"] if as_json else said.split()[0]) == "statistics"


def test_without_a_name_a_back_up_is_named_after_the_service_and_the_moment(
    plan: Plan, settings: ServiceSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_backup(plan, settings, None, as_json=True)
    assert [each.name[:11] for each in tmp_path.glob("*.backup")] == ["statistics-"]


def test_a_restore_tells_how_much_the_exchange_has_no_more(
    plan: Plan,
    settings: ServiceSettings,
    topics: MemoryReplay,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "copy.backup"
    run_backup(plan, settings, file, as_json=True)
    topics.topics["observations"] = []
    keyed = {"observations": Keyed(statistics.OBSERVATIONS.c.observation_id, lambda _store, _gone: None)}
    run_restore(replace(plan, keyed=keyed), settings, file, key_files(tmp_path)[1], older=None, replace=True, as_json=False)
    assert "1 zaken die de uitwisseling niet meer heeft" in capsys.readouterr().out
