"""The rebuild of the facts: the topic has the last word about each."""

from __future__ import annotations

from signal_exchange.recovery.rebuilding import Plan
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.statistics.composition import consumer_spec


def plan() -> Plan:
    """Return the rebuild plan of this service."""
    return Plan(consumer_spec(loaded(ServiceSettings)))
