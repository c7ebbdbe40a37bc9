"""Rebuild of the views of the exchange at a node. Its vault, its numbering and its outbox are not touched.

They are read to the end of the topic, also what the inbox still has to take: a node that was restored must know every reference
that the exchange knows before anybody publishes with it.
"""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, select

from signal_exchange.municipality.node import node_of
from signal_exchange.municipality.sending.outbox import Outbox
from signal_exchange.municipality.store import PARKED
from signal_exchange.recovery.rebuilding import Plan
from signal_exchange.runtime import clock
from signal_exchange.runtime.settings import MunicipalitySettings, loaded


def begin_run(connection: Connection) -> None:
    """Begin a numbering after a restore: the back-up may not know every number that was given out."""
    Outbox(connection).begin_run(str(uuid.uuid4()), clock.now())


def held_back(connection: Connection) -> set[str]:
    """Return the parked ids of what this inbox could not read."""
    return set(connection.execute(select(PARKED.c.parked_id)).scalars())


def plan() -> Plan:
    """Return the rebuild plan of a municipality's node."""
    node = node_of(loaded(MunicipalitySettings))
    spec = node.inbox_consumer()
    return Plan(spec, take=node.inbox().rebuild, sources=(), own=spec.sources, held_back=held_back, restored=begin_run)
