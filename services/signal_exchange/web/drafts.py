"""The drafts of people, typed and not sent yet: sealed, shown to the person who typed them, and ended after a while.

A draft belongs to a person, as issuer and subject, and to a form. Nobody else finds it, whoever logs in next, and
no browser keeps it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, LargeBinary, MetaData, RowMapping, String, Table, and_, delete, insert, select

from signal_exchange.domain.people import Person
from signal_exchange.privacy.vault import Encrypted
from signal_exchange.runtime.columns import Moment, keys, required
from signal_exchange.runtime.database import Database

KEPT: Final = timedelta(days=30)
"""How long a draft is kept after it was saved last."""
_OWN: Final = MetaData()
_DRAFTS: Final = Table(
    "record_drafts",
    _OWN,
    *keys(issuer=String, subject=String, form=String, name=String),
    *required(saved_at=Moment, wrapped_key=LargeBinary, ciphertext=LargeBinary),
)
"""What was typed, encrypted; `name` tells the drafts of one person and form apart."""


def draft_table(tables: MetaData) -> Table:
    """Add the table of drafts to those of a service. Twice is once."""
    return tables.tables[_DRAFTS.name] if _DRAFTS.name in tables.tables else _DRAFTS.to_metadata(tables)


class Sealer(Protocol):
    """Seals what is kept: at a municipality privacy.vault.VaultKey."""

    def encrypt(self, record_id: str, plaintext: bytes) -> Encrypted:
        """Return the plaintext sealed under this id."""

    def decrypt(self, record_id: str, encrypted: Encrypted) -> bytes:
        """Return the content that was sealed under this id."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft: its name, what was typed, and when it was saved last."""

    name: str
    content: dict[str, Any] = field(repr=False)
    saved_at: datetime

    @property
    def ends_at(self) -> datetime:
        """Return the moment at which it ends unless it is saved again."""
        return self.saved_at + KEPT


@dataclass(frozen=True, slots=True)
class Drafts:
    """The drafts of one form, in the store of its service."""

    form: str
    database: Database
    sealer: Sealer
    now: Callable[[], datetime]

    def save(self, person: Person, name: str, content: dict[str, Any]) -> None:
        """Keep what was typed, in place of what this person kept under the same name."""
        sealed = self.sealer.encrypt(self._id(person, name), json.dumps(content, ensure_ascii=False).encode())
        own = {"issuer": person.issuer, "subject": person.subject, "form": self.form, "name": name, "saved_at": self.now()}
        with self.database.transaction() as connection:
            connection.execute(delete(self._table).where(self._of(person, name)))
            connection.execute(insert(self._table), [{**own, "wrapped_key": sealed.wrapped_key, "ciphertext": sealed.ciphertext}])

    def find(self, person: Person, name: str) -> Draft | None:
        """Return the draft of a person by its name; None when there is none, or it ended."""
        with self.database.reading() as connection:
            row = connection.execute(select(self._table).where(self._of(person, name))).mappings().first()
        return self._draft(person, row) if row and row["saved_at"] > self._oldest() else None

    def all_of(self, person: Person) -> Sequence[Draft]:
        """Return the drafts of a person, the last saved first."""
        mine = and_(self._of(person), self._table.c.saved_at > self._oldest())
        with self.database.reading() as connection:
            rows = connection.execute(select(self._table).where(mine).order_by(self._table.c.saved_at.desc())).mappings().all()
        return [self._draft(person, row) for row in rows]

    def remove(self, person: Person, name: str) -> None:
        """Delete a draft, whose key goes with it."""
        with self.database.transaction() as connection:
            connection.execute(delete(self._table).where(self._of(person, name)))

    def end_old(self) -> None:
        """Delete the drafts of everybody that nobody saved for too long."""
        with self.database.transaction() as connection:
            old = and_(self._table.c.form == self.form, self._table.c.saved_at <= self._oldest())
            connection.execute(delete(self._table).where(old))

    @property
    def _table(self) -> Table:
        return draft_table(self.database.tables)

    def _oldest(self) -> datetime:
        return self.now() - KEPT

    def _of(self, person: Person, name: str | None = None) -> ColumnElement[bool]:
        columns = self._table.c
        mine = and_(columns.issuer == person.issuer, columns.subject == person.subject, columns.form == self.form)
        return mine if name is None else and_(mine, columns.name == name)

    def _id(self, person: Person, name: str) -> str:
        return json.dumps(["draft", person.issuer, person.subject, self.form, name])

    def _draft(self, person: Person, row: RowMapping) -> Draft:
        sealed = Encrypted(row["wrapped_key"], row["ciphertext"])
        return Draft(row["name"], json.loads(self.sealer.decrypt(self._id(person, row["name"]), sealed)), row["saved_at"])
