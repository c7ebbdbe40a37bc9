"""The store of one municipality: its vault, what still has to arrive, its numbering, and what came back.

Only `record_signals` knows what is personal, and only encrypted. The outbox holds what may leave and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sql

from signal_exchange.people.tables import people_tables
from signal_exchange.privacy.vault import Encrypted
from signal_exchange.runtime.columns import Moment, keys, optional, required
from signal_exchange.runtime.database import add_once, row_of, values_of
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.stream.tables import common_tables
from signal_exchange.web.drafts import draft_table
from signal_exchange.web.sittings import sitting_table

TABLES: Final = store_tables("municipality")
OUTBOX_OF_CONSUMER: Final = common_tables(TABLES)
"""Every consumer has one; a municipality's stays empty, since its inbox tells nobody anything."""
sitting_table(TABLES)
people_tables(TABLES)
draft_table(TABLES)

PUBLISHED: Final = "PUBLISHED"
WITHDRAWN: Final = "WITHDRAWN"

SIGNALS: Final = sql.Table(
    "record_signals",
    TABLES,
    *keys(signal_id=sql.String),
    sql.Column("reference_mac", sql.LargeBinary, nullable=False, unique=True),
    *required(version=sql.Integer, content_mac=sql.LargeBinary, state=sql.String),
    *optional(wrapped_key=sql.LargeBinary, ciphertext=sql.LargeBinary),
    *required(recorded_at=Moment, changed_at=Moment),
    sql.Column("tokens_epoch", sql.String, index=True),
    *optional(form=sql.String, urgency=sql.String),
)
"""The vault: one row per own reference with the last version; the record is encrypted under its own key.

`tokens_epoch` is the epoch of the link tokens that were made of it last; null when a keeper could not make them yet.
`form` and `urgency` are the codes that leave with it, by which its owner looks for it.
"""

EARLIER: Final = sql.Table(
    "record_earlier_versions",
    TABLES,
    *keys(signal_id=sql.String, version=sql.Integer),
    *required(wrapped_key=sql.LargeBinary, ciphertext=sql.LargeBinary, kept_at=Moment),
)
"""The versions before the last one, each under its own key; they end with their signal."""

JUSTIFIED: Final = sql.Table(
    "record_justified",
    TABLES,
    *keys(signal_id=sql.String, version=sql.Integer),
    *required(wrapped_key=sql.LargeBinary, ciphertext=sql.LargeBinary),
)
"""The words that an officer let pass in the text of a version, encrypted, with the reason and by whom (R-VAL-13)."""

VIEWS: Final = sql.Table(
    "projection_feedback",
    TABLES,
    *keys(signal_id=sql.String),
    *required(revision=sql.BigInteger),
    sql.Column("own_ref", sql.LargeBinary, index=True),
    *required(version=sql.Integer),
    *optional(place=sql.String, outcome=sql.String, owner_role=sql.String, next_date=sql.String),
    *required(view=sql.JSON),
)
"""The last view of each signal that the exchange gave, with where the signal is by it; what is sealed in it stays sealed.

The view is long and comes last: SQLite reads a row from its start, and a list of signals does without it.
"""

REPORTS: Final = sql.Table(
    "record_reports",
    TABLES,
    *keys(reference=sql.String),
    sql.Column("sent_mac", sql.LargeBinary, nullable=False, unique=True),
    sql.Column("receipt", sql.String, nullable=False, unique=True),
    *required(received_at=Moment),
    sql.Column("state", sql.String, nullable=False, index=True),
    *required(due_at=Moment, wrapped_key=sql.LargeBinary, ciphertext=sql.LargeBinary),
    *optional(signal_reference=sql.String, merged_into=sql.String, reason=sql.String, closed_at=Moment, closed_by=sql.String),
    *optional(answer_key=sql.LargeBinary, answer=sql.LargeBinary),
)
"""What reporters told. `sent_mac` is the same when a form is sent twice; `receipt` opens the page that thanks.

`due_at` is until when an officer reads it, and then until when the reporter has an answer. `signal_reference` is under which an
officer made a signal of it.
"""

PARKED: Final = sql.Table(
    "record_inbox_parked",
    TABLES,
    *keys(parked_id=sql.String),
    *required(topic=sql.String, partition=sql.Integer, offset=sql.BigInteger, reason=sql.String, parked_at=Moment),
    *required(wrapped_key=sql.LargeBinary, ciphertext=sql.LargeBinary),
)
"""What the inbox could not read, encrypted, until a person looks at it."""


ERASURES: Final = sql.Table(
    "record_erasures",
    TABLES,
    *keys(signal_id=sql.String),
    *required(version=sql.Integer, erased_at=Moment, who=sql.String, left=sql.Boolean),
)
"""What was erased, when and by whom, and whether it had left; nothing here leads to the record or to its reference (R-RET-04)."""


