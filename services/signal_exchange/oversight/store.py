"""The store of oversight: the ledger, kept as the trace comes in; clocks; headers of parked records; what people decided."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import JSON, BigInteger, Boolean, Connection, Integer, Select, String, Table, delete, select, tuple_

from signal_exchange.contracts.records import OversightParkedRecord
from signal_exchange.domain.figures.ledger import Checkpoint, Entry, Number
from signal_exchange.runtime.columns import Moment, keys, optional, required
from signal_exchange.runtime.database import add_once, put_newer, rows_of, values_of
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.stream.tables import common_tables

TABLES = store_tables("oversight")
OUTBOX = common_tables(TABLES)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AT_ONCE = 300
"""Keys asked for in one statement."""
SENT = "SENT"
"""Stage of a delivery that routing says it sent, until its receiver tells that it has it."""
ENDED = ("withdrawn", "erased")
"""Verdicts after which a signal is not open any more."""

FACTS = Table(
    "projection_facts",
    TABLES,
    *keys(trace_id=String),
    *required(unattributed=Integer),
)
"""Every fact of the trace that was taken, so that twice is once, and for how many records it says that nobody can be named."""

NUMBERS = Table(
    "projection_numbers",
    TABLES,
    *keys(municipality=String, publisher_run=String, sequence=BigInteger),
    *required(row_version=BigInteger, verdict=String),
    *optional(signal_id=String),
    *required(version=Integer),
)
"""The one place of each number; `row_version` counts how often it was placed."""
NUMBER = (NUMBERS.c.municipality, NUMBERS.c.publisher_run, NUMBERS.c.sequence)
"""The columns that are a number."""

CHECKPOINTS = Table(
    "projection_checkpoints",
    TABLES,
    *keys(municipality=String, publisher_run=String, highest=BigInteger),
    *required(earliness=BigInteger),
)
"""What municipalities said they gave out; `earliness` is minus the milliseconds of the first time they said it."""

CLOCKS = Table(
    "projection_clocks",
    TABLES,
    *keys(signal_id=String, keeper=String),
    *required(told_at=BigInteger, version=Integer),
    *optional(municipality=String),
    *required(stage=String),
    *optional(owner_role=String, next_date=String),
)
"""Per signal and who keeps it: until when; without a date nothing runs there."""

PARKED = Table(
    "projection_parked_records",
    TABLES,
    *keys(parked_id=String),
    *required(revision=BigInteger, service=String, topic=String, reason=String, errors=JSON, attributed=Boolean),
    *optional(municipality=String, publisher_run=String, sequence=BigInteger, signal_id=String, version=Integer),
    *required(state=String, parked_at=Moment),
)
"""Headers only: the record itself is sealed to its owner and is not decoded here."""

DECISIONS = Table(
    "record_parked_decisions",
    TABLES,
    *keys(request_id=String),
    *required(parked_id=String, action=String, reason=String, who=String, at=Moment),
)
"""What people decided about parked records, for good."""


GIVEN_UP = Table(
    "record_given_up_numbers",
    TABLES,
    *keys(municipality=String, publisher_run=String, first=BigInteger, last=BigInteger),
    *required(reason=String, who=String, at=Moment),
)
"""Ranges of numbers of which a person decided that they will not come any more, as after a restore without the last back-up."""


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
    """The decision of a person about a parked record."""

    request_id: str
    parked_id: str
    action: str
    reason: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The numbers `first` to `last` of a run, of which those without a place will not come any more, and who said so."""

    municipality: str
    publisher_run: str
    first: int
    last: int
    reason: str
    who: str
    at: datetime


