"""The tables of the agenda."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, LargeBinary, String, Table

from signal_exchange.runtime.columns import Moment, Sealed
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.stream.outbox import outbox_table

TABLES = store_tables("agenda")
OUTBOX = outbox_table(TABLES)

ITEMS = Table(
    "projection_items",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("cluster_id", String, nullable=False, index=True),
    Column("revision", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("offer", Integer, nullable=False),
    Column("municipality", String, nullable=False),
    Column("status", String, nullable=False),
    Column("deliver_as", String, nullable=False),
    Column("rule_id", String, nullable=False),
    Column("urgency", String, nullable=False),
    Column("minor", Boolean, nullable=False),
    Column("due_from", Moment, nullable=False),
    Column("legal_basis", String),
    Column("partnership", String),
    Column("signal", JSON),
    Column("summary", Sealed),
)
"""The latest AgendaItem record of each signal; the summary stays sealed. Can be rebuilt from the topic."""

ALERTS = Table(
    "record_alerts",
    TABLES,
    Column("alert_id", String, primary_key=True),
    Column("signal_id", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("municipality", String, nullable=False),
    Column("urgency", String, nullable=False),
    Column("minor", Boolean, nullable=False),
    Column("rule_id", String, nullable=False),
    Column("raised_at", Moment, nullable=False),
)
"""Every alert to the chair, kept for good: its topic forgets after seven days what people answered to."""

CANDIDATES = Table(
    "projection_candidates",
    TABLES,
    Column("link_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("key_types", JSON, nullable=False),
    Column("frequency", String, nullable=False),
    Column("state", String, nullable=False),
    Column("evidence_gone", Boolean, nullable=False),
    Column("signal_a", String, nullable=False),
    Column("signal_b", String, nullable=False),
    Column("across", Boolean, nullable=False),
    Column("found_at", Moment, nullable=False),
    Column("released_at", Moment),
    Column("awaits", JSON, nullable=False),
    Column("answer_by", Moment),
    Column("overdue", Boolean, nullable=False),
)
"""The latest LinkCandidate record of each link: kind, key types and state, never a value (R-LINK-05)."""

MEMBERSHIPS = Table(
    "projection_memberships",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("cluster_id", String, index=True),
)
"""To which cluster each signal belongs, as linking told last; null when it is in none."""

LINK_ACTS = Table(
    "record_link_acts",
    TABLES,
    Column("answer_id", String, primary_key=True),
    Column("link_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("who", String, nullable=False),
)
"""What the chain director decided about links, and who did it."""

DECISIONS = Table(
    "record_decisions",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("offer", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("cluster_id", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("decision", String, nullable=False),
    Column("instruments", JSON, nullable=False),
    Column("seats_present", JSON, nullable=False),
    Column("legal_basis", String, nullable=False),
    Column("owner_role", String),
    Column("owner_organisation", String),
    Column("due_date", String),
    Column("kept_signal", String),
    Column("week", String, nullable=False),
    Column("agenda_version", Integer, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("who", String, nullable=False),
    Column("words", Sealed),
)
"""Every decision, with the version of the signal that was seen (R-AGENDA-07); `words` are sealed to the table.

Of an erased signal the decision stays and its words go (R-AGENDA-06).
"""

FOLLOW_UPS = Table(
    "record_follow_ups",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("offer", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("next_date", String),
    Column("at", Moment, nullable=False),
    Column("who", String, nullable=False),
)
"""That decisions with a date were followed up, and whether they must be again."""

DEFERRALS = Table(
    "record_deferrals",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("offer", Integer, primary_key=True),
    Column("week", String, primary_key=True),
)
"""The weeks that an item was put off: by DEFER, or because the agenda was full (R-AGENDA-05)."""

AGENDAS = Table(
    "record_agendas",
    TABLES,
    Column("week", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("state", String, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("who", String),
)
"""Every frozen agenda; a version never changes (R-AGENDA-06)."""

NOTES = Table(
    "record_notes",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("offer", Integer, primary_key=True),
    Column("rule_id", String, primary_key=True),
    Column("at", Moment, nullable=False),
)
"""What happened to decided items afterwards: taken back, and by which rule (R-ROUTE-12), a link undone (R-LINK-06), or there by
another rule than the meeting saw (R-AGENDA-02)."""

ACKNOWLEDGEMENTS = Table(
    "record_acknowledgements",
    TABLES,
    Column("alert_id", String, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("who", String, nullable=False),
)
"""Who took note of an alert, and when: the first one."""

OPENINGS = Table(
    "record_openings",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("who", String, primary_key=True),
)
"""Who opened a sealed summary, and when."""
