"""The people and the audit log of the service that the settings of a command are of, opened for one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from signal_exchange.cli.declaring import declarations, part_of
from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.people.access import ROLES_OF
from signal_exchange.people.actions import PeopleActions
from signal_exchange.people.audit_actions import AuditActions
from signal_exchange.people.proving import acting_person
from signal_exchange.runtime import clock
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import ServiceSettings, loaded

NODE = "municipality"
"""The service of every municipality's node, whatever its principal."""


@dataclass(frozen=True, slots=True)
class OpenedPeople:
    """The people of one service and its audit log, with the settings of the command."""

    people: PeopleActions
    audit: AuditActions
    settings: ServiceSettings

    def who(self) -> Person:
        """Return the person who types the command, proven.

        Raises:
            RefusedError: nobody on the list is proven.
        """
        return acting_person(self.people, self.settings)


@contextmanager
def opened_people() -> Iterator[OpenedPeople]:
    """Open the people of the service whose principal the settings name.

    Raises:
        RefusedError: this service keeps no people.
    """
    settings = loaded(ServiceSettings)
    service = NODE if settings.kafka_user.startswith(f"{NODE}-") else settings.kafka_user
    if service not in ROLES_OF:
        raise RefusedError("NO_PEOPLE_HERE", service=service)
    database = Database(settings.database(service), _tables_of(service))
    database.create_tables()
    try:
        yield OpenedPeople(PeopleActions(database, service, clock.now), AuditActions(database, clock.now), settings)
    finally:
        database.close()


def _tables_of(service: str) -> Any:  # noqa: ANN401 - SQLAlchemy's tables, which the rooms of stores know
    declared = (each for each in declarations().values() if service in {one.name for one in each.services})
    return part_of(next(each.tables for each in declared if each.tables))
