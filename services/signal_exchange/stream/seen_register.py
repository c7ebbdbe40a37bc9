"""The highest serial of the participants' register that a store has seen: an older one is refused at any start (R-VAL-02)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, func, select

from signal_exchange.runtime.database import Database, put_newer

SEEN_TABLE: Final = "seen_register"
"""Name of the table: the same in every store. It is in no back-up, so that a restore never takes it back."""


def seen_register_table(tables: MetaData) -> Table:
    """Return the table of the highest serial, of one row at most, defining it once."""
    if SEEN_TABLE in tables.tables:
        return tables.tables[SEEN_TABLE]
    number = Column("number", Integer, primary_key=True, autoincrement=False)
    return Table(SEEN_TABLE, tables, number, Column("serial", BigInteger, nullable=False))


class SeenRegister:
    """The highest serial that the store of one service has seen."""

    def __init__(self, database: Database) -> None:
        self._database, self._table = database, seen_register_table(database.tables)

    @property
    def is_busy(self) -> bool:
        """Say whether this thread has a writing transaction open on the store: then nothing of the register may change."""
        return self._database.is_writing

    def serial(self) -> int:
        """Return the highest serial, 0 when none was seen.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        with self._database.reading() as connection:
            return int(connection.execute(select(func.coalesce(func.max(self._table.c.serial), 0))).scalar_one())

    def keep(self, serial: int) -> None:
        """Keep a serial that was seen; a lower one never wins.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        if serial > self.serial():
            with self._database.transaction() as connection:
                put_newer(connection, self._table, [{"number": 1, "serial": serial}], guard="serial")
