"""The store of one municipality: its vault, what still has to arrive, its numbering, and what came back.

Only `record_signals` knows what is personal, and only encrypted. The outbox holds what may leave and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    delete,
    or_,
    select,
    update,
)

from signal_exchange.privacy.vault import Encrypted
from signal_exchange.runtime.columns import Moment
from signal_exchange.runtime.database import add_once
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.stream.outbox import outbox_table

TABLES: Final = store_tables("municipality")
OUTBOX_OF_CONSUMER: Final = outbox_table(TABLES)
"""Every consumer has one; a municipality's stays empty, since its inbox tells nobody anything."""

PUBLISHED: Final = "PUBLISHED"
WITHDRAWN: Final = "WITHDRAWN"

SIGNALS: Final = Table(
    "record_signals",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("reference_mac", LargeBinary, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("content_mac", LargeBinary, nullable=False),
    Column("state", String, nullable=False),
    Column("wrapped_key", LargeBinary),
    Column("ciphertext", LargeBinary),
    Column("recorded_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("tokens_epoch", String, index=True),
)
"""The vault: one row per own reference with the last version; the record is encrypted under its own key.

`tokens_epoch` is the epoch of the link tokens that were made of it last; null when a keeper could not make them yet.
"""

VIEWS: Final = Table(
    "projection_feedback",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("own_ref", LargeBinary, index=True),
    Column("version", Integer, nullable=False),
    Column("view", JSON, nullable=False),
)
"""The last view of each signal that the exchange gave; what is sealed in it stays sealed."""

PARKED: Final = Table(
    "record_inbox_parked",
    TABLES,
    Column("parked_id", String, primary_key=True),
    Column("topic", String, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("reason", String, nullable=False),
    Column("parked_at", Moment, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
)
"""What the inbox could not read, encrypted, until a person looks at it."""


ERASURES: Final = Table(
    "record_erasures",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("erased_at", Moment, nullable=False),
    Column("who", String, nullable=False),
    Column("left", Boolean, nullable=False),
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


PARKED_DECISIONS: Final = Table(
    "record_inbox_decisions",
    TABLES,
    Column("parked_id", String, primary_key=True),
    Column("action", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("who", String, nullable=False),
    Column("at", Moment, nullable=False),
)
"""What a person decided about what the inbox could not read; of what was dropped the content is gone."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one own reference. Without `content_mac` only the exchange remembers it: this node was restored."""

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


@dataclass(frozen=True, slots=True)
class Due:
    """A signal whose link tokens are due: those of its present version are pending, or of another epoch."""

    signal_id: str
    version: int
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

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, references: Iterable[bytes], *, locked: bool = False) -> dict[bytes, Known]:
        """Return what is known of these references; `locked` keeps other writers out until the transaction ends."""
        wanted = list(references)
        own = select(SIGNALS).where(SIGNALS.c.reference_mac.in_(wanted)).order_by(SIGNALS.c.signal_id)
        rows = self._connection.execute(own.with_for_update() if locked else own)
        found = {row.reference_mac: Known(row.signal_id, row.version, row.content_mac, row.state) for row in rows}
        heard = self._heard(wanted)
        return {each: _latest(found.get(each), heard.get(each)) for each in {*found, *heard}}

    def _heard(self, references: Sequence[bytes]) -> dict[bytes, Known]:
        rows = self._connection.execute(select(VIEWS).where(VIEWS.c.own_ref.in_(references)))
        return {row.own_ref: Known(row.signal_id, row.version, None, _state_in(row.view), stored=False) for row in rows}

    def encrypted(self, signal_ids: Iterable[str]) -> dict[str, Encrypted]:
        """Return the encrypted records of these signals."""
        own = SIGNALS.c.signal_id.in_(list(signal_ids))
        rows = self._connection.execute(select(SIGNALS).where(own, SIGNALS.c.ciphertext.is_not(None)))
        return {row.signal_id: Encrypted(row.wrapped_key, row.ciphertext) for row in rows}

    def add(self, rows: Sequence[VaultRow], at: datetime) -> set[str]:
        """Keep new signals; return the ids of those whose reference nobody else had taken meanwhile."""
        new = [{**_columns(row), "recorded_at": at, "changed_at": at} for row in rows]
        add_once(self._connection, SIGNALS, new, by="reference_mac")
        ids = select(SIGNALS.c.signal_id).where(SIGNALS.c.reference_mac.in_([row.reference_mac for row in rows]))
        return {row.signal_id for row in rows} & set(self._connection.execute(ids).scalars())

    def replace(self, row: VaultRow, at: datetime) -> None:
        """Keep a next version in place of the one before, whose data key is gone with it."""
        own = SIGNALS.c.signal_id == row.signal_id
        self._connection.execute(update(SIGNALS).where(own).values(**_columns(row), changed_at=at))

    def withdraw(self, signal_id: str, version: int, at: datetime) -> None:
        """Note that a signal was withdrawn, with that version."""
        values = {"version": version, "state": WITHDRAWN, "changed_at": at}
        self._connection.execute(update(SIGNALS).where(SIGNALS.c.signal_id == signal_id).values(**values))

    def erase(self, erased: Erased) -> None:
        """Delete a signal's record, whose data key goes with it, and its view; remember that it was erased."""
        for table in (SIGNALS, VIEWS):
            self._connection.execute(delete(table).where(table.c.signal_id == erased.signal_id))
        add_once(self._connection, ERASURES, [asdict(erased)])

    def erased(self, signal_id: str) -> Erased | None:
        """Return an erased signal by its id, or None."""
        return next(iter(self.erasures([signal_id])), None)

    def erasures(self, signal_ids: Iterable[str] | None = None) -> list[Erased]:
        """Return the erased ones among these signals, or all, the last erased first."""
        chosen = select(ERASURES).order_by(ERASURES.c.erased_at.desc(), ERASURES.c.signal_id)
        chosen = chosen if signal_ids is None else chosen.where(ERASURES.c.signal_id.in_(set(signal_ids)))
        return [Erased(*row) for row in self._connection.execute(chosen)]

    def tokens_due(self, epoch: str, limit: int) -> list[Due]:
        """Return published signals that have no tokens of this epoch or a later one, the longest unchanged first."""
        own = (SIGNALS.c.state == PUBLISHED, SIGNALS.c.ciphertext.is_not(None), _has_none_of(epoch))
        due = select(SIGNALS).where(*own)
        rows = self._connection.execute(due.order_by(SIGNALS.c.changed_at, SIGNALS.c.signal_id).limit(limit))
        return [Due(row.signal_id, row.version, Encrypted(row.wrapped_key, row.ciphertext)) for row in rows]

    def tokens_renewed(self, due: Sequence[Due], epoch: str) -> set[str]:
        """Note the epoch of the tokens that were made, and return the signals that are still as they were."""
        done: set[str] = set()
        for each in due:
            own = (SIGNALS.c.signal_id == each.signal_id, SIGNALS.c.version == each.version, SIGNALS.c.state == PUBLISHED)
            found = self._connection.execute(update(SIGNALS).where(*own, _has_none_of(epoch)).values(tokens_epoch=epoch))
            done |= {each.signal_id} if found.rowcount else set()
        return done

    def signal(self, *, signal_id: str | None = None, reference: bytes | None = None, locked: bool = False) -> Stored | None:
        """Return a signal by its id or by its reference."""
        own = SIGNALS.c.signal_id == signal_id if signal_id is not None else SIGNALS.c.reference_mac == reference
        chosen = select(*(SIGNALS.c[name] for name in Stored.__dataclass_fields__)).where(own)
        row = self._connection.execute(chosen.with_for_update() if locked else chosen).one_or_none()
        return Stored(*row) if row else None

    def view(self, signal_id: str) -> Mapping[str, Any] | None:
        """Return the last view that the exchange gave of a signal."""
        own = select(VIEWS.c.view).where(VIEWS.c.signal_id == signal_id)
        return self._connection.execute(own).scalar_one_or_none()


def _has_none_of(epoch: str) -> ColumnElement[bool]:
    return or_(SIGNALS.c.tokens_epoch.is_(None), SIGNALS.c.tokens_epoch < epoch)


def _latest(own: Known | None, heard: Known | None) -> Known:
    if own is None or (heard is not None and heard.version > own.version):
        # This node was restored from a backup: it no longer has what the exchange heard last.
        assert heard is not None  # noqa: S101 - one of the two is why we are here
        return Known(heard.signal_id, heard.version, None, heard.state, stored=own is not None)
    return own


def _state_in(view: Mapping[str, Any]) -> str:
    return WITHDRAWN if any(each["verdict"] == "withdrawn" for each in view["received"]) else PUBLISHED


def _columns(row: VaultRow) -> dict[str, object]:
    return {
        "signal_id": row.signal_id,
        "reference_mac": row.reference_mac,
        "version": row.version,
        "content_mac": row.content_mac,
        "state": row.state,
        "wrapped_key": row.encrypted.wrapped_key,
        "ciphertext": row.encrypted.ciphertext,
        "tokens_epoch": row.tokens_epoch,
    }
