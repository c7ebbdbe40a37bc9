"""The people who act in this exchange, and their roles."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """The role that a person has here: the codes of role.csv."""

    REPORTER = "REPORTER"
    ATTENTION_OFFICER = "ATTENTION_OFFICER"
    CARE_COORDINATOR = "CARE_COORDINATOR"
    YOUTH_COORDINATOR = "YOUTH_COORDINATOR"
    CHAIN_DIRECTOR = "CHAIN_DIRECTOR"
    MEETING_MEMBER = "MEETING_MEMBER"
    REGIONAL_MONITOR = "REGIONAL_MONITOR"
    OPERATOR = "OPERATOR"
    PRIVACY_OFFICER = "PRIVACY_OFFICER"
    PORTFOLIO_HOLDER = "PORTFOLIO_HOLDER"
    ORGANISATION_ADMIN = "ORGANISATION_ADMIN"
    REGION_OFFICE = "REGION_OFFICE"
    KEEPER_OPERATOR = "KEEPER_OPERATOR"
    CLIENT = "CLIENT"


ACCESS_ONLY = frozenset({Role.ORGANISATION_ADMIN, Role.REGION_OFFICE, Role.KEEPER_OPERATOR, Role.CLIENT})
"""Roles that say what somebody may do here, and nothing more: they keep no signal, and no record on the stream names them."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person who looks or decides, by the name that is kept with the act.

    Of a person whom a list of people knows, the rest is there too: the opaque `person_id`, who vouches for the log-in (`issuer`)
    and under which `subject`, the `role` (a code of role.csv, empty for who is a deputy only), and the `organisation` (the CBS
    code of a municipality, else the name of a group or a seat). `deputy_of` are those whose deputy this person is at the moment.
    """

    name: str
    issuer: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    role: str = ""
    organisation: str = ""
    person_id: str = ""
    deputy_of: tuple[Person, ...] = ()

    @property
    def roles(self) -> frozenset[str]:
        """Return the roles in which this person may act now: the own one, and those of whom this person is the deputy."""
        return frozenset(filter(None, (self.role, *(each.role for each in self.deputy_of))))