class OversightStore:
    """The rows of oversight in one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def known_facts(self, trace_ids: Collection[str]) -> set[str]:
        """Return the facts among these that were taken before."""
        return {row.trace_id for row in self._among(FACTS, FACTS.c.trace_id, trace_ids)}

    def add_facts(self, trace_ids: Sequence[str], unattributed: Mapping[str, int]) -> None:
        """Remember that these facts were taken, and of how many records they say that nobody can be named for them."""
        rows = [{"trace_id": each, "unattributed": unattributed.get(each, 0)} for each in trace_ids]
        add_once(self.connection, FACTS, rows)

    def entries(self, numbers: Collection[Number]) -> dict[Number, Entry]:
        """Return the placed ones among these numbers."""
        found = self._placed(numbers)
        return {number: Entry(number, row.verdict, row.signal_id, row.version) for number, row in found.items()}

    def put_entries(self, entries: Iterable[Entry], times: Mapping[Number, int]) -> None:
        """Write the place of numbers: the last word stands; `times` says how often each was placed since it was read."""
        placed = {entry.number: entry for entry in entries if entry.number is not None}
        before = {number: row.row_version for number, row in self._placed(placed).items()}
        rows = [_entry_row(number, each, before.get(number, 0) + times[number]) for number, each in placed.items()]
        put_newer(self.connection, NUMBERS, rows, guard="row_version")

    def _placed(self, numbers: Collection[Number]) -> dict[Number, Any]:
        rows = self._among(NUMBERS, tuple_(*NUMBER), numbers)
        return {(row.municipality, row.publisher_run, row.sequence): row for row in rows}

    def put_checkpoints(self, checkpoints: Iterable[Checkpoint]) -> None:
        """Write what municipalities said; of the same word the first time counts."""
        names = CHECKPOINTS.c.keys()
        told = ((each.municipality, each.run, each.highest, -milliseconds(each.at)) for each in checkpoints)
        rows = [dict(zip(names, each, strict=True)) for each in told]
        put_newer(self.connection, CHECKPOINTS, rows, guard="earliness")

    def put_clocks(self, clocks: Iterable[Clock]) -> None:
        """Write clocks: of each keeper the last word in the order of the trace, which is that in which the keeper spoke.

        The times in it cannot order them: two words may have one append time, and a person's step has another machine's time.
        """
        last = {(clock.signal_id, clock.keeper): clock for clock in clocks}
        key = tuple_(CLOCKS.c.signal_id, CLOCKS.c.keeper)
        for part in _parts(last):
            self.connection.execute(delete(CLOCKS).where(key.in_(part)))
        rows = [{**asdict(clock), "told_at": milliseconds(clock.told_at)} for clock in last.values()]
        add_once(self.connection, CLOCKS, rows)

    def put_parked(self, records: Iterable[OversightParkedRecord]) -> None:
        """Write what is known of parked records: an older state never wins."""
        put_newer(self.connection, PARKED, rows_of(PARKED, records), guard="revision")

    def add_decision(self, decision: Decision) -> None:
        """Remember what a person decided."""
        add_once(self.connection, DECISIONS, [asdict(decision)])

    def decisions(self) -> list[Decision]:
        """Return the decisions of people, the first one first."""
        return values_of(Decision, self.connection, select(DECISIONS).order_by(DECISIONS.c.at))

    def give_up(self, given_up: GivenUp) -> None:
        """Remember that numbers will not come any more: each is discarded, unless it comes after all."""
        add_once(self.connection, GIVEN_UP, [asdict(given_up)])

    def given_up(self, municipality: str | None = None) -> list[GivenUp]:
        """Return the numbers that will not come any more, of all or of one municipality, the first decision first."""
        chosen = select(GIVEN_UP).order_by(GIVEN_UP.c.at)
        own = chosen if municipality is None else chosen.where(GIVEN_UP.c.municipality == municipality)
        return values_of(GivenUp, self.connection, own)

    def parked(self) -> list[OversightParkedRecord]:
        """Return every parked record, resolved and discarded ones too, the oldest first."""
        return self._parked(select(PARKED))

    def waiting(self) -> list[OversightParkedRecord]:
        """Return the parked records that wait for a decision, the oldest first."""
        return self._parked(select(PARKED).where(PARKED.c.state == "PARKED"))

    def waiting_among(self, parked_ids: Collection[str]) -> list[OversightParkedRecord]:
        """Return those of these records that still wait for a decision, the oldest first."""
        waits = PARKED.c.state == "PARKED"
        found = [self._parked(select(PARKED).where(PARKED.c.parked_id.in_(part), waits)) for part in _parts(parked_ids)]
        return sorted((each for part in found for each in part), key=lambda each: (each["parked_at"], each["parked_id"]))

    def _parked(self, chosen: Select[Any]) -> list[OversightParkedRecord]:
        rows = self.connection.execute(chosen.order_by(PARKED.c.parked_at, PARKED.c.parked_id))
        return [cast("OversightParkedRecord", dict(row)) for row in rows.mappings()]

    def municipalities(self) -> list[str]:
        """Return every municipality that the ledger knows."""
        tables = (NUMBERS, CHECKPOINTS)
        found = (self.connection.execute(select(table.c.municipality).distinct()).scalars() for table in tables)
        return sorted({str(code) for codes in found for code in codes})

    def _among(self, table: Table, key: Any, wanted: Collection[Any]) -> list[Any]:  # noqa: ANN401 - a column or several
        return [row for part in _parts(wanted) for row in self.connection.execute(select(table).where(key.in_(part)))]


def _parts(keys: Iterable[Any]) -> Iterator[list[Any]]:
    ordered = sorted(keys)
    return (ordered[start : start + AT_ONCE] for start in range(0, len(ordered), AT_ONCE))


def _entry_row(number: Number, entry: Entry, row_version: int) -> dict[str, Any]:
    said = (*number, row_version, entry.verdict, entry.signal_id, entry.version)
    return dict(zip(NUMBERS.c.keys(), said, strict=True))


def clock_of(row: Any) -> Clock:  # noqa: ANN401 - a row
    """Return the clock of a row."""
    return replace(Clock(*row), told_at=EPOCH + timedelta(milliseconds=row.told_at))


def milliseconds(moment: datetime) -> int:
    """Return a moment as the store keeps it: whole milliseconds since 1970."""
    return (moment - EPOCH) // timedelta(milliseconds=1)
