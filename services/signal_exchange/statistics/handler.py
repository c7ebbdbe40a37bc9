"""The work of statistics on one batch: keep each fact as it was last told.

No step goes to the trace: it would tie a fact, under its random id, to the moment at which its signal was routed.
"""

from __future__ import annotations

from collections.abc import Sequence

from signal_exchange.statistics.store import StatisticsStore
from signal_exchange.stream.views import ObservationMessage
from signal_exchange.stream.work import Work


def handle(messages: Sequence[ObservationMessage], work: Work) -> None:
    """Write the facts of a batch; twice is once."""
    StatisticsStore(work.connection).put([message.fields for message in messages])
