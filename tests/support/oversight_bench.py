"""Facts of the trace and parked records as oversight reads them, and its handler on a store in memory."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from builders import START, unsealed
from sqlalchemy import Connection, Engine, create_engine, select

from signal_exchange.contracts.codec import decode, encode
from signal_exchange.domain.figures.ledger import Ledger
from signal_exchange.oversight.figures import Figures, alarms, conservation, figures
from signal_exchange.oversight.handler import handle
from signal_exchange.oversight.ledger import Drawing
from signal_exchange.oversight.store import CLOCKS, ENDED, NUMBERS, TABLES, Clock, OversightStore, clock_of
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.work import Work

STORED: dict[str, Any] = {"destination": "CARE_COORDINATOR", "verdict": "SEND"}
"""A delivery to the care coordinator, in a fact."""
NOTHING = dict.fromkeys(
    (
        "signal_id",
        "version",
        "municipality",
        "publisher_run",
        "sequence",
        "destination",
        "verdict",
        "owner_role",
        "next_date",
    )
)


def received(record: str, fields: Mapping[str, Any]) -> Message:
    value = encode(record, fields)
    incoming = Incoming("signal-trace", 0, 0, b"", value, {}, START)
    return Message(record, decode(value, "oversight").fields, incoming)


def a_fact(stage: str = "RECEIVED", *, service: str = "routing", at: datetime = START, **fields: object) -> Message:
    number = {"municipality": "GM0983", "publisher_run": "run", "sequence": 1, "signal_id": "signal-1", "version": 1}
    given = {**NOTHING, **number, "service": service, "stage": stage, "at": at, **fields}
    return received("TraceFact", {**given, "trace_id": str(uuid.uuid5(uuid.NAMESPACE_OID, repr(sorted(given.items()))))})


def a_checkpoint(highest: int, *, at: datetime = START, municipality: str = "GM0983") -> Message:
    nobody: dict[str, Any] = {"signal_id": None, "version": None}
    return a_fact("CHECKPOINT", at=at, sequence=highest, municipality=municipality, **nobody)


def a_parked_record(parked_id: str = "parked-1", state: str = "PARKED", revision: int = 1, **fields: object) -> Message:
    where = {"service": "routing", "topic": "signals", "partition": 0, "offset": 7, "reason": "UNKNOWN_CODE", "errors": []}
    who = {"attributed": False, "municipality": None, "publisher_run": None, "sequence": None, "signal_id": None, "version": None}
    sealed = {"group": "parking:routing", "key_id": "k", "ciphertext": b"secret"}
    record = {"parked_id": parked_id, **where, **who, "state": state, "revision": revision, "parked_at": START, "record": sealed}
    return received("ParkedRecord", {**record, **fields})


class Bench:
    """Oversight's handler on a store in memory."""

    def __init__(self) -> None:
        self.engine: Engine = create_engine("sqlite://")
        TABLES.create_all(self.engine)

    def run(self, *messages: Message) -> None:
        with self.engine.begin() as connection:
            handle(messages, Work("oversight", connection, unsealed))

    def ledger(self, now: datetime = START) -> Ledger:
        with self.engine.begin() as connection:
            return Drawing.of(OversightStore(connection)).ledger(now)

    def figures(self, now: datetime = START) -> Figures:
        with self.engine.begin() as connection:
            return figures(OversightStore(connection), now)

    def alarms(self, now: datetime = START) -> dict[str, int]:
        return {each["alarm"]: each["count"] for each in alarms(self.figures(now))}

    def conservation(self, now: datetime = START) -> dict[str, Any]:
        with self.engine.begin() as connection:
            return conservation(OversightStore(connection), now)


def open_clocks(connection: Connection) -> list[Clock]:
    """Return every clock of a signal that is still open, and those of receipts: the plain way, that reads the whole store."""
    accepted = select(NUMBERS.c.signal_id, NUMBERS.c.verdict).where(NUMBERS.c.verdict.in_(("routed", *ENDED)))
    ordered = accepted.order_by(NUMBERS.c.version, NUMBERS.c.verdict.in_(ENDED))
    last = {row.signal_id: row.verdict for row in connection.execute(ordered)}
    closed = {signal_id for signal_id, verdict in last.items() if verdict in ENDED}
    clocks = (clock_of(row) for row in connection.execute(select(CLOCKS)))
    return [clock for clock in clocks if clock.signal_id not in closed or clock.stage == "RECEIPT"]
