"""People who act in the store of a consumer, through the actions of its service."""

from __future__ import annotations

from datetime import datetime

from builders import START, Consuming, an_identity

from signal_exchange.agenda.actions import AgendaActions
from signal_exchange.agenda.deciding import DecisionRules
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.people import Person
from signal_exchange.reference.loading import load_code_lists, load_equated_days
from signal_exchange.stream.acting import ActionStore
from signal_exchange.worklist.actions import WorklistActions
from signal_exchange.worklist.composition import ROLES, rules

OFFICER = Person("officer", role="CARE_COORDINATOR")


def acting_in(consumer: Consuming, *groups: str) -> ActionStore:
    """Give the store of a consumer for who acts in it, with the keys of these groups."""
    identity = an_identity(*groups)
    return ActionStore(consumer.service, consumer.database, lambda: identity)


def coordinator(consumer: Consuming, at: datetime = START) -> WorklistActions:
    """Give the acts of the coordinator of a worklist, at one moment."""
    return WorklistActions(acting_in(consumer, "care"), rules(), ROLES[consumer.service], lambda: at)


def chain_director(consumer: Consuming, at: datetime = START) -> AgendaActions:
    """Give the acts of the chain director at the agenda, at one moment."""
    rules = DecisionRules(WorkingCalendar(load_equated_days()), load_code_lists())
    return AgendaActions(acting_in(consumer, "table"), rules, lambda: at)
