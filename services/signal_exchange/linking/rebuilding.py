"""The rebuild of signals and tokens. Links, answers, clusters and persons are not touched.

The topic keeps the last state of each signal only. Tokens of an earlier version still count (R-LINK-03), and so do those of an
earlier epoch that were renewed since (R-LINK-01), so those stay.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, exists, select

from signal_exchange.domain.links.epochs import previous_epoch
from signal_exchange.domain.times import local_day
from signal_exchange.linking.composition import consumer_spec, handler_of
from signal_exchange.linking.handler import signal_of
from signal_exchange.linking.opening import opened_tokens
from signal_exchange.linking.records import ERASED
from signal_exchange.linking.service import SERVICE
from signal_exchange.linking.store import LinkingStore
from signal_exchange.linking.tables import SIGNALS, TOKENS
from signal_exchange.recovery.rebuilding import Keyed, Plan
from signal_exchange.runtime import clock
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.stream.identity import load_identity
from signal_exchange.stream.parking import ParkedStore
from signal_exchange.stream.tables import PARKED
from signal_exchange.stream.views import LinkTokensMessage
from signal_exchange.stream.work import Work

SOURCES = ("link-tokens",)


def plan() -> Plan:
    """Return the rebuild plan of this service."""
    settings = loaded(ServiceSettings)
    spec = consumer_spec(settings)
    handler = handler_of(load_identity(settings, settings.keys_file, spec.database))

    def take(messages: Sequence[LinkTokensMessage], work: Work) -> None:
        """Keep signals and tokens. A record that is parked for its tokens counts as a signal all the same."""
        store, held = LinkingStore(work.connection), ParkedStore(work.connection).held_back()
        store.put_signals([signal_of(message.fields) for message in messages])
        for message in messages:
            if message.incoming.parked_id(SERVICE) not in held:
                opened = opened_tokens(message, handler.open_part, handler.codes, handler.calendar.policy, work)
                store.add_tokens(opened)

    return Plan(
        spec,
        take=take,
        sources=SOURCES,
        empty=empty,
        finish=finish,
        held_back=lambda _: set(),
        keyed={SOURCES[0]: Keyed(SIGNALS.c.signal_id, leave_out)},
    )


def leave_out(connection: Connection, gone: set[str]) -> None:
    """Delete all that leads to signals which the exchange has no more."""
    store = LinkingStore(connection)
    store.forget(gone, store.links_of(gone))
    store.forget_signals(gone)


def empty(connection: Connection) -> None:
    """Delete what the topic gives back: everything but the tokens of earlier versions and earlier epochs."""
    present = select(SIGNALS.c.version).where(SIGNALS.c.signal_id == TOKENS.c.signal_id, SIGNALS.c.version <= TOKENS.c.version)
    other = TOKENS.alias()
    same = (other.c.signal_id == TOKENS.c.signal_id, other.c.version == TOKENS.c.version)
    renewed = select(other.c.epoch).where(*same, other.c.epoch > TOKENS.c.epoch)
    connection.execute(delete(TOKENS).where(exists(present), ~exists(renewed)))
    connection.execute(delete(SIGNALS))
    connection.execute(delete(PARKED))


def finish(connection: Connection) -> None:
    """Delete the tokens of signals that are gone, and of epochs that are (R-RET-02)."""
    left = select(SIGNALS.c.signal_id).where(SIGNALS.c.status != ERASED)
    connection.execute(delete(TOKENS).where(TOKENS.c.signal_id.not_in(left)))
    LinkingStore(connection).forget_tokens_before(previous_epoch(local_day(clock.now())))
