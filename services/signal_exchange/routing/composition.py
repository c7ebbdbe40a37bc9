"""Puts routing together: settings in, a running consumer out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from signal_exchange.contracts.reference import load_code_lists, load_default_ruleset, load_equated_days, load_members
from signal_exchange.contracts.topics import catalogue
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.policy import Policy
from signal_exchange.privacy.register import Register
from signal_exchange.privacy.register_entries import registered_members
from signal_exchange.routing.erasing import Saga, Terms
from signal_exchange.routing.handler import FLOOD_RECORDS, RoutingHandler, forget_parked
from signal_exchange.routing.running import Rulebook
from signal_exchange.routing.sparing import park_sparingly
from signal_exchange.routing.store import OUTBOX, TABLES
from signal_exchange.runtime import clock
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import RoutingSettings, loaded
from signal_exchange.stream.identity import Identity, load_identity
from signal_exchange.stream.messages import Attribution, Incoming, Message
from signal_exchange.stream.outbox import Outbox
from signal_exchange.stream.scrubbing import is_owed
from signal_exchange.stream.service import ConsumerSpec, every, run_consumer
from signal_exchange.stream.work import Seal, Work

SERVICE = "routing"
T = TypeVar("T")
LOOK_SECONDS = 60
"""Pause between two looks for signals whose re-screen is due."""


def rulebook(register: Register) -> Rulebook:
    """Return the rules in force, from the package's reference data and with the members that the register names."""
    policy = Policy()
    calendar = WorkingCalendar(load_equated_days(), policy=policy)
    members = registered_members(load_members(), register.municipalities)
    return Rulebook(load_default_ruleset(), members, load_code_lists(), calendar, policy, register)


class CurrentRouting:
    """Routing's work on a batch, under the participants' register that is in force when the batch comes."""

    def __init__(self, identity: Identity, flood_records: int = FLOOD_RECORDS) -> None:
        self._identity, self._flood_records = identity, flood_records
        self._handler = self._made(identity.register)

    def __call__(self, messages: Sequence[Message], work: Work) -> None:
        """Handle a batch."""
        self._current()(messages, work)

    def look_again(self, now: datetime, work: Work) -> int:
        """Judge the signals whose re-screen is due."""
        return self._current().look_again(now, work)

    def bury(self, gone: Sequence[Incoming], work: Work) -> None:
        """Take the tombstones of a batch."""
        self._current().bury(gone, work)

    def attribute(self, message: Message, work: Work) -> Attribution | None:
        """Say whose number a record has at which routing fails."""
        return self._current().attribute(message, work)

    def saga(self, work: Work) -> Saga:
        """Return the erasures, to be brought further in a transaction."""
        return self._current().saga(work)

    def _current(self) -> RoutingHandler:
        register = self._identity.register
        if self._handler.rulebook.register is not register:
            self._handler = self._made(register)
        return self._handler

    def _made(self, register: Register) -> RoutingHandler:
        return RoutingHandler(rulebook(register), self._identity.sealed_part, self._flood_records)


def look_again(routing: CurrentRouting, database: Database, seal: Seal) -> None:
    """Judge what the passing of time changes, until nothing is due; each time in one transaction with its letters."""
    while _with_letters(database, seal, lambda work: routing.look_again(clock.now(), work)):
        pass


def terms_of(settings: RoutingSettings) -> Terms:
    """Return when logs can be cleaned and copies of stores end, as the operator set it."""
    return Terms(settings.erasure_segment_seconds, settings.erasure_clean_seconds, settings.backup_days)


def look_at_erasures(routing: CurrentRouting, database: Database, seal: Seal, settings: RoutingSettings) -> None:
    """Bring the erasures further that time brings further. The logs are read between two transactions, so that nothing waits."""
    now, terms = clock.now(), terms_of(settings)
    wanted = _with_letters(database, seal, lambda work: routing.saga(work).look(now, terms))
    with database.reading() as connection:
        still_here = is_owed(connection, OUTBOX)  # routing's own bytes: no certificate before they are gone
    if wanted and not still_here:
        from signal_exchange.stream.log_check import keys_left  # noqa: PLC0415 - kafka-python's 7 MB, for an erasure alone

        left = keys_left(settings.kafka, wanted)
        _with_letters(database, seal, lambda work: routing.saga(work).certify(now, terms, left))


def _with_letters(database: Database, seal: Seal, act: Callable[[Work], T]) -> T:
    with database.batch() as connection:
        work = Work(SERVICE, connection, seal)
        result = act(work)
        Outbox(connection, OUTBOX).add(work.letters)
    return result


def consumer_spec(settings: RoutingSettings) -> ConsumerSpec:
    """Return what makes the common consumer into routing."""
    database = Database(settings.database(SERVICE), TABLES)
    identity = load_identity(settings, settings.keys_file, database)
    routing, seal = CurrentRouting(identity, settings.flood_records), identity.parking_seal(SERVICE)
    return ConsumerSpec(
        name=SERVICE,
        reader=SERVICE,
        sources=catalogue(()).sources_of(SERVICE),
        database=database,
        outbox=OUTBOX,
        handle=routing,
        seal=seal,
        alongside=(
            every(LOOK_SECONDS, lambda: look_again(routing, database, seal)),
            every(settings.erasure_look_seconds, lambda: look_at_erasures(routing, database, seal, settings)),
        ),
        park=park_sparingly(settings.unattributed_per_hour),
        unseal=identity.opened,
        dropped=forget_parked,
        bury=routing.bury,
        look=identity.current_register,
        attribute=routing.attribute,
    )


def main() -> None:
    """Run routing until it is stopped."""
    settings = loaded(RoutingSettings)
    run_consumer(consumer_spec(settings), settings)
