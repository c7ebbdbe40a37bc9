"""The tables of linking. Tokens are deleted with their signal; no table holds a text or a value."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from signal_exchange.runtime.columns import Moment, keys, optional, required
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.stream.tables import common_tables

TABLES = store_tables("linking")
OUTBOX = common_tables(TABLES)

SIGNALS = Table(
    "projection_signals",
    TABLES,
    *keys(signal_id=String),
    *required(revision=BigInteger, version=Integer, municipality=String, status=String, publish_day=String),
    *required(appended_at=Moment, stated_at=Moment),
    *optional(form=String),
    *required(subjects=JSON),
)
"""The latest LinkTokens record of each signal, without its tokens."""

TOKENS = Table(
    "projection_tokens",
    TABLES,
    *keys(signal_id=String, version=Integer, carrier=String, type=String, epoch=String, token=LargeBinary),
    *required(appended_at=Moment, since=Moment),
)
"""Every token that a version of a signal carried; an earlier version's still count for the cap (R-LINK-03)."""
Index("tokens_by_value", *(TOKENS.c[name] for name in ("token", "type", "epoch", "appended_at", "signal_id")))

ANSWERS = Table(
    "record_answers",
    TABLES,
    *keys(answer_id=String),
    Column("link_id", String, nullable=False, index=True),
    *required(kind=String, by_role=String),
    *optional(municipality=String),
    *required(key_types=JSON, answered_at=Moment),
)
"""Every answer, once; of a link that is not known yet too."""

LINKS = Table(
    "record_links",
    TABLES,
    *keys(link_id=String),
    *required(revision=BigInteger, kind=String),
    Column("signal_a", String, nullable=False, index=True),
    Column("signal_b", String, nullable=False, index=True),
    *required(versions=JSON, across=Boolean, key_types=JSON, refs=JSON, frequency=String, state=String),
    *required(evidence_gone=Boolean, found_at=Moment, last_day=String),
    *optional(released_at=Moment),
    *required(compared=JSON, awaits=JSON),
    *optional(answer_by=Moment),
    *required(overdue=Boolean, changed_at=Moment),
)
"""Each link as last published. `versions` are those of both signals when they last shared something; `refs` which subjects."""

MEMBERSHIPS = Table(
    "record_memberships",
    TABLES,
    *keys(signal_id=String),
    *required(revision=BigInteger),
    Column("cluster_id", String, index=True),
    *required(kinds=JSON, link_ids=JSON, changed_at=Moment),
)
"""The cluster of each signal that ever had a confirmed link. An id stays with the part that has the oldest signal."""

MENTIONS = Table(
    "record_mentions",
    TABLES,
    *keys(key=String),
    *required(revision=BigInteger),
    Column("signal_id", String, index=True),
    Column("person_id", String, nullable=False, index=True),
    *required(counts_as=JSON),
)
"""Which person each mention of a victim is, and what it counts as; of an erased signal nothing else remains."""

FACTS = Table(
    "record_facts",
    TABLES,
    *keys(observation_id=String),
    *required(revision=BigInteger),
    Column("person_id", String, nullable=False, index=True),
    *required(year=Integer, municipality=String, publish_day=String, form=String, age_class=String, counted=Boolean),
)
"""The fact of each person in each year, under an id that is random to others (R-STAT-01)."""
