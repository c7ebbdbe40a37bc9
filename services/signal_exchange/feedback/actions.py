"""The acts of an operator of feedback: the views that municipalities have of their signals, with every detail sealed."""

from __future__ import annotations

from dataclasses import dataclass

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.feedback.store import FeedbackStore
from signal_exchange.feedback.views import View
from signal_exchange.stream.acting import ActionStore


@dataclass(frozen=True, slots=True)
class FeedbackActions:
    """Everything that an operator of feedback can see; several threads may call it."""

    store: ActionStore

    def views(self) -> list[View]:
        """Return every view, by municipality and signal."""
        with self.store.reading() as connection:
            return FeedbackStore(connection).all_views()

    def show(self, signal_id: str) -> View:
        """Return the view of one signal.

        Raises:
            RefusedError: nothing was reported about it.
        """
        found = next((view for view in self.views() if view.owner[1] == signal_id), None)
        if found is None:
            raise RefusedError("SIGNAL_NOT_REPORTED")
        return found
