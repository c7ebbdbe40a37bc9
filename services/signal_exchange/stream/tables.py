"""The tables that the store of every consumer has beside its own, under the same names everywhere.

They are defined here, and `common_tables` copies them into the metadata of a service, which makes and migrates them.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, MetaData, String, Table

from signal_exchange.runtime.columns import Moment, keys, optional, required
from signal_exchange.stream.seen_register import seen_register_table

_COMMON: Final = MetaData()
_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")

OUTBOX: Final = Table(
    "outbox",
    _COMMON,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    *required(topic=String, key=String),
    *optional(partition_by=String, value=LargeBinary),
    *required(headers=LargeBinary, tombstone=Boolean),
    *optional(owner=String),
)

PARKED: Final = Table(
    "projection_parked",
    _COMMON,
    *keys(parked_id=String),
    *required(revision=BigInteger, value=LargeBinary),
    Column("about", String, index=True),
)
"""What a service parked, each as the encoded ParkedRecord.

`about` is the hash of the signal that a record is about, so that an erasure finds it without opening every one; null when
nobody has looked yet, and empty when it is about none or waits no more.
"""

SET_ASIDE: Final = Table(
    "record_set_aside",
    _COMMON,
    *keys(parked_id=String),
    *required(at=Moment),
)
"""The records at which a service failed in the last hour."""

ERASED: Final = Table(
    "record_erased",
    _COMMON,
    *keys(signal_id=String),
    *required(state=String, at=Moment),
)
"""The signals that a service erased, with its answer."""

OWED: Final = Table("record_bytes_owed", _COMMON, Column("owed_id", String, primary_key=True))
"""The batches whose deleted bytes must still leave the store."""

BACKUPS: Final = Table(
    "record_backups",
    _COMMON,
    *keys(entry_id=String),
    *required(backup_id=String, made_at=Moment, what=String, at=Moment),
    *optional(reason=String),
)
"""The back-ups that were made and put back; a restore leaves it."""


def common_tables(tables: MetaData) -> Table:
    """Add the tables that every consumer has to those of a service, and return its outbox. Twice is once."""
    for table in _COMMON.tables.values():
        if table.name not in tables.tables:
            table.to_metadata(tables)
    seen_register_table(tables)
    return tables.tables[OUTBOX.name]
