"""Signals and tokens come back from a topic that holds only the last state of each signal; what was decided stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import START, Consuming, an_environment, signal_id
from link_records import PERSON, PLATE, a_signal, linking
from replays import MemoryReplay
from sqlalchemy import delete, insert

from signal_exchange.linking.rebuilding import plan
from signal_exchange.linking.tables import SIGNALS, TOKENS
from signal_exchange.recovery.rebuilding import Plan, rebuild
from signal_exchange.runtime import clock
from signal_exchange.stream.messages import Message


class Linking:
    """Linking with its topic, of which compaction leaves the last record of each signal."""

    def __init__(self, folder: Path) -> None:
        self.consumer: Consuming = linking(f"sqlite+pysqlite:///{folder / 'linking.sqlite'}")
        self.plan: Plan = plan()
        self.topics = MemoryReplay()

    def came(self, *messages: Message) -> None:
        self.consumer.take(*messages)
        for message in messages:
            log = self.topics.topics.get("link-tokens", [])
            self.topics.topics["link-tokens"] = [each for each in log if each.key != message.incoming.key]
            self.topics.add(message)
        self.topics.commit()

    def rebuilt(self) -> dict[str, Any]:
        rebuild(self.plan, self.topics)
        return self.consumer.everything()


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Linking:
    for name, value in an_environment(tmp_path, "linking", "linking", "parking:linking").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(clock, "now", lambda: START)
    return Linking(tmp_path)


def test_tokens_of_an_earlier_version_stay_though_the_topic_has_forgotten_them(kept: Linking) -> None:
    kept.came(a_signal(1, PERSON, PLATE), a_signal(2, PERSON))
    kept.came(a_signal(1, PLATE, version=2, revision=2), a_signal(2, version=2, revision=2, status="WITHDRAWN"))
    before = kept.consumer.everything()
    assert len(before["projection_tokens"]) == 4
    assert kept.rebuilt() == before


def test_what_is_lost_comes_back_as_far_as_the_topic_goes(kept: Linking) -> None:
    kept.came(a_signal(1, PERSON, PLATE), a_signal(2, PERSON))
    before = kept.consumer.everything()
    with kept.consumer.database.transaction() as connection:
        connection.execute(delete(TOKENS))
        connection.execute(delete(SIGNALS))
    assert kept.rebuilt() == before


def test_a_token_that_no_signal_has_goes(kept: Linking) -> None:
    kept.came(a_signal(1, PERSON))
    before = kept.consumer.everything()
    with kept.consumer.database.transaction() as connection:
        stray = {"signal_id": signal_id(9), "version": 1, "carrier": "object:0", "type": "PLATE", "epoch": "2026H2"}
        connection.execute(insert(TOKENS).values(**stray, token=b"x" * 16, appended_at=START, since=START))
    assert kept.rebuilt() == before


def test_tokens_that_are_deleted_by_age_do_not_come_back(kept: Linking, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.came(a_signal(1, PERSON))
    monkeypatch.setattr(clock, "now", lambda: START.replace(year=2028))
    assert kept.rebuilt()["projection_tokens"] == []
