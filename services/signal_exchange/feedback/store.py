"""The store of feedback: per municipality, the view it has of each of its own signals. All of it can be rebuilt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import JSON, BigInteger, Column, Connection, String, Table, select

from signal_exchange.feedback.views import FACT_TABLES, Owner, View
from signal_exchange.runtime.columns import keys, required
from signal_exchange.runtime.database import put_newer
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.stream.tables import common_tables

TABLES = store_tables("feedback")
OUTBOX = common_tables(TABLES)

VIEWS = Table(
    "projection_views",
    TABLES,
    *keys(signal_id=String, municipality=String),
    *required(revision=BigInteger),
    *(Column(table, JSON, nullable=False) for table in FACT_TABLES),
)
"""One row per municipality and signal. Details stay sealed: this service holds no key that opens them."""


class FeedbackStore:
    """The views in one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def views(self, owners: Iterable[Owner]) -> dict[Owner, View]:
        """Return the stored views among these."""
        wanted = set(owners)
        rows = self._connection.execute(select(VIEWS).where(VIEWS.c.signal_id.in_({signal_id for _, signal_id in wanted})))
        found = (View((row.municipality, row.signal_id), row.revision, row.numbers, row.steps, row.outcomes) for row in rows)
        return {view.owner: view for view in found if view.owner in wanted}

    def all_views(self) -> list[View]:
        """Return every view, by municipality and signal."""
        rows = self._connection.execute(select(VIEWS).order_by(VIEWS.c.municipality, VIEWS.c.signal_id))
        return [View((row.municipality, row.signal_id), row.revision, row.numbers, row.steps, row.outcomes) for row in rows]

    def put(self, views: Sequence[View]) -> None:
        """Write views; an older revision never wins."""
        put_newer(self._connection, VIEWS, [_row(view) for view in views], guard="revision")


def _row(view: View) -> dict[str, object]:
    municipality, signal_id = view.owner
    tables = {table: getattr(view, table) for table in FACT_TABLES}
    return {"signal_id": signal_id, "municipality": municipality, "revision": view.revision, **tables}
