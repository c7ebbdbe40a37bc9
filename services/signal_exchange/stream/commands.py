"""What the commands of every service share: the settings and the store of the running consumer, tables and JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection, MetaData

from signal_exchange.domain.times import local
from signal_exchange.privacy.register import NoSealingKey
from signal_exchange.runtime import clock
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import Refused
from signal_exchange.runtime.settings import PREFIX, ServiceSettings
from signal_exchange.stream.identity import Identity, load_identity
from signal_exchange.stream.outbox import Outbox, outbox_table
from signal_exchange.stream.work import Work

GROUP: dict[str, Any] = {"add_completion": False, "pretty_exceptions_enable": False}
"""Of every group of commands: an exception shows no values."""
PIPE_WIDTH = 160
"""Columns of a table that no terminal shows."""


def _named(by: str) -> str:
    if not by.strip():
        raise typer.BadParameter("Noem wie dit doet.")
    return by


AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for a machine.")]
By = Annotated[str, typer.Option("--by", callback=_named, help="Who decides; stays in the store of this service.")]


def service_settings() -> ServiceSettings:
    """Return the settings of this process, from the environment.

    Raises:
        Refused: a setting is missing or wrong; named, never shown.
    """
    try:
        settings = ServiceSettings()
    except ValidationError as fault:
        names = sorted(PREFIX + str(each["loc"][0]).upper() for each in fault.errors())
        raise Refused(f"Deze instellingen ontbreken of kloppen niet: {', '.join(names)}.") from None
    clock.follow(settings.clock_file)
    return settings


OpenSummary = Annotated[bool, typer.Option("--open", help="Open the sealed summary; needs --by, and is recorded.")]
Opener = Annotated[str | None, typer.Option("--by", help="Who opens the summary.")]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the commands of one service work: the same settings, keys and database as its running consumer."""

    service: str
    tables: MetaData

    def identity(self) -> Identity:
        """Return the keys of this service, and the newest register that its store has seen."""
        settings = service_settings()
        with self._database() as database:
            return load_identity(settings, settings.keys_file, database)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        with self._database() as database, database.reading() as connection:
            yield connection

    @contextmanager
    def deciding(self, identity: Identity) -> Iterator[Work]:
        """Open a transaction in which a person's decision and the letters that tell of it hold together.

        The running consumer sends the letters; while it is down they wait.

        Raises:
            Refused: the register lacks a key that something must be sealed to; nothing of the decision holds.
        """
        try:
            with self._database() as database, database.transaction() as connection:
                work = Work(self.service, connection, identity.parking_seal(self.service))
                yield work
                Outbox(connection, outbox_table(self.tables)).add(work.letters)
        except NoSealingKey as fault:
            raise Refused(f"{fault} Er is niets veranderd: laat het deelnemersregister herstellen.") from None

    @contextmanager
    def _database(self) -> Iterator[Database]:
        database = Database(service_settings().database(self.service), self.tables)
        try:
            database.create_tables()
            yield database
        finally:
            database.close()


def show_rows(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, empty: str) -> None:
    """Print rows as a table; `columns` gives the heading of each shown field, and `empty` the sentence for no rows."""
    if not rows:
        typer.echo(empty)
        return
    table = Table(*columns.values(), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(shown(row[name])) for name in columns))
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    console.print(table)


def show_json(value: object) -> None:
    """Print a value as JSON; moments as ISO 8601."""
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False, default=_plain))


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def shown(value: object) -> str:
    """Return a value as a person reads it: moments in Amsterdam time, nothing as a dash, no control characters."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "ja" if value else "nee"
    if isinstance(value, datetime):
        return local(value).strftime("%d-%m-%Y %H:%M")
    return printable(str(value))


def printable(text: str) -> str:
    """Return text without control characters, which could steer the terminal of who reads it."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)
