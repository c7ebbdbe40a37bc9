"""The tables of the people of one service: who they are, their deputies, their tokens, and the audit log.

They are defined here, and `people_tables` copies them into the metadata of a service, which makes and migrates them.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Integer, MetaData, String, Table

from signal_exchange.runtime.columns import Moment, keys, optional, required
from signal_exchange.runtime.database import OUTLIVES_RESTORE

_PEOPLE: Final = MetaData()
_STAYS: Final = {OUTLIVES_RESTORE: True}

PEOPLE: Final = Table(
    "record_people",
    _PEOPLE,
    *keys(person_id=String),
    *required(row_version=Integer, issuer=String, subject=String, name=String, role=String, organisation=String),
    *required(valid_from=String, added_by=String, added_at=Moment),
    *optional(valid_until=String, ended_by=String, ended_at=Moment, stopped_by=String, stopped_at=Moment),
    info=_STAYS,
)
"""Everybody who ever was on the list. `valid_from` and `valid_until` are the first and the last day, in Amsterdam.

`stopped_at` is the moment at which somebody took the access away at once; what that person had in hand waits for others. Who
added, ended or stopped is a person_id, of the list itself.
"""

DEPUTIES: Final = Table(
    "record_deputies",
    _PEOPLE,
    *keys(deputy_id=String),
    *required(absent=String, deputy=String, first_day=String, last_day=String, arranged_by=String, arranged_at=Moment),
    info=_STAYS,
)
"""Who stands in for whom, from the first day to the last; persons by their person_id."""

TOKENS: Final = Table(
    "record_person_tokens",
    _PEOPLE,
    *keys(digest=String),
    *required(person_id=String, made_by=String, made_at=Moment),
    info=_STAYS,
)
"""The SHA-256 of the token with which a person is proven on the command line; one for each person, and never the token."""

AUDIT: Final = Table(
    "record_audit",
    _PEOPLE,
    *keys(month=String, number=Integer),
    *required(at=Moment, who=String, role=String, act=String, action=String, about=String, why=String, result=String),
    *required(previous=String, hash=String),
    info=_STAYS,
)
"""Who saw or did what, and what was refused: a chain for each month, of opaque ids and codes only."""

AUDIT_MONTHS: Final = Table(
    "record_audit_months",
    _PEOPLE,
    *keys(month=String),
    *required(entries=Integer, last_hash=String),
    Column("ended_at", Moment),
    info=_STAYS,
)
"""How each month's chain ends: how many entries, and the last hash. It stays when the entries of the month have ended."""


def people_tables(tables: MetaData) -> None:
    """Add the tables of people and their audit log to those of a service. Twice is once."""
    for table in _PEOPLE.tables.values():
        if table.name not in tables.tables:
            table.to_metadata(tables)
