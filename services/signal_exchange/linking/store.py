"""The store of linking: the coded minimum of each signal, no text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Connection, Integer, MetaData, String, Table

from signal_exchange.runtime.columns import Moment
from signal_exchange.runtime.database import put_newer
from signal_exchange.stream.outbox import outbox_table

TABLES = MetaData()
OUTBOX = outbox_table(TABLES)

SIGNALS = Table(
    "projection_signals",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("municipality", String, nullable=False),
    Column("status", String, nullable=False),
    Column("publish_day", String, nullable=False),
    Column("appended_at", Moment, nullable=False),
    Column("stated_at", Moment, nullable=False),
    Column("form", String),
    Column("subjects", JSON, nullable=False),
)
"""The latest LinkTokens record of each signal, without its tokens."""


class LinkingStore:
    """The rows of linking in one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put_signals(self, signals: Sequence[Mapping[str, Any]]) -> None:
        """Write the latest state of signals; an older revision never wins."""
        ordered = sorted(signals, key=lambda each: int(each["revision"]))
        rows = [{column.name: fields[column.name] for column in SIGNALS.columns} for fields in ordered]
        put_newer(self._connection, SIGNALS, rows, guard="revision")
