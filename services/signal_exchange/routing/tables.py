"""The tables of routing."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table

from signal_exchange.runtime.columns import Moment, keys, optional, required
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.stream.tables import common_tables

TABLES = store_tables("routing")
OUTBOX = common_tables(TABLES)

SIGNALS = Table(
    "projection_signals",
    TABLES,
    *keys(signal_id=String),
    *required(revision=BigInteger, municipality=String, state=String, version=Integer, seen=String),
    *optional(accepted=LargeBinary),
    Column("rescreen_at", Moment, index=True),
)
"""One row per signal. `rescreen_at` is when the rules judge it again by time alone (R-ROUTE-08); null when they need not.

`accepted` is the AcceptedSignal record as it was sent; null while every version was parked.

`seen` is a JSON object: of each version that was seen, parked ones too, its content hash and whether it was parked.
"""

NUMBERS = Table(
    "projection_numbers",
    TABLES,
    *keys(municipality=String, publisher_run=String, sequence=BigInteger),
    *required(revision=BigInteger),
    Column("signal_id", String, nullable=False, index=True),
    *required(version=Integer, value_hash=LargeBinary, verdict=String),
)
"""One row per number that a municipality used (R-FLOW-01)."""

MEMBERSHIPS = Table(
    "projection_memberships",
    TABLES,
    *keys(signal_id=String),
    *required(revision=BigInteger),
    Column("cluster_id", String, index=True),
)
"""To which cluster each signal belongs, as linking told last; null when it is in none."""

ERASURES = Table(
    "projection_erasures",
    TABLES,
    *keys(signal_id=String),
    *required(revision=BigInteger, municipality=String, version=Integer, erased_at=Moment, asked_at=Moment),
    *optional(buried_at=Moment, marked_at=Moment, certified_at=Moment, value=LargeBinary, signature=LargeBinary),
    *optional(key_id=String),
)
"""One row per erased signal, for good: nothing about it is accepted any more (R-VAL-16).

`value`, `signature` and `key_id` are the municipality's own word, on which everybody erases."""

RECEIPTS = Table(
    "projection_erasure_receipts",
    TABLES,
    *keys(signal_id=String, service=String),
    *required(state=String, at=Moment),
)
"""What each service answered first."""

OUTCOMES = Table(
    "projection_outcomes",
    TABLES,
    *keys(key=String),
    Column("signal_id", String, nullable=False, index=True),
)
"""The key of every outcome, so that each can be buried with its signal."""

SENDERS = Table(
    "record_senders",
    TABLES,
    *keys(municipality=String),
    *required(revision=BigInteger, minute=BigInteger, records=Integer, parked=Integer),
    *optional(held_until=Moment),
)
"""What came in of each sender within the last minute that it sent in, and until when its records are set aside."""

UNATTRIBUTED = Table(
    "record_unattributed",
    TABLES,
    *keys(name=String),
    Column("part", BigInteger, primary_key=True, autoincrement=False),
    *required(number=BigInteger),
)
"""Of records that nobody can be named for: how many were kept, by hour; and up to where they were counted, by part of a topic."""

CLUSTER_TURNS = Table("projection_cluster_turns", TABLES, Column("cluster_id", String, primary_key=True))
"""The clusters by whose members a batch decided: of two batches that do so at once, one is done again and sees the other's."""
