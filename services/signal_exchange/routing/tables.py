"""The tables of routing."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table

from signal_exchange.runtime.columns import Moment
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.stream.outbox import outbox_table

TABLES = store_tables("routing")
OUTBOX = outbox_table(TABLES)

SIGNALS = Table(
    "projection_signals",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("municipality", String, nullable=False),
    Column("state", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("seen", String, nullable=False),
    Column("accepted", LargeBinary),
    Column("rescreen_at", Moment, index=True),
)
"""One row per signal. `rescreen_at` is when the rules judge it again by time alone (R-ROUTE-08); null when they need not.

`accepted` is the AcceptedSignal record as it was sent; null while every version was parked.

`seen` is a JSON object: of each version that was seen, parked ones too, its content hash and whether it was parked.
"""

NUMBERS = Table(
    "projection_numbers",
    TABLES,
    Column("municipality", String, primary_key=True),
    Column("publisher_run", String, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("signal_id", String, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("value_hash", LargeBinary, nullable=False),
    Column("verdict", String, nullable=False),
)
"""One row per number that a municipality used (R-FLOW-01)."""

MEMBERSHIPS = Table(
    "projection_memberships",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("cluster_id", String, index=True),
)
"""To which cluster each signal belongs, as linking told last; null when it is in none."""

ERASURES = Table(
    "projection_erasures",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("municipality", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("erased_at", Moment, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("buried_at", Moment),
    Column("marked_at", Moment),
    Column("certified_at", Moment),
    Column("value", LargeBinary),
    Column("signature", LargeBinary),
    Column("key_id", String),
)
"""One row per erased signal, for good: nothing about it is accepted any more (R-VAL-16).

`value`, `signature` and `key_id` are the municipality's own word, on which everybody erases."""

RECEIPTS = Table(
    "projection_erasure_receipts",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("service", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("at", Moment, nullable=False),
)
"""What each service answered first."""

OUTCOMES = Table(
    "projection_outcomes",
    TABLES,
    Column("key", String, primary_key=True),
    Column("signal_id", String, nullable=False, index=True),
)
"""The key of every outcome, so that each can be buried with its signal."""

SENDERS = Table(
    "record_senders",
    TABLES,
    Column("municipality", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("minute", BigInteger, nullable=False),
    Column("records", Integer, nullable=False),
    Column("parked", Integer, nullable=False),
    Column("held_until", Moment),
)
"""What came in of each sender within the last minute that it sent in, and until when its records are set aside."""

UNATTRIBUTED = Table(
    "record_unattributed",
    TABLES,
    Column("name", String, primary_key=True),
    Column("part", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)
"""Of records that nobody can be named for: how many were kept, by hour; and up to where they were counted, by part of a topic."""

CLUSTER_TURNS = Table("projection_cluster_turns", TABLES, Column("cluster_id", String, primary_key=True))
"""The clusters by whose members a batch decided: of two batches that do so at once, one is done again and sees the other's."""
