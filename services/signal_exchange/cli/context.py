"""The common parts of the commands of every service: the settings and the store of the running consumer, tables and JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import MetaData

from signal_exchange import words
from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.times import local
from signal_exchange.people.access import Act
from signal_exchange.people.actions import PeopleActions
from signal_exchange.people.proving import acting_person, looking_person
from signal_exchange.people.watching import Doing, watched
from signal_exchange.runtime import clock
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.stream.acting import ActionStore

GROUP: dict[str, Any] = {"add_completion": False, "pretty_exceptions_enable": False}
"""Of every group of commands: an exception shows no values."""
Actions = TypeVar("Actions")
PIPE_WIDTH = 160
"""Columns of a table that no terminal shows."""


def _named(by: str) -> str:
    if not by.strip():
        raise typer.BadParameter(words.text("name_who"))
    return by


AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for a machine.")]
By = Annotated[str, typer.Option("--by", callback=_named, help="Who decides; stays in the store of this service.")]


ProvenBy = Annotated[
    str | None,
    typer.Option("--by", help="Your own name on the list of people, which is proven; a demo without people takes any."),
]
OpenSummary = Annotated[bool, typer.Option("--open", help="Open the sealed summary; needs --by, and is recorded.")]
Opener = Annotated[str | None, typer.Option("--by", help="Who opens the summary.")]


def opener(by: str | None) -> Person:
    """Return the person who opens a summary.

    Raises:
        RefusedError: nobody is named.
    """
    if by is None or not by.strip():
        raise RefusedError("WHO_OPENS_SUMMARY", field="by")
    return Person(by)


@dataclass(frozen=True, slots=True)
class CommandContext(Generic[Actions]):
    """The context of the commands of one service: the same settings, keys and database as its running consumer.

    A command opens the store for its one action and closes it; a server opens an `ActionStore` once. `actions` makes of the
    opened store what people can see and do.
    """

    service: str
    tables: MetaData
    actions: Callable[[ActionStore], Actions]

    @contextmanager
    def acting(self) -> Iterator[Actions]:
        """Open the actions of the service for one command."""
        with self._opened(loaded(ServiceSettings)) as store:
            yield self.actions(store)

    @contextmanager
    def deciding(self, named: str | None) -> Iterator[tuple[Actions, Person]]:
        """Open the actions of the service, with the person who types the command: proven, and meant by `named` if that is given.

        Raises:
            RefusedError: nobody is proven, or another one is named.
        """
        settings = loaded(ServiceSettings)
        with self._opened(settings) as store:
            yield self.actions(store), acting_person(_people_of(store), settings, named)

    @contextmanager
    def looking(self, act: Act) -> Iterator[tuple[Actions, Doing]]:
        """Open the actions of the service for a command that only looks, which is kept in the audit log with what it is about.

        Raises:
            RefusedError: nobody is proven, or may not look at this.
        """
        settings = loaded(ServiceSettings)
        with self._opened(settings) as store:
            who = looking_person(_people_of(store), settings)
            with watched(store.database, act, who, clock.now()) as doing:
                yield self.actions(store), doing
                with store.database.transaction() as connection:
                    doing.enter(connection)

    @contextmanager
    def _opened(self, settings: ServiceSettings) -> Iterator[ActionStore]:
        store = ActionStore.opened(self.service, self.tables, settings)
        try:
            yield store
        finally:
            store.close()


def _people_of(store: ActionStore) -> PeopleActions:
    return PeopleActions(store.database, store.service, clock.now)


def show_list(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, empty: str, as_json: bool, value: object = None
) -> None:
    """Print rows as a table, or as JSON; `value` is the value for a machine, where that is not the rows."""
    if as_json:
        show_json(rows if value is None else value)
    else:
        show_rows(rows, columns, empty=empty)


def tell(value: object, sentence: str, *, as_json: bool) -> None:
    """Print a value as JSON, or the sentence that a person reads."""
    if as_json:
        show_json(value)
    else:
        typer.echo(sentence)


def show_rows(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, empty: str) -> None:
    """Print rows as a table; `columns` gives the key of the heading of each shown field, and `empty` the sentence for no rows."""
    if not rows:
        typer.echo(empty)
        return
    table = Table(*map(words.text, columns.values()), box=None, pad_edge=False)
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
        return words.text("yes" if value else "no")
    if isinstance(value, datetime):
        return local(value).strftime("%d-%m-%Y %H:%M")
    return printable(str(value))


def printable(text: str) -> str:
    """Return text without control characters, which could steer the terminal of who reads it."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)
