"""The tables of the agenda."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, LargeBinary, String, Table

from signal_exchange.runtime.columns import Moment, Sealed, keys, optional, required
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.stream.deliveries import delivery_columns
from signal_exchange.stream.tables import common_tables

TABLES = store_tables("agenda")
OUTBOX = common_tables(TABLES)

ITEMS = Table(
    "projection_items",
    TABLES,
    *delivery_columns(),
    Column("cluster_id", String, nullable=False, index=True),
    *required(minor=Boolean),
)
"""The latest AgendaItem record of each signal; the summary stays sealed. Can be rebuilt from the topic."""

ALERTS = Table(
    "record_alerts",
    TABLES,
    *keys(alert_id=String),
    *required(signal_id=String, version=Integer, municipality=String, urgency=String, minor=Boolean, rule_id=String),
    *required(raised_at=Moment),
)
"""Every alert to the chain director, kept for good: its topic forgets after seven days what people answered to."""

CANDIDATES = Table(
    "projection_candidates",
    TABLES,
    *keys(link_id=String),
    *required(revision=BigInteger, kind=String, key_types=JSON, frequency=String, state=String, evidence_gone=Boolean),
    *required(signal_a=String, signal_b=String, across=Boolean, found_at=Moment),
    *optional(released_at=Moment),
    *required(awaits=JSON),
    *optional(answer_by=Moment),
    *required(overdue=Boolean),
)
"""The latest LinkCandidate record of each link: kind, key types and state, never a value (R-LINK-05)."""

MEMBERSHIPS = Table(
    "projection_memberships",
    TABLES,
    *keys(signal_id=String),
    *required(revision=BigInteger),
    Column("cluster_id", String, index=True),
)
"""To which cluster each signal belongs, as linking told last; null when it is in none."""

LINK_ACTS = Table(
    "record_link_acts",
    TABLES,
    *keys(answer_id=String),
    *required(link_id=String, kind=String, at=Moment, who=String),
)
"""What the chain director decided about links, and who did it."""

DECISIONS = Table(
    "record_decisions",
    TABLES,
    *keys(signal_id=String, offer=Integer, number=Integer),
    *required(cluster_id=String, version=Integer, decision=String, instruments=JSON, seats_present=JSON),
    *required(legal_basis=String),
    *optional(owner_role=String, owner_organisation=String, due_date=String, kept_signal=String),
    *required(week=String, agenda_version=Integer, decided_at=Moment, who=String),
    *optional(words=Sealed),
)
"""Every decision, with the version of the signal that was seen (R-AGENDA-07); `words` are sealed to the table.

Of an erased signal the decision stays and its words go (R-AGENDA-06).
"""

FOLLOW_UPS = Table(
    "record_follow_ups",
    TABLES,
    *keys(signal_id=String, offer=Integer, number=Integer),
    *optional(next_date=String),
    *required(at=Moment, who=String),
)
"""That decisions with a date were followed up, and whether they must be again."""

DEFERRALS = Table(
    "record_deferrals",
    TABLES,
    *keys(signal_id=String, offer=Integer, week=String),
)
"""The weeks that an item was put off: by DEFER, or because the agenda was full (R-AGENDA-05)."""

AGENDAS = Table(
    "record_agendas",
    TABLES,
    *keys(week=String, version=Integer),
    *required(state=String, content=LargeBinary, made_at=Moment),
    *optional(who=String),
)
"""Every frozen agenda; a version never changes (R-AGENDA-06)."""

NOTES = Table(
    "record_notes",
    TABLES,
    *keys(signal_id=String, offer=Integer, rule_id=String),
    *required(at=Moment),
)
"""What happened to decided items afterwards: taken back, and by which rule (R-ROUTE-12), a link undone (R-LINK-06), or there by
another rule than the meeting saw (R-AGENDA-02)."""

ACKNOWLEDGEMENTS = Table(
    "record_acknowledgements",
    TABLES,
    *keys(alert_id=String),
    *required(at=Moment, who=String),
)
"""Who took note of an alert, and when: the first one."""

OPENINGS = Table(
    "record_openings",
    TABLES,
    *keys(signal_id=String, version=Integer, at=Moment, who=String),
)
"""Who opened a sealed summary, and when."""
