"""The stores of a demo on a PostgreSQL server: one database per process, made by the demo and marked as its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, NullPool, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from signal_exchange.runtime.private_files import is_private
from signal_exchange_demo.refusing import DemoError

MARK = "Made by the demo of signal-exchange, which may empty it."
"""The comment on every database that the demo made: one without it is never touched."""
DRIVER = "postgresql+psycopg"


class Databases:
    """The databases of one demo. The address names one that exists, as whose user and beside which they are made.

    Raises:
        DemoError: the address is not one of PostgreSQL or holds a password; PostgreSQL does not let us in or refuses what we ask;
            a database of that name is not ours.
    """

    def __init__(self, address: str) -> None:
        self._url = _checked(address)

    def address_of(self, process: str) -> str:
        """Return the address of the database of one process, as its setting; it holds no password."""
        return self._url.set(database=self._name_of(process)).render_as_string(hide_password=False)

    def clear(self) -> None:
        """Remove every database that a demo made beside this address before."""
        with self._server() as connection:
            for name, comment in _databases(connection):
                if comment == MARK and name.startswith(self._name_of("")):
                    connection.execute(text(f"DROP DATABASE {_quoted(connection, name)}"))

    def make(self, processes: Iterable[str]) -> None:
        """Make the databases that are missing, empty; each process makes its own tables."""
        with self._server() as connection:
            known = dict(_databases(connection))
            for name in map(self._name_of, processes):
                if name not in known:
                    _make(connection, name)
                elif known[name] != MARK:
                    raise DemoError(
                        f"The database {name} was not made by the demo: remove it, or name another in --database-url."
                    )

    def _name_of(self, process: str) -> str:
        return f"{self._url.database}-{process}"

    @contextmanager
    def _server(self) -> Iterator[Connection]:
        engine = create_engine(self._url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)
        try:
            with engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            # The driver's own text is not shown: it may hold values.
            reason = type(error.orig).__name__
            raise DemoError(
                f"PostgreSQL at --database-url refuses ({reason}): is it up, is the passfile right, may the user make databases, "
                "and does no other demo use them?"
            ) from None


def _checked(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:
        raise DemoError("--database-url is no address, such as postgresql+psycopg://demo@localhost/demo.") from None
    if url.drivername not in (DRIVER, "postgresql") or not url.database:
        raise DemoError(f"--database-url must begin with {DRIVER}:// and name a database that exists.")
    if url.password is not None or "password" in url.query:
        raise DemoError("--database-url holds a password, which others could read: name a passfile in it, or in PGPASSFILE.")
    return _with_passfile(url.set(drivername=DRIVER))


def _with_passfile(url: URL) -> URL:
    named = url.query.get("passfile")
    if not isinstance(named, str):
        return url
    file = Path(named).resolve()
    if not is_private(file):
        raise DemoError("The passfile of --database-url is missing, or others may read it: give it mode 600.")
    return url.update_query_dict({"passfile": str(file)})


def _databases(connection: Connection) -> list[tuple[str, str | None]]:
    rows = connection.execute(text("SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database ORDER BY datname"))
    return [(row[0], row[1]) for row in rows]


def _make(connection: Connection, name: str) -> None:
    quoted = _quoted(connection, name)
    connection.execute(text(f"CREATE DATABASE {quoted}"))
    connection.execute(text(f"COMMENT ON DATABASE {quoted} IS '{MARK}'"))


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
