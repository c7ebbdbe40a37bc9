"""A back-up carries a store between PostgreSQL and SQLite, and a rebuild on PostgreSQL gives the rows that were there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from backups import LOGS, MAKING, OPENING
from builders import Consuming, a_referral, a_register, an_identity
from postgres import PostgresCluster
from replays import MemoryReplay

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.recovery.backing_up import back_up
from signal_exchange.recovery.rebuilding import Plan, rebuild
from signal_exchange.recovery.restoring import restore
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.worklist.handler import WorklistHandler
from signal_exchange.worklist.rebuilding import take
from signal_exchange.worklist.store import TABLES


class Worklist:
    """A worklist on a store, with its topic."""

    def __init__(self, url: str) -> None:
        handler = WorklistHandler("CARE_COORDINATOR", WorkingCalendar(frozenset()), an_identity().sealed_part, a_register)
        self.consumer, self.topics = Consuming("worklist", TABLES, handler, url), MemoryReplay()
        spec = ConsumerSpec(
            name="worklist",
            reader="worklist",
            sources=("referrals",),
            database=self.consumer.database,
            outbox=self.consumer.outbox,
            handle=handler,
            seal=an_identity().parking_seal("worklist"),
        )
        self.plan = Plan(spec, take=take)

    def came(self, *numbers: int) -> None:
        self.consumer.take(*(self.topics.add(a_referral(number)) for number in numbers))
        self.topics.commit()

    def rows(self) -> dict[str, Any]:
        return {**self.consumer.everything(*LOGS), "outbox": self.consumer.rows(self.consumer.outbox)}


def nothing(_done: int, _all: int) -> None:
    pass


def a_url(kind: str, postgres: PostgresCluster, file: Path) -> str:
    return postgres.fresh_database() if kind == "postgresql" else f"sqlite+pysqlite:///{file}"


@pytest.mark.parametrize("target", ["postgresql", "sqlite"])
@pytest.mark.parametrize("source", ["postgresql", "sqlite"])
def test_a_back_up_carries_every_row_and_numbers_go_on(
    postgres: PostgresCluster, tmp_path: Path, source: str, target: str
) -> None:
    first, second = (Worklist(a_url(kind, postgres, tmp_path / name)) for kind, name in ((source, "first"), (target, "second")))
    first.came(1, 2, 3)
    before, file = first.rows(), tmp_path / "worklist.backup"
    back_up(first.plan, file, first.topics.committed(("referrals",)), nothing, MAKING)
    first.consumer.database.close()
    restore(second.plan, file, second.topics, nothing, OPENING, replace=False)
    assert second.rows() == before
    second.came(4)  # its letters get numbers of their own
    assert len(second.rows()["outbox"]) > len(before["outbox"])
    second.consumer.database.close()


def test_a_rebuild_on_postgresql_gives_the_rows_that_were_there(postgres: PostgresCluster) -> None:
    kept = Worklist(postgres.fresh_database())
    kept.came(*range(1, 9))
    before = kept.rows()
    assert rebuild(kept.plan, kept.topics).rows["projection_referrals"] == 8
    assert kept.rows() == before
    kept.consumer.database.close()
