"""An act of a person while it is done: refused where the table of access says so, and kept in the audit log either way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.people.access import Act, require
from signal_exchange.people.audit import AuditLog
from signal_exchange.runtime.database import Database


@dataclass(slots=True)
class Doing:
    """One act that a person does at a moment. What it is about, an opaque id, may show only on the way."""

    act: Act
    who: Person
    at: datetime
    about: str = ""
    why: str = ""

    def enter(self, connection: Connection) -> None:
        """Add the act to the audit log in its own transaction: both hold, or neither."""
        AuditLog(connection).add(self.act, self.who, self.at, about=self.about, why=self.why)


@contextmanager
def watched(database: Database, act: Act, who: Person, at: datetime, *, about: str = "", why: str = "") -> Iterator[Doing]:
    """Watch an act: what is refused in the block, also by the table of access, is kept in a transaction of its own.

    Open the transaction of the act within the block, and `enter` the act there.

    Raises:
        RefusedError: the person may not do this, or as the block says.
    """
    doing = Doing(act, who, at, about, why)
    try:
        require(who, act)
        yield doing
    except RefusedError as refusal:
        with database.transaction() as connection:
            AuditLog(connection).add(act, who, at, about=doing.about, why=doing.why, result=refusal.code)
        raise
