"""The rebuild of the views: from the same facts, and under revisions that the municipalities have not seen for anything else."""

from __future__ import annotations

import json

from sqlalchemy import Connection, bindparam, delete, select, update

from signal_exchange.feedback.composition import consumer_spec
from signal_exchange.feedback.store import VIEWS
from signal_exchange.feedback.views import FACT_TABLES, Owner
from signal_exchange.recovery.rebuilding import Plan
from signal_exchange.runtime import clock
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.stream.tables import PARKED


class Revisions:
    """Gives a view its revision back when it holds the same as before, and another view one above all that were sent."""

    def __init__(self) -> None:
        self._before: dict[Owner, tuple[int, str]] = {}

    def empty(self, connection: Connection) -> None:
        """Remember what there is, and empty the store."""
        self._before = _views(connection)
        connection.execute(delete(VIEWS))
        connection.execute(delete(PARKED))

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
    content = ((row, json.dumps([row[table] for table in FACT_TABLES], sort_keys=True)) for row in rows)
    return {(row["municipality"], row["signal_id"]): (row["revision"], held) for row, held in content}


def plan() -> Plan:
    """Return the rebuild plan of this service."""
    revisions = Revisions()
    return Plan(
        consumer_spec(loaded(ServiceSettings)),
        empty=revisions.empty,
        finish=revisions.finish,
        handled_again=False,  # it would tell other content under revisions that were told
    )