@dataclass(frozen=True, slots=True)
class Erased:
    """One erased signal. `left` says whether it was published before, so that the exchange had to be told."""

    signal_id: str
    version: int
    erased_at: datetime
    who: str
    left: bool = True


PARKED_DECISIONS: Final = sql.Table(
    "record_inbox_decisions",
    TABLES,
    *keys(parked_id=sql.String),
    *required(action=sql.String, reason=sql.String, who=sql.String, at=Moment),
)
"""What a person decided about what the inbox could not read; of what was dropped the content is gone."""


@dataclass(frozen=True, slots=True)
class Known:
    """Known state of one own reference. Without `content_mac` only the exchange remembers it: this node was restored."""

    signal_id: str
    version: int
    content_mac: bytes | None = field(repr=False)
    state: str = PUBLISHED
    stored: bool = True


@dataclass(frozen=True, slots=True)
class VaultRow:
    """One record to be kept, in place of the version before, if there is one."""

    signal_id: str
    reference_mac: bytes = field(repr=False)
    version: int
    content_mac: bytes = field(repr=False)
    encrypted: Encrypted = field(repr=False)
    state: str = PUBLISHED
    tokens_epoch: str | None = None
    form: str | None = None
    urgency: str | None = None
    justified: Encrypted | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Due:
    """A signal whose link tokens are due: those of its present version are pending, or of another epoch."""

    signal_id: str
    version: int
    encrypted: Encrypted = field(repr=False)


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier version of a signal, and when it was kept."""

    version: int
    kept_at: datetime
    encrypted: Encrypted = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stored:
    """One signal as the vault has it, without its record."""

    signal_id: str
    version: int
    state: str
    recorded_at: datetime
    changed_at: datetime


class Vault:
    """The signals of a municipality in one open transaction."""

    def __init__(self, connection: sql.Connection) -> None:
        self._connection = connection

    def known(self, references: Iterable[bytes], *, locked: bool = False) -> dict[bytes, Known]:
        """Return the known ones among these references; `locked` keeps other writers out until the transaction ends."""
        wanted = list(references)
        own = sql.select(SIGNALS).where(SIGNALS.c.reference_mac.in_(wanted)).order_by(SIGNALS.c.signal_id)
        rows = self._connection.execute(own.with_for_update() if locked else own)
        found = {row.reference_mac: Known(row.signal_id, row.version, row.content_mac, row.state) for row in rows}
        heard = self._heard(wanted)
        return {each: _latest(found.get(each), heard.get(each)) for each in {*found, *heard}}

    def _heard(self, references: Sequence[bytes]) -> dict[bytes, Known]:
        rows = self._connection.execute(sql.select(VIEWS).where(VIEWS.c.own_ref.in_(references)))
        return {row.own_ref: Known(row.signal_id, row.version, None, _state_in(row.view), stored=False) for row in rows}

    def encrypted(self, signal_ids: Iterable[str]) -> dict[str, Encrypted]:
        """Return the encrypted records of these signals."""
        own = SIGNALS.c.signal_id.in_(list(signal_ids))
        rows = self._connection.execute(sql.select(SIGNALS).where(own, SIGNALS.c.ciphertext.is_not(None)))
        return {row.signal_id: Encrypted(row.wrapped_key, row.ciphertext) for row in rows}

    def earlier(self, signal_id: str) -> list[Earlier]:
        """Return the versions of a signal before the last one, the latest first."""
        own = sql.select(EARLIER).where(EARLIER.c.signal_id == signal_id).order_by(EARLIER.c.version.desc())
        rows = self._connection.execute(own)
        return [Earlier(row.version, row.kept_at, Encrypted(row.wrapped_key, row.ciphertext)) for row in rows]

    def add(self, rows: Sequence[VaultRow], at: datetime) -> set[str]:
        """Keep new signals; return the ids of those whose reference nobody else had taken meanwhile."""
        new = [{**_columns(row), "recorded_at": at, "changed_at": at} for row in rows]
        add_once(self._connection, SIGNALS, new, by="reference_mac")
        ids = sql.select(SIGNALS.c.signal_id).where(SIGNALS.c.reference_mac.in_([row.reference_mac for row in rows]))
        added = {row.signal_id for row in rows} & set(self._connection.execute(ids).scalars())
        self._keep_justified([row for row in rows if row.signal_id in added])
        return added

    def replace(self, row: VaultRow, at: datetime) -> None:
        """Keep a next version in place of the one before, which stays readable until the signal is erased."""
        own = SIGNALS.c.signal_id == row.signal_id
        kept = (SIGNALS.c[name] for name in ("signal_id", "version", "wrapped_key", "ciphertext", "changed_at"))
        before = sql.select(*kept).where(own, SIGNALS.c.ciphertext.is_not(None))
        self._connection.execute(EARLIER.insert().from_select(list(EARLIER.c.keys()), before))
        self._connection.execute(sql.update(SIGNALS).where(own).values(**_columns(row), changed_at=at))
        self._keep_justified([row])

    def _keep_justified(self, rows: Sequence[VaultRow]) -> None:
        kept = [_justified(row, row.justified) for row in rows if row.justified]
        if kept:
            self._connection.execute(JUSTIFIED.insert(), kept)

    def next_version(self, stored: Stored) -> int:
        """Return the version that follows the last one of a signal, here or, after a restore, as the exchange knows it."""
        heard = self.view(stored.signal_id)
        return max(stored.version, heard["version"] if heard else 0) + 1

    def withdraw(self, signal_id: str, version: int, at: datetime) -> None:
        """Note that a signal was withdrawn, with that version."""
        values = {"version": version, "state": WITHDRAWN, "changed_at": at}
        self._connection.execute(sql.update(SIGNALS).where(SIGNALS.c.signal_id == signal_id).values(**values))

    def erase(self, erased: Erased) -> None:
        """Delete a signal's record, whose data key goes with it, and its view; remember that it was erased."""
        for table in (SIGNALS, EARLIER, JUSTIFIED, VIEWS):
            self._connection.execute(sql.delete(table).where(table.c.signal_id == erased.signal_id))
        add_once(self._connection, ERASURES, [asdict(erased)])

    def erased(self, signal_id: str) -> Erased | None:
        """Return an erased signal by its id, or None."""
        return next(iter(self.erasures([signal_id])), None)

    def erasures(self, signal_ids: Iterable[str] | None = None) -> list[Erased]:
        """Return the erased ones among these signals, or all, the last erased first."""
        chosen = sql.select(ERASURES).order_by(ERASURES.c.erased_at.desc(), ERASURES.c.signal_id)
        chosen = chosen if signal_ids is None else chosen.where(ERASURES.c.signal_id.in_(set(signal_ids)))
        return values_of(Erased, self._connection, chosen)

    def tokens_due(self, epoch: str, limit: int) -> list[Due]:
        """Return published signals that have no tokens of this epoch or a later one, the longest unchanged first."""
        own = (SIGNALS.c.state == PUBLISHED, SIGNALS.c.ciphertext.is_not(None), _has_none_of(epoch))
        due = sql.select(SIGNALS).where(*own)
        rows = self._connection.execute(due.order_by(SIGNALS.c.changed_at, SIGNALS.c.signal_id).limit(limit))
        return [Due(row.signal_id, row.version, Encrypted(row.wrapped_key, row.ciphertext)) for row in rows]

    def tokens_renewed(self, due: Sequence[Due], epoch: str) -> set[str]:
        """Note the epoch of the tokens that were made, and return the signals that are still as they were."""
        done: set[str] = set()
        for each in due:
            own = (SIGNALS.c.signal_id == each.signal_id, SIGNALS.c.version == each.version, SIGNALS.c.state == PUBLISHED)
            found = self._connection.execute(sql.update(SIGNALS).where(*own, _has_none_of(epoch)).values(tokens_epoch=epoch))
            done |= {each.signal_id} if found.rowcount else set()
        return done

    def signal(self, *, signal_id: str | None = None, reference: bytes | None = None, locked: bool = False) -> Stored | None:
        """Return a signal by its id or by its reference."""
        own = SIGNALS.c.signal_id == signal_id if signal_id is not None else SIGNALS.c.reference_mac == reference
        chosen = sql.select(*(SIGNALS.c[name] for name in Stored.__dataclass_fields__)).where(own)
        row = self._connection.execute(chosen.with_for_update() if locked else chosen).one_or_none()
        return Stored(*row) if row else None

    def view(self, signal_id: str) -> Mapping[str, Any] | None:
        """Return the last view that the exchange gave of a signal."""
        own = sql.select(VIEWS.c.view).where(VIEWS.c.signal_id == signal_id)
        return self._connection.execute(own).scalar_one_or_none()


def _justified(row: VaultRow, kept: Encrypted) -> dict[str, object]:
    own = {"signal_id": row.signal_id, "version": row.version}
    return {**own, "wrapped_key": kept.wrapped_key, "ciphertext": kept.ciphertext}


def _has_none_of(epoch: str) -> sql.ColumnElement[bool]:
    return sql.or_(SIGNALS.c.tokens_epoch.is_(None), SIGNALS.c.tokens_epoch < epoch)


def _latest(own: Known | None, heard: Known | None) -> Known:
    if own is None or (heard is not None and heard.version > own.version):
        # This node was restored from a backup: it no longer has what the exchange heard last.
        assert heard is not None  # noqa: S101 - one of the two is why we are here
        return Known(heard.signal_id, heard.version, None, heard.state, stored=own is not None)
    return own


def _state_in(view: Mapping[str, Any]) -> str:
    return WITHDRAWN if any(each["verdict"] == "withdrawn" for each in view["received"]) else PUBLISHED


def _columns(row: VaultRow) -> dict[str, object]:
    columns = row_of(row)
    columns.pop("justified")  # which has a table of its own
    return columns | row_of(columns.pop("encrypted"))
