"""Routing on its bench with every record on topics, so that its store can be built again from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from backups import MAKING, OPENING
from replays import MemoryReplay, Part
from routing_bench import Bench
from senders import identity_in
from sqlalchemy import delete, select

from signal_exchange.recovery.backing_up import back_up
from signal_exchange.recovery.rebuilding import rebuild
from signal_exchange.recovery.restoring import restore
from signal_exchange.routing.erasing import Terms
from signal_exchange.routing.rebuilding import plan_of
from signal_exchange.routing.tables import OUTBOX, TABLES
from signal_exchange.stream.consumer import ConsumerSpec, read_as
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.outbox import OutgoingRecord
from signal_exchange.stream.parking import ParkedStore
from signal_exchange.stream.work import Work

PROJECTIONS = tuple(table for name, table in sorted(TABLES.tables.items()) if name.startswith("projection_"))
OUTCOMES = Part("outcomes", 0)


def quiet(_done: int, _all: int) -> None:
    """Tell nobody how far it is."""


class Stream:
    """Routing on its bench, with every record on topics."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.topics = bench, MemoryReplay()
        identity = identity_in(bench.region, "routing")
        spec = ConsumerSpec(
            name="routing",
            reader="routing",
            sources=("signals", "links", "outcomes"),
            database=bench.database,
            outbox=OUTBOX,
            handle=bench.handler,
            seal=bench.seal,
            unseal=identity.opened,
        )
        self.plan = plan_of(spec, identity)

    def came(self, *messages: Message) -> None:
        """Let routing handle these, and commit them."""
        read = self.topics.done.get(OUTCOMES, 0)
        self._sent(self.bench.run(*map(self.topics.add, messages)))
        self.topics.commit()
        self.topics.done[OUTCOMES] = read  # what stands there routing reads by `reads_outcomes` only

    def _sent(self, outgoing: Sequence[OutgoingRecord]) -> None:
        with self.bench.database.transaction() as connection:
            ParkedStore(connection).keep(outgoing)
        self.topics.send(outgoing)

    def told(self, *outcomes: Message) -> None:
        """Let other services tell outcomes, which routing has not read yet."""
        for each in outcomes:
            self.topics.add(each)

    def reads_outcomes(self) -> list[OutgoingRecord]:
        """Let routing handle what stands on the topic of the outcomes, its own too, and commit it; give what it sent."""
        log = self.topics.topics.get("outcomes", [])
        fresh = log[self.topics.done.get(OUTCOMES, 0) :]
        self.topics.done[OUTCOMES] = len(log)
        read = [read_as(Incoming.of(each), "routing") for each in fresh if each.value is not None]
        outgoing = self.bench.run(*(each for each in read if isinstance(each, Message)))
        self._sent(outgoing)
        return outgoing

    def looks(self, now: datetime, terms: Terms, left: Mapping[str, set[str]] | None = None) -> list[OutgoingRecord]:
        """Let routing look at its erasures, and certify those of which nothing is left but these; give what it sent."""
        with self.bench.database.transaction() as connection:
            work = Work("routing", connection, self.bench.seal)
            saga = self.bench.handler.saga(work)
            if saga.look(now, terms):
                saga.certify(now, terms, left or {})
        self.bench.outgoing += work.outgoing
        self._sent(work.outgoing)
        return work.outgoing

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        with self.bench.database.reading() as connection:
            chosen = {table.name: connection.execute(select(table).order_by(*table.primary_key.columns)) for table in PROJECTIONS}
            return {name: [dict(row) for row in rows.mappings()] for name, rows in chosen.items()}

    def backed_up(self, file: Path) -> Path:
        back_up(self.plan, file, self.topics.committed(self.plan.spec.sources), quiet, MAKING)
        return file

    def disk_is_lost(self) -> None:
        with self.bench.database.transaction() as connection:
            for table in TABLES.tables.values():
                connection.execute(delete(table))

    def restored(self, file: Path) -> None:
        self.disk_is_lost()
        restore(self.plan, file, self.topics, quiet, OPENING, replace=False)

    def rebuilt(self) -> None:
        """Build the projections anew, of which none is there any more."""
        with self.bench.database.transaction() as connection:
            for table in PROJECTIONS:
                connection.execute(delete(table))
        rebuild(self.plan, self.topics)

    def lost_and_rebuilt(self) -> None:
        """Lose the whole store, of which there is no back-up."""
        self.disk_is_lost()
        rebuild(self.plan, self.topics)

    def is_compacted(self, *topics: str) -> None:
        """Let state topics keep the last record of each key, as Kafka does in time; offsets stay."""
        for topic in topics:
            last = {record.key: record for record in self.topics.topics[topic]}
            kept = {record.offset for record in last.values() if record.value is not None}
            log = self.topics.topics[topic]
            self.topics.topics[topic] = [each if each.offset in kept else replace(each, value=None) for each in log]

    def a_week_passes(self) -> None:
        """Let the log of signals forget."""
        self.topics.topics["signals"].clear()
        self.topics.commit()
