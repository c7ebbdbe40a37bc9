"""The person at the keyboard of a command: proven by an own token, or by the account of the operating system.

In a demo whose list of people is empty, the free text that a command is given counts as before: nobody is proven there.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.people.access import ROLES_OF
from signal_exchange.people.actions import PeopleActions
from signal_exchange.people.store import SHORTEST
from signal_exchange.runtime.private_files import require_private
from signal_exchange.runtime.settings import ProcessSettings

OS = "os"
"""Issuer of a person whom the operating system of this machine knows; the subject is the name of the account."""

NOBODY = "-"
"""Stands for who only looks in a demo without people."""


def account() -> str:
    """Return the name of the account under which this process runs; its number, where it has no name."""
    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def acting_person(people: PeopleActions, settings: ProcessSettings, named: str | None = None) -> Person:
    """Return the person who types a command, proven; `named` is whom the command names, if it does.

    Raises:
        RefusedError: the list of people has nobody, the token or the account is of nobody on it, or another one is named.
    """
    if people.is_empty():
        return _unproven(people.service, settings, named)
    person = _proven(people, settings)
    if named is not None and named.strip() and not _is_meant(named.strip(), person):
        raise RefusedError("NAMES_ANOTHER", field="by")
    return person


def looking_person(people: PeopleActions, settings: ProcessSettings) -> Person:
    """Return the person who types a command that only looks, proven; in a demo without people nobody needs a name for that.

    Raises:
        RefusedError: as `acting_person`.
    """
    nobody = settings.mode == "demo" and people.is_empty()
    return _in_every_role(people.service, NOBODY) if nobody else acting_person(people, settings)


def _unproven(service: str, settings: ProcessSettings, named: str | None) -> Person:
    """Return a person by the name alone: in a demo without people, and nowhere else."""
    if settings.mode != "demo":
        raise RefusedError("NO_PEOPLE")
    if named is None or not named.strip():
        raise RefusedError("WHO_ACTS", field="by")
    return _in_every_role(service, named)


def _in_every_role(service: str, name: str) -> Person:
    return Person(name, deputy_of=tuple(Person(name, role=role) for role in sorted(ROLES_OF[service])))


def _proven(people: PeopleActions, settings: ProcessSettings) -> Person:
    if settings.person_token_file is not None:
        person = people.find_by_token(_read(settings.person_token_file))
        if person is None:
            raise RefusedError("TOKEN_OF_NOBODY", file=settings.person_token_file.name)
        return person
    person = people.find(OS, account())
    if person is None:
        raise RefusedError("ACCOUNT_OF_NOBODY", account=account())
    return person


def _read(file: Path) -> str:
    try:
        require_private(file)
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        raise RefusedError("TOKEN_UNREADABLE", file=file.name) from None


def _is_meant(named: str, person: Person) -> bool:
    return named == person.name or (len(named) >= SHORTEST and person.person_id.startswith(named.lower()))
