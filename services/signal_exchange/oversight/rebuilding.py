"""The rebuild of the ledger, the clocks and the headers of parked records: as they came in, from the trace."""

from __future__ import annotations

from signal_exchange.oversight.composition import consumer_spec
from signal_exchange.recovery.rebuilding import Plan
from signal_exchange.runtime.settings import ServiceSettings, loaded


def plan() -> Plan:
    """Return the rebuild plan of this service."""
    return Plan(consumer_spec(loaded(ServiceSettings)))
