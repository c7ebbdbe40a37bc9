"""The store in which people look and decide beside the running consumer: opened once per process, by commands and by servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property

from sqlalchemy import Connection, MetaData

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.privacy.register import NoSealingKeyError
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import StoreSettings
from signal_exchange.stream.identity import Identity, load_identity
from signal_exchange.stream.outbox import Outbox
from signal_exchange.stream.tables import common_tables
from signal_exchange.stream.work import Work


def require_seen(seen_version: int | None, row_version: int) -> None:
    """Check that a person saw what there is now; None: the person does not say.

    Raises:
        RefusedError: it changed meanwhile.
    """
    if seen_version is not None and seen_version != row_version:
        raise RefusedError("CHANGED_SINCE_SEEN", field="version", rule="R-REF-02")


class ActionStore:
    """The database and the keys of one service, as its actions use them; several threads may share it.

    The keys are read at the first act that needs them: to look at a list needs none.
    """

    def __init__(self, service: str, database: Database, load: Callable[[], Identity]) -> None:
        self.service, self.database, self._load = service, database, load

    @classmethod
    def opened(cls, service: str, tables: MetaData, settings: StoreSettings) -> ActionStore:
        """Return the store of a service, brought to the tables that this program needs.

        Raises:
            RefusedError: the store is newer than this program, or others may read it.
            StoreUnavailableError: the database does not answer.
        """
        database = Database(settings.database(service), tables)
        database.create_tables()
        return cls(service, database, lambda: load_identity(settings, settings.keys_file, database))

    @cached_property
    def identity(self) -> Identity:
        """Return the keys of this service, and the newest register that its store has seen.

        Raises:
            RefusedError: others may read the key file, or the register is older than one that the store has seen.
        """
        return self._load()

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a transaction that only reads."""
        return self.database.reading()

    @contextmanager
    def deciding(self) -> Iterator[Work]:
        """Open a transaction in which a person's decision and the records that tell of it hold together.

        The running consumer sends the records; while it is down they wait.

        Raises:
            RefusedError: the register lacks a key that something must be sealed to; nothing of the decision holds.
        """
        identity = self.identity
        identity.current_register()  # within the transaction the register stays as it is: a change is taken over here
        try:
            with self.database.transaction() as connection:
                work = Work(self.service, connection, identity.parking_seal(self.service))
                yield work
                Outbox(connection, common_tables(self.database.tables)).add(work.outgoing)
        except NoSealingKeyError as fault:
            raise RefusedError("NO_SEALING_KEY", group=fault.group) from None

    def close(self) -> None:
        """Close every connection."""
        self.database.close()
