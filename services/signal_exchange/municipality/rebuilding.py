"""How the views of the exchange come back to a node. Its vault, its numbering and its outbox are not touched.

They are read to the end of the topic, also what the inbox still has to take: a node that was restored must know every reference
that the exchange knows before anybody publishes with it.
"""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, select

from signal_exchange.contracts.topics import feedback_topic, municipality_principal
from signal_exchange.municipality.commands import municipality_settings
from signal_exchange.municipality.inbox import ParkInVault
from signal_exchange.municipality.node import SERVICE, node_of
from signal_exchange.municipality.outbox import Outbox
from signal_exchange.municipality.store import OUTBOX_OF_CONSUMER, PARKED
from signal_exchange.runtime import clock
from signal_exchange.stream.rebuilding import Plan
from signal_exchange.stream.service import ConsumerSpec


def begin_run(connection: Connection) -> None:
    """Begin a numbering after a restore: the back-up may not know every number that was given out."""
    Outbox(connection).begin_run(str(uuid.uuid4()), clock.now())


def held_back(connection: Connection) -> set[str]:
    """Return the parked ids of what this inbox could not read."""
    return set(connection.execute(select(PARKED.c.parked_id)).scalars())


def plan() -> Plan:
    """Return how the node of a municipality is rebuilt."""
    node = node_of(municipality_settings(None))
    code, inbox = node.settings.municipality, node.inbox()
    spec = ConsumerSpec(
        name=municipality_principal(code),
        reader=SERVICE,
        sources=(feedback_topic(code),),
        database=node.database,
        outbox=OUTBOX_OF_CONSUMER,
        handle=inbox,
        seal=node.identity.parking_seal(SERVICE),
        park=ParkInVault(node.vault_key),
        parks_on_topic=False,
    )
    return Plan.of(spec, take=inbox.rebuild, sources=(), own=spec.sources, held_back=held_back, restored=begin_run)
