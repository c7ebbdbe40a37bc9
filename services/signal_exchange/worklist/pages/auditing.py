"""Looking is an act too: who may not is refused, and each look stands in the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from signal_exchange.people.access import Act
from signal_exchange.people.watching import Doing, watched
from signal_exchange.web.visits import Visit
from signal_exchange.worklist.actions import WorklistActions


@contextmanager
def looking(visit: Visit, actions: WorklistActions) -> Iterator[Doing]:
    """Let who asks look at a worklist, and keep that they did.

    Raises:
        RefusedError: they may not, or what they look at is not there.
    """
    database = actions.store.database
    with watched(database, Act.WORKLIST_SEE, visit.person, actions.now()) as doing:
        yield doing
        with database.transaction() as connection:
            doing.enter(connection)
