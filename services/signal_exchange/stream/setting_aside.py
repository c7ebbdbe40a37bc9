"""A record that nobody foresaw: it is parked by itself, at most three different ones an hour (docs/decisions/0019).

The count stands in the store of the service, so that a supervisor that starts the process again and again gives it no more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, func, select

from signal_exchange.runtime.database import add_once
from signal_exchange.stream.tables import SET_ASIDE

CANNOT_PROCESS: Final = "CANNOT_PROCESS"
"""The reason of a record at which the service itself fails: a code of dead_letter_reason.csv."""
NO_SEALING_KEY: Final = "NO_SEALING_KEY"
"""The reason of a record at which the register lacks a key that something must be sealed to: nobody's fault here, and no bug."""
AT_MOST: Final = 3
WITHIN: Final = timedelta(hours=1)


def may_be_set_aside(connection: Connection, parked_id: str, now: datetime) -> bool:
    """Count a record that is set aside, and say whether it may be; the same one again always may."""
    table = SET_ASIDE.c
    connection.execute(delete(SET_ASIDE).where(table.at <= now - WITHIN))
    others = select(func.count()).select_from(SET_ASIDE).where(table.parked_id != parked_id)
    if connection.execute(others).scalar_one() >= AT_MOST:
        return False
    add_once(connection, SET_ASIDE, [{"parked_id": parked_id, "at": now}])
    return True
