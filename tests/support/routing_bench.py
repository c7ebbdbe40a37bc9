"""Routing on a bench: batches through the real handler on a store of their own, and what it would send."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from senders import AT, Sender, coded_example, identity_in

from signal_exchange.contracts.codec import decode_whole
from signal_exchange.participants.region import Region
from signal_exchange.routing.composition import handler_of
from signal_exchange.routing.store import RoutingStore, StoredSignal
from signal_exchange.routing.tables import TABLES
from signal_exchange.runtime.database import Database
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.outbox import OutgoingRecord
from signal_exchange.stream.outcomes import outcome_id_of
from signal_exchange.stream.work import Work


class Bench:
    """Runs batches through routing on a store of its own and remembers what it would send."""

    def __init__(self, region: Region, file: Path) -> None:
        identity = identity_in(region, "routing")
        self.region = region
        self.handler = handler_of(identity)
        self.seal = identity.parking_seal("routing")
        self.database = Database(f"sqlite+pysqlite:///{file}", TABLES)
        self.database.create_tables()
        self.outgoing: list[OutgoingRecord] = []
        self.reasons: list[str] = []

    def run(self, *messages: Message) -> list[OutgoingRecord]:
        with self.database.transaction() as connection:
            work = Work("routing", connection, self.seal)
            self.handler(messages, work)
        self.outgoing += work.outgoing
        self.reasons += [each.reason for each in work.parked]
        return work.outgoing

    def sent(self, topic: str) -> list[dict[str, Any]]:
        found = [record.value for record in self.outgoing if record.topic == topic]
        return [decode_whole(value).fields for value in found if value is not None]

    def tombstones(self) -> set[tuple[str, str]]:
        """Give topic and key of every tombstone, markers apart."""
        return {(each.topic, each.key) for each in self.outgoing if each.value is None and not each.key.startswith("marker/")}

    def verdicts(self) -> dict[int, str]:
        facts = [
            fact for fact in self.sent("signal-trace") if fact["stage"] in ("RECEIVED", "PARKED") and fact["sequence"] is not None
        ]
        return {fact["sequence"]: fact["verdict"] for fact in facts}

    def stored(self) -> list[StoredSignal]:
        with self.database.reading() as connection:
            return RoutingStore(connection).all_signals()


def sender_of(bench: Bench, example: str) -> Sender:
    return Sender.of(bench.region, coded_example(example)["municipality"])


def latest(states: Sequence[dict[str, Any]], status: str = "OFFERED") -> list[dict[str, Any]]:
    by_key = {state["signal_id"]: state for state in states}
    return [state for state in by_key.values() if state["status"] == status]


def an_outcome(
    signal: dict[str, Any], kind: str, state: str, *, outcome: str | None = None, offer: int = 1, at: datetime = AT
) -> Message:
    """Give an outcome of one offer as routing reads it."""
    source = "agenda" if kind == "DECISION" else "worklist"
    outcome_id = outcome_id_of(signal["signal_id"], source, kind, offer)
    fields = {"outcome_id": outcome_id, "signal_id": signal["signal_id"], "source": source, "kind": kind, "state": state}
    fields |= {"version": 1, "revision": 1, "outcome": outcome, "occurred_at": at}
    return Message("Outcome", fields, Incoming("outcomes", 0, 1, b"k", b"v", {}, at))
