"""The store of oversight: the ledger, kept as the trace comes in; clocks; headers of parked records; what people decided."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Connection, Integer, MetaData, String, Table, func, select, tuple_

from signal_exchange.domain.ledger import Checkpoint, Entry, Ledger, Number, balance
from signal_exchange.runtime.columns import Moment
from signal_exchange.runtime.database import add_once, put_newer
from signal_exchange.stream.outbox import outbox_table

TABLES = MetaData()
OUTBOX = outbox_table(TABLES)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AT_ONCE = 300
"""Keys asked for in one statement."""

FACTS = Table(
    "projection_facts",
    TABLES,
    Column("trace_id", String, primary_key=True),
    Column("unattributed", Boolean, nullable=False),
)
"""Every fact of the trace that was taken, so that twice is once."""

NUMBERS = Table(
    "projection_numbers",
    TABLES,
    Column("municipality", String, primary_key=True),
    Column("publisher_run", String, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("edition", BigInteger, nullable=False),
    Column("verdict", String, nullable=False),
    Column("signal_id", String),
    Column("version", Integer, nullable=False),
)
"""The one place of each number; `edition` counts how often it was placed."""

CHECKPOINTS = Table(
    "projection_checkpoints",
    TABLES,
    Column("municipality", String, primary_key=True),
    Column("publisher_run", String, primary_key=True),
    Column("highest", BigInteger, primary_key=True),
    Column("earliness", BigInteger, nullable=False),
)
"""What municipalities said they gave out; `earliness` is minus the milliseconds of the first time they said it."""

CLOCKS = Table(
    "projection_clocks",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("keeper", String, primary_key=True),
    Column("told_at", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("municipality", String),
    Column("stage", String, nullable=False),
    Column("owner_role", String),
    Column("next_date", String),
)
"""Per signal and who keeps it: until when; without a date nothing runs there."""

PARKED = Table(
    "projection_parked_records",
    TABLES,
    Column("parked_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("service", String, nullable=False),
    Column("topic", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("errors", JSON, nullable=False),
    Column("attributed", Boolean, nullable=False),
    Column("municipality", String),
    Column("publisher_run", String),
    Column("sequence", BigInteger),
    Column("signal_id", String),
    Column("version", Integer),
    Column("state", String, nullable=False),
    Column("parked_at", Moment, nullable=False),
)
"""Headers only: the record itself is sealed to its owner and is not decoded here."""

DECISIONS = Table(
    "record_parked_decisions",
    TABLES,
    Column("request_id", String, primary_key=True),
    Column("parked_id", String, nullable=False),
    Column("action", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("who", String, nullable=False),
    Column("at", Moment, nullable=False),
)
"""What people decided about parked records, for good."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Until when a keeper has a signal; the latest word of each keeper counts."""

    signal_id: str
    keeper: str
    told_at: datetime
    version: int
    municipality: str | None
    stage: str
    owner_role: str | None
    next_date: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a parked record."""

    request_id: str
    parked_id: str
    action: str
    reason: str
    who: str
    at: datetime


class OversightStore:
    """The rows of oversight in one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known_facts(self, trace_ids: Collection[str]) -> set[str]:
        """Return the facts among these that were taken before."""
        return {row.trace_id for row in self._among(FACTS, FACTS.c.trace_id, trace_ids)}

    def add_facts(self, trace_ids: Sequence[str], unattributed: Collection[str]) -> None:
        """Remember that these facts were taken."""
        add_once(self._connection, FACTS, [{"trace_id": each, "unattributed": each in unattributed} for each in trace_ids])

    def entries(self, numbers: Collection[Number]) -> dict[Number, Entry]:
        """Return the placed ones among these numbers."""
        key = tuple_(NUMBERS.c.municipality, NUMBERS.c.publisher_run, NUMBERS.c.sequence)
        found = (_entry(row) for row in self._among(NUMBERS, key, numbers))
        return {entry.number: entry for entry in found if entry.number is not None}

    def put_entries(self, entries: Iterable[Entry]) -> None:
        """Write the place of numbers: the last word stands."""
        placed = [entry for entry in entries if entry.number is not None]
        editions = self._editions({entry.number for entry in placed if entry.number is not None})
        rows = [_entry_row(entry, editions.get(entry.number or ("", "", 0), 0) + 1) for entry in placed]
        put_newer(self._connection, NUMBERS, rows, guard="edition")

    def _editions(self, numbers: Collection[Number]) -> dict[Number, int]:
        key = tuple_(NUMBERS.c.municipality, NUMBERS.c.publisher_run, NUMBERS.c.sequence)
        rows = self._among(NUMBERS, key, numbers)
        return {(row.municipality, row.publisher_run, row.sequence): row.edition for row in rows}

    def put_checkpoints(self, checkpoints: Iterable[Checkpoint]) -> None:
        """Write what municipalities said; of the same word the first time counts."""
        rows = [
            {
                "municipality": each.municipality,
                "publisher_run": each.run,
                "highest": each.highest,
                "earliness": -_milliseconds(each.at),
            }
            for each in checkpoints
        ]
        put_newer(self._connection, CHECKPOINTS, rows, guard="earliness")

    def put_clocks(self, clocks: Iterable[Clock]) -> None:
        """Write clocks: an older word never wins."""
        rows = [{**asdict(clock), "told_at": _milliseconds(clock.told_at)} for clock in clocks]
        put_newer(self._connection, CLOCKS, rows, guard="told_at")

    def put_parked(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Write what is known of parked records: an older state never wins."""
        rows = [{column.name: fields[column.name] for column in PARKED.columns} for fields in records]
        put_newer(self._connection, PARKED, rows, guard="revision")

    def add_decision(self, decision: Decision) -> None:
        """Remember what a person decided."""
        add_once(self._connection, DECISIONS, [asdict(decision)])

    def decisions(self) -> list[Decision]:
        """Return what people decided, the first one first."""
        return [Decision(*row) for row in self._connection.execute(select(DECISIONS).order_by(DECISIONS.c.at))]

    def parked(self) -> list[dict[str, Any]]:
        """Return every parked record, resolved and discarded ones too, the oldest first."""
        rows = self._connection.execute(select(PARKED).order_by(PARKED.c.parked_at, PARKED.c.parked_id))
        return [dict(row) for row in rows.mappings()]

    def clocks(self) -> list[Clock]:
        """Return every clock of a signal that is still open, by date."""
        closed = {signal_id for signal_id, verdict in self._signal_verdicts() if verdict in ("withdrawn", "erased")}
        rows = self._connection.execute(select(CLOCKS).order_by(CLOCKS.c.next_date, CLOCKS.c.signal_id, CLOCKS.c.keeper))
        found = (replace(Clock(*row), told_at=_moment(row.told_at)) for row in rows)
        return [clock for clock in found if clock.signal_id not in closed or clock.stage == "RECEIPT"]

    def _signal_verdicts(self) -> list[tuple[str, str]]:
        return [(row.signal_id, row.verdict) for row in self._connection.execute(select(NUMBERS.c.signal_id, NUMBERS.c.verdict))]

    def ledger(self, now: datetime, municipality: str | None = None) -> Ledger:
        """Return the balance of all, or of one municipality; what blames nobody counts in that of all."""
        numbers, checkpoints = select(NUMBERS), select(CHECKPOINTS)
        if municipality is not None:
            numbers = numbers.where(NUMBERS.c.municipality == municipality)
            checkpoints = checkpoints.where(CHECKPOINTS.c.municipality == municipality)
        entries = map(_entry, self._connection.execute(numbers))
        drawn = balance(entries, map(_checkpoint, self._connection.execute(checkpoints)), now=now)
        return replace(drawn, unattributed=self._unattributed()) if municipality is None else drawn

    def municipalities(self) -> list[str]:
        """Return every municipality that the ledger knows."""
        tables = (NUMBERS, CHECKPOINTS)
        found = (self._connection.execute(select(table.c.municipality).distinct()).scalars() for table in tables)
        return sorted({str(code) for codes in found for code in codes})

    def _unattributed(self) -> int:
        counted = select(func.count()).select_from(FACTS).where(FACTS.c.unattributed)
        return int(self._connection.execute(counted).scalar_one())

    def _among(self, table: Table, key: Any, wanted: Collection[Any]) -> list[Any]:  # noqa: ANN401 - a column or several
        ordered = sorted(wanted)
        parts = (ordered[start : start + AT_ONCE] for start in range(0, len(ordered), AT_ONCE))
        return [row for part in parts for row in self._connection.execute(select(table).where(key.in_(part)))]


def _entry(row: Any) -> Entry:  # noqa: ANN401 - a row
    return Entry((row.municipality, row.publisher_run, row.sequence), row.verdict, row.signal_id, row.version)


def _entry_row(entry: Entry, edition: int) -> dict[str, Any]:
    municipality, run, sequence = entry.number or ("", "", 0)
    number = {"municipality": municipality, "publisher_run": run, "sequence": sequence}
    return {**number, "edition": edition, "verdict": entry.verdict, "signal_id": entry.signal_id, "version": entry.version}


def _checkpoint(row: Any) -> Checkpoint:  # noqa: ANN401 - a row
    return Checkpoint(row.municipality, row.publisher_run, row.highest, _moment(-row.earliness))


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _moment(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)
