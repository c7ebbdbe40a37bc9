"""How the facts come back: the topic has the last word about each."""

from __future__ import annotations

from signal_exchange.statistics.composition import consumer_spec
from signal_exchange.stream.commands import service_settings
from signal_exchange.stream.rebuilding import Plan


def plan() -> Plan:
    """Return how this service is rebuilt."""
    return Plan.of(consumer_spec(service_settings()))
