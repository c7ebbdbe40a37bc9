"""How the ledger, the clocks and the headers of parked records come back: as they came in, from the trace."""

from __future__ import annotations

from signal_exchange.oversight.composition import consumer_spec
from signal_exchange.stream.commands import service_settings
from signal_exchange.stream.rebuilding import Plan


def plan() -> Plan:
    """Return how this service is rebuilt."""
    return Plan.of(consumer_spec(service_settings()))
