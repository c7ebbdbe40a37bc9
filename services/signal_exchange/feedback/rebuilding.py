"""How the views come back: from the same facts, and under revisions that the municipalities have not seen for anything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from signal_exchange.feedback.composition import consumer_spec
from signal_exchange.feedback.store import VIEWS
from signal_exchange.feedback.views import SHELVES, Owner
from signal_exchange.runtime import clock
from signal_exchange.stream.commands import service_settings
from signal_exchange.stream.outbox import kept_table
from signal_exchange.stream.rebuilding import Plan


class Revisions:
    """Gives each view its revision back when it holds the same as before; one that does not gets one above all that was told."""

    def __init__(self) -> None:
        self._before: dict[Owner, tuple[int, str]] = {}

    def empty(self, connection: Connection) -> None:
        """Remember what there is, and empty the store."""
        self._before = _views(connection)
        connection.execute(delete(VIEWS))
        connection.execute(delete(kept_table(VIEWS.metadata)))

    def finish(self, connection: Connection) -> None:
        """Give every view its revision."""
        now = round(clock.now().timestamp() * 1000)
        rows = []
        for owner, (revision, content) in _views(connection).items():
            told, same = self._before.get(owner, (0, ""))
            wanted = told if same == content else max(now, told + 1, revision)
            if wanted != revision:
                rows.append({"of": owner[1], "for": owner[0], "wanted": wanted})
        own = (VIEWS.c.signal_id == bindparam("of")) & (VIEWS.c.municipality == bindparam("for"))
        if rows:
            connection.execute(update(VIEWS).where(own).values(revision=bindparam("wanted")), rows)


def _views(connection: Connection) -> dict[Owner, tuple[int, str]]:
    rows = connection.execute(select(VIEWS)).mappings()
    return {(row["municipality"], row["signal_id"]): (row["revision"], _content(row)) for row in rows}


def _content(row: Mapping[Any, Any]) -> str:
    return json.dumps([row[shelf] for shelf in SHELVES], sort_keys=True)


def plan() -> Plan:
    """Return how this service is rebuilt."""
    revisions = Revisions()
    return Plan.of(
        consumer_spec(service_settings()),
        empty=revisions.empty,
        finish=revisions.finish,
        handled_again=False,  # it would tell other content under revisions that were told
    )
