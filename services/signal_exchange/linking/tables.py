"""The tables of linking. Tokens are deleted with their signal; no table holds a text or a value."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from signal_exchange.runtime.columns import Moment
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.stream.outbox import outbox_table

TABLES = store_tables("linking")
OUTBOX = outbox_table(TABLES)

SIGNALS = Table(
    "projection_signals",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("municipality", String, nullable=False),
    Column("status", String, nullable=False),
    Column("publish_day", String, nullable=False),
    Column("appended_at", Moment, nullable=False),
    Column("stated_at", Moment, nullable=False),
    Column("form", String),
    Column("subjects", JSON, nullable=False),
)
"""The latest LinkTokens record of each signal, without its tokens."""

TOKENS = Table(
    "projection_tokens",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("carrier", String, primary_key=True),
    Column("type", String, primary_key=True),
    Column("epoch", String, primary_key=True),
    Column("token", LargeBinary, primary_key=True),
    Column("appended_at", Moment, nullable=False),
    Column("since", Moment, nullable=False),
)
"""Every token that a version of a signal carried; an earlier version's still count for the cap (R-LINK-03)."""
Index("tokens_by_value", *(TOKENS.c[name] for name in ("token", "type", "epoch", "appended_at", "signal_id")))

ANSWERS = Table(
    "record_answers",
    TABLES,
    Column("answer_id", String, primary_key=True),
    Column("link_id", String, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("by_role", String, nullable=False),
    Column("municipality", String),
    Column("key_types", JSON, nullable=False),
    Column("answered_at", Moment, nullable=False),
)
"""Every answer, once; of a link that is not known yet too."""

LINKS = Table(
    "record_links",
    TABLES,
    Column("link_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("signal_a", String, nullable=False, index=True),
    Column("signal_b", String, nullable=False, index=True),
    Column("versions", JSON, nullable=False),
    Column("across", Boolean, nullable=False),
    Column("key_types", JSON, nullable=False),
    Column("refs", JSON, nullable=False),
    Column("frequency", String, nullable=False),
    Column("state", String, nullable=False),
    Column("evidence_gone", Boolean, nullable=False),
    Column("found_at", Moment, nullable=False),
    Column("last_day", String, nullable=False),
    Column("released_at", Moment),
    Column("compared", JSON, nullable=False),
    Column("awaits", JSON, nullable=False),
    Column("answer_by", Moment),
    Column("overdue", Boolean, nullable=False),
    Column("changed_at", Moment, nullable=False),
)
"""Each link as it was last told. `versions` are those of both signals when they last shared something; `refs` which subjects."""

MEMBERSHIPS = Table(
    "record_memberships",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("cluster_id", String, index=True),
    Column("kinds", JSON, nullable=False),
    Column("link_ids", JSON, nullable=False),
    Column("changed_at", Moment, nullable=False),
)
"""The cluster of each signal that ever had a confirmed link. An id stays with the part that has the oldest signal."""

MENTIONS = Table(
    "record_mentions",
    TABLES,
    Column("key", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("signal_id", String, index=True),
    Column("person_id", String, nullable=False, index=True),
    Column("counts_as", JSON, nullable=False),
)
"""Which person each mention of a victim is, and what it counts as; of an erased signal nothing else remains."""

FACTS = Table(
    "record_facts",
    TABLES,
    Column("observation_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("person_id", String, nullable=False, index=True),
    Column("year", Integer, nullable=False),
    Column("municipality", String, nullable=False),
    Column("publish_day", String, nullable=False),
    Column("form", String, nullable=False),
    Column("age_class", String, nullable=False),
    Column("counted", Boolean, nullable=False),
)
"""The fact of each person in each year, under an id that is random to others (R-STAT-01)."""
