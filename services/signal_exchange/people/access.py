"""The one table of access, of every act and every role, for pages, routes, commands and actions alike.

docs/operator/access.md is generated from here. An act that stands in no row is refused to everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from signal_exchange.domain.people import Person, Role
from signal_exchange.domain.refusals import RefusedError

OFFICER, CARE, YOUTH = Role.ATTENTION_OFFICER, Role.CARE_COORDINATOR, Role.YOUTH_COORDINATOR
ADMIN, PRIVACY, CLIENT = Role.ORGANISATION_ADMIN, Role.PRIVACY_OFFICER, Role.CLIENT
COORDINATORS = (CARE, YOUTH)
WORKERS = (OFFICER, *COORDINATORS)


class Act(StrEnum):
    """One thing that a person can see or do, as SERVICE.ACTION: the name of the action of that service."""

    WORKLIST_SEE = "worklist.see"
    WORKLIST_OPEN_SUMMARY = "worklist.open_summary"
    WORKLIST_MARK_SEEN = "worklist.mark_seen"
    WORKLIST_ACCEPT = "worklist.accept"
    WORKLIST_REJECT = "worklist.reject"
    WORKLIST_START_CARE = "worklist.start_care"
    WORKLIST_COMPLETE = "worklist.complete"
    WORKLIST_WITHDRAW = "worklist.withdraw"
    WORKLIST_NOTE_PROGRESS = "worklist.note_progress"
    WORKLIST_NOTE_CONTACT = "worklist.note_contact"
    WORKLIST_ADVISE = "worklist.advise"
    MUNICIPALITY_REPORT = "municipality.report"
    MUNICIPALITY_REPORTS = "municipality.reports"
    MUNICIPALITY_OPEN_REPORT = "municipality.open_report"
    MUNICIPALITY_CLOSE_REPORT = "municipality.close_report"
    MUNICIPALITY_PUBLISH = "municipality.publish"
    MUNICIPALITY_TRACE = "municipality.trace"
    MUNICIPALITY_WITHDRAW = "municipality.withdraw"
    MUNICIPALITY_ERASE = "municipality.erase"
    MUNICIPALITY_OUTBOX = "municipality.outbox"
    MUNICIPALITY_CERTIFICATES = "municipality.certificates"
    MUNICIPALITY_QUESTIONS = "municipality.questions"
    MUNICIPALITY_OPEN_QUESTION = "municipality.open_question"
    MUNICIPALITY_ANSWER_LINK = "municipality.answer_link"
    MUNICIPALITY_RENEW_TOKENS = "municipality.renew_tokens"
    MUNICIPALITY_PARKED = "municipality.parked"
    MUNICIPALITY_RETRY_PARKED = "municipality.retry_parked"
    MUNICIPALITY_DISCARD_PARKED = "municipality.discard_parked"
    PEOPLE_SEE = "people.see"
    PEOPLE_ADD = "people.add"
    PEOPLE_CHANGE = "people.change"
    PEOPLE_END = "people.end"
    PEOPLE_STOP = "people.stop"
    PEOPLE_ARRANGE_DEPUTY = "people.arrange_deputy"
    PEOPLE_MAKE_TOKEN = "people.make_token"  # noqa: S105 - the name of an act
    AUDIT_READ = "audit.read"
    AUDIT_CHECK = "audit.check"
    AUDIT_EXPORT = "audit.export"
    AUDIT_END_MONTHS = "audit.end_months"


class Limit(StrEnum):
    """The limit of an act for a role, where that is less than the whole."""

    OWN_LINES = "own lines"
    OWN_ABSENCE = "own absence"
    OWN_TOKEN = "own token"  # noqa: S105 - the meaning of a limit
    HEADERS = "headers, counts and reasons"


@dataclass(frozen=True, slots=True)
class Access:
    """One row: who may do an act, as which code of audit_action it stands in the audit log, and for whom it is limited."""

    act: Act
    action: str
    roles: tuple[Role, ...]
    limits: Mapping[Role, Limit] = field(default_factory=dict)


TABLE: Final = (
    Access(Act.WORKLIST_SEE, "READ", COORDINATORS),
    Access(Act.WORKLIST_OPEN_SUMMARY, "READ", COORDINATORS),
    Access(Act.WORKLIST_MARK_SEEN, "UPDATE", COORDINATORS),
    Access(Act.WORKLIST_ACCEPT, "UPDATE", COORDINATORS),
    Access(Act.WORKLIST_REJECT, "UPDATE", COORDINATORS),
    Access(Act.WORKLIST_START_CARE, "UPDATE", COORDINATORS),
    Access(Act.WORKLIST_COMPLETE, "UPDATE", COORDINATORS),
    Access(Act.WORKLIST_WITHDRAW, "UPDATE", COORDINATORS),
    Access(Act.WORKLIST_NOTE_PROGRESS, "UPDATE", COORDINATORS),
    Access(Act.WORKLIST_NOTE_CONTACT, "UPDATE", COORDINATORS),
    Access(Act.WORKLIST_ADVISE, "UPDATE", COORDINATORS),
    Access(Act.MUNICIPALITY_REPORT, "CREATE", (Role.REPORTER, OFFICER)),
    Access(Act.MUNICIPALITY_REPORTS, "READ", (OFFICER,)),
    Access(Act.MUNICIPALITY_OPEN_REPORT, "READ", (OFFICER,)),
    Access(Act.MUNICIPALITY_CLOSE_REPORT, "UPDATE", (OFFICER,)),
    Access(Act.MUNICIPALITY_PUBLISH, "CREATE", (OFFICER, CLIENT)),
    Access(Act.MUNICIPALITY_TRACE, "READ", (OFFICER, CLIENT)),
    Access(Act.MUNICIPALITY_WITHDRAW, "UPDATE", (OFFICER, CLIENT)),
    Access(Act.MUNICIPALITY_ERASE, "ERASE", (OFFICER,)),
    Access(Act.MUNICIPALITY_OUTBOX, "READ", (OFFICER, Role.OPERATOR, CLIENT)),
    Access(Act.MUNICIPALITY_CERTIFICATES, "READ", (OFFICER, PRIVACY)),
    Access(Act.MUNICIPALITY_QUESTIONS, "READ", (OFFICER,)),
    Access(Act.MUNICIPALITY_OPEN_QUESTION, "READ", (OFFICER,)),
    Access(Act.MUNICIPALITY_ANSWER_LINK, "LINK_CONFIRM", (OFFICER,)),
    Access(Act.MUNICIPALITY_RENEW_TOKENS, "UPDATE", (OFFICER, Role.OPERATOR)),
    Access(Act.MUNICIPALITY_PARKED, "READ", (OFFICER, Role.OPERATOR), {Role.OPERATOR: Limit.HEADERS}),
    Access(Act.MUNICIPALITY_RETRY_PARKED, "DECIDE", (OFFICER, Role.OPERATOR)),
    Access(Act.MUNICIPALITY_DISCARD_PARKED, "DECIDE", (OFFICER,)),
    Access(Act.PEOPLE_SEE, "READ", (ADMIN, PRIVACY)),
    Access(Act.PEOPLE_ADD, "CREATE", (ADMIN,)),
    Access(Act.PEOPLE_CHANGE, "UPDATE", (ADMIN,)),
    Access(Act.PEOPLE_END, "UPDATE", (ADMIN,)),
    Access(Act.PEOPLE_STOP, "UPDATE", (ADMIN,)),
    Access(Act.PEOPLE_ARRANGE_DEPUTY, "UPDATE", (ADMIN, *WORKERS), dict.fromkeys(WORKERS, Limit.OWN_ABSENCE)),
    Access(Act.PEOPLE_MAKE_TOKEN, "CREATE", (ADMIN, *WORKERS, PRIVACY), dict.fromkeys((*WORKERS, PRIVACY), Limit.OWN_TOKEN)),
    Access(Act.AUDIT_READ, "READ", (PRIVACY, ADMIN, *WORKERS), dict.fromkeys((ADMIN, *WORKERS), Limit.OWN_LINES)),
    Access(Act.AUDIT_CHECK, "READ", (PRIVACY,)),
    Access(Act.AUDIT_EXPORT, "EXPORT", (PRIVACY,)),
    Access(Act.AUDIT_END_MONTHS, "ERASE", (PRIVACY,)),
)
"""Every act with its row, in the order of the document."""
ROWS: Final[Mapping[Act, Access]] = MappingProxyType({row.act: row for row in TABLE})
ALLOWED: Final[Mapping[Act, frozenset[Role]]] = MappingProxyType({row.act: frozenset(row.roles) for row in TABLE})
"""The roles that may do each act."""
OF_EVERY_STORE: Final = (ADMIN, PRIVACY, Role.OPERATOR, CLIENT)
ROLES_OF: Final[Mapping[str, frozenset[Role]]] = MappingProxyType(
    {
        "worklist": frozenset({CARE, Role.CHAIN_DIRECTOR, *OF_EVERY_STORE}),
        "worklist-youth": frozenset({YOUTH, Role.CHAIN_DIRECTOR, *OF_EVERY_STORE}),
        "municipality": frozenset({OFFICER, Role.REPORTER, Role.PORTFOLIO_HOLDER, *OF_EVERY_STORE}),
    }
)
"""The roles that the people of each service can have: nobody becomes a youth coordinator on the worklist for adults."""

NEEDED: Final[Mapping[str, Role]] = MappingProxyType({"worklist": CARE, "worklist-youth": YOUTH, "municipality": OFFICER})
"""The role that the work of each service needs: without anybody in it, what comes in waits."""


def require(person: Person, act: Act) -> None:
    """Let nobody do what the table does not allow.

    Raises:
        RefusedError: none of the person's roles may do this act.
    """
    if not is_allowed(person, act):
        raise RefusedError("NOT_ALLOWED")


def is_allowed(person: Person, act: Act) -> bool:
    """Say whether a person may do an act, as for what a page shows."""
    return not person.roles.isdisjoint(ALLOWED[act])


def role_in(person: Person, act: Act) -> str:
    """Return the role in which a person does an act: the own one where it may, else one of whom the person is the deputy."""
    may = sorted(person.roles & ALLOWED[act])
    return person.role if person.role in may or not may else may[0]


def limit_of(person: Person, act: Act) -> Limit | None:
    """Return the limit of an act that is allowed to a person; None: the whole act."""
    limits = [ROWS[act].limits.get(Role(role)) for role in person.roles & ALLOWED[act]]
    return None if None in limits else next(iter(limits), None)
