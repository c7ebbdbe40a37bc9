"""Puts routing together: settings in, a running consumer out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.policy import Policy
from signal_exchange.privacy.register import Register
from signal_exchange.privacy.register_entries import registered_members
from signal_exchange.reference.loading import load_code_lists, load_default_ruleset, load_equated_days, load_members
from signal_exchange.routing.effects import Rulebook
from signal_exchange.routing.erasing import Terms
from signal_exchange.routing.handler import FLOOD_RECORDS, RoutingHandler
from signal_exchange.routing.numbers import forget_parked
from signal_exchange.routing.service import SERVICE
from signal_exchange.routing.sparing import park_sparingly
from signal_exchange.routing.tables import OUTBOX, TABLES
from signal_exchange.runtime import clock
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import RoutingSettings
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.identity import Identity, load_identity
from signal_exchange.stream.outbox import Outbox
from signal_exchange.stream.scrubbing import is_owed
from signal_exchange.stream.service import consumer_of, every
from signal_exchange.stream.work import Seal, Work

T = TypeVar("T")
LOOK_SECONDS = 60
"""Pause between two looks for signals whose re-screen is due."""


def rulebook(register: Register) -> Rulebook:
    """Return the rules in force, from the package's reference data and with the members that the register names."""
    policy = Policy()
    calendar = WorkingCalendar(load_equated_days(), policy=policy)
    members = registered_members(load_members(), register.municipalities)
    return Rulebook(load_default_ruleset(), members, load_code_lists(), calendar, policy, register)


def current_rulebook(identity: Identity) -> Callable[[], Rulebook]:
    """Return the rules in force at any moment, which are made anew when the participants' register is another one."""
    made = rulebook(identity.register)

    def current() -> Rulebook:
        nonlocal made
        if made.register is not (register := identity.register):
            made = rulebook(register)
        return made

    return current


def handler_of(identity: Identity, flood_records: int = FLOOD_RECORDS) -> RoutingHandler:
    """Return the handler of a process with this register and these keys."""
    return RoutingHandler(current_rulebook(identity), identity.sealed_part, flood_records)


def recheck(routing: RoutingHandler, database: Database, seal: Seal) -> None:
    """Judge what the passing of time changes, until nothing is due; each time in one transaction with its outgoing records."""
    while _with_outgoing(database, seal, lambda work: routing.recheck(clock.now(), work)):
        pass


def terms_of(settings: RoutingSettings) -> Terms:
    """Return the terms of logs and of copies of stores, as the operator set them."""
    return Terms(settings.erasure_segment_seconds, settings.erasure_clean_seconds, settings.backup_days)


def look_at_erasures(routing: RoutingHandler, database: Database, seal: Seal, settings: RoutingSettings) -> None:
    """Bring the erasures further that time brings further. The logs are read between two transactions, so that nothing waits."""
    now, terms = clock.now(), terms_of(settings)
    wanted = _with_outgoing(database, seal, lambda work: routing.saga(work).look(now, terms))
    with database.reading() as connection:
        still_here = is_owed(connection)  # routing's own bytes: no certificate before they are gone
    if wanted and not still_here:
        from signal_exchange.recovery.log_check import keys_left  # noqa: PLC0415 - kafka-python's 7 MB, for an erasure alone

        left = keys_left(settings.kafka, wanted)
        _with_outgoing(database, seal, lambda work: routing.saga(work).certify(now, terms, left))


def _with_outgoing(database: Database, seal: Seal, act: Callable[[Work], T]) -> T:
    with database.batch() as connection:
        work = Work(SERVICE, connection, seal)
        result = act(work)
        Outbox(connection, OUTBOX).add(work.outgoing)
    return result


def consumer_spec(settings: RoutingSettings) -> ConsumerSpec:
    """Return the declaration of routing's consumer."""
    database = Database(settings.database(SERVICE), TABLES)
    identity = load_identity(settings, settings.keys_file, database)
    routing, seal = handler_of(identity, settings.flood_records), identity.parking_seal(SERVICE)
    return replace(
        consumer_of(SERVICE, database, OUTBOX, identity, routing, on_tombstones=routing.on_tombstones, waited_for=True),
        alongside=(
            every(LOOK_SECONDS, lambda: recheck(routing, database, seal)),
            every(settings.erasure_look_seconds, lambda: look_at_erasures(routing, database, seal, settings)),
        ),
        park=park_sparingly(settings.unattributed_per_hour),
        dropped=forget_parked,
        attribute=routing.attribute,
    )
