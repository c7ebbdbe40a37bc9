"""The generator: one seed, one number of signals, one day; the same arguments give the same region."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from signal_exchange.contracts.reference import load_equated_days, load_members
from signal_exchange.demo.region.bad_records import bad_records
from signal_exchange.demo.region.corrections import CORRECTED_SHARE, corrected
from signal_exchange.demo.region.events import EventMaker
from signal_exchange.demo.region.forgeries import forgeries
from signal_exchange.demo.region.identifiers import Numbers
from signal_exchange.demo.region.model import Arrival, BadRecord, Region, SignalKey, Withdrawal
from signal_exchange.demo.region.networks import Places
from signal_exchange.demo.region.people import People
from signal_exchange.demo.region.profiles import WITHDRAWAL
from signal_exchange.demo.region.records import Built, RecordMaker
from signal_exchange.demo.region.season import Season
from signal_exchange.demo.region.streams import pick, stream
from signal_exchange.demo.region.truth import truth_of
from signal_exchange.demo.region.world import Areas, World, WorldMaker
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.ids import MunicipalityCode

SIX: Final = ("GM0983", "GM1507", "GM0957", "GM0988", "GM1894", "GM0984")
"""The municipalities of the six examples."""
DUPLICATE_SHARE: Final = 0.02
WITHDRAWN_SHARE: Final = 0.03
BAD_SHARE: Final = 0.01
LEAST_FOR_BAD_INPUT: Final = 100
_PREFIXES: Final = {"GM0984": "VRY", "GM1669": "ROD"}


@dataclass(slots=True)
class _Streams:
    """The sub-streams of one seed."""

    seed: int
    open: dict[str, Random] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Random:
        return self.open.setdefault(name, stream(self.seed, name))


def generate_region(seed: int, signals: int, today: date, municipalities: Sequence[str] = SIX) -> Region:
    """Make a region with exactly `signals` distinct good signals, published on `today` (Amsterdam).

    Corrections, duplicates, withdrawals, bad records and forgeries come on top; Region.counts tells how many. Raises
    KeyError for a code that is no municipality of the region; whether each is a member that day is the caller's care.
    """
    streams = _Streams(seed)
    people, built = _built(streams, signals, today, municipalities)
    again = _Again.drawn(streams["again"], built)
    touched = again.touched
    kept = [one.record for key, one in built.items() if key not in touched]
    per_kind = max(1, round(signals * BAD_SHARE)) if signals >= LEAST_FOR_BAD_INPUT else 0
    bad = tuple(bad_records(streams["bad"], [one.record for one in built.values()], per_kind))
    return Region(
        seed=seed,
        signals=signals,
        today=today,
        municipalities=tuple(municipalities),
        arrivals=_arrivals(streams["again"], built, again, bad, today),
        withdrawals=tuple(Withdrawal(key, pick(streams["again"], WITHDRAWAL)) for key in again.withdrawn),
        bad_records=bad,
        forgeries=tuple(forgeries(streams["forged"], kept, per_kind)),
        truth=truth_of(built, people.made, today),
    )


def _built(streams: _Streams, signals: int, today: date, municipalities: Sequence[str]) -> tuple[People, dict[SignalKey, Built]]:
    numbers, places = Numbers(streams["numbers"]), Places(streams["places"])
    people = People(streams["persons"], numbers, today)
    maker = WorldMaker(streams["persons"], streams["places"], people, places, numbers)
    members = load_members()
    found = [members.by_code[MunicipalityCode(code)] for code in municipalities]
    areas = Areas(found)
    world = maker.world(signals, areas)
    season = Season(today, WorkingCalendar(load_equated_days()))
    events = EventMaker(streams["events"], areas, season, people).events(signals, world, maker)
    records = _record_maker(streams, world, people, places)
    numbered = _Numbered({member.code: _PREFIXES.get(member.code, member.name[:3].upper()) for member in found})
    built = (records.record(event, numbered.next(event.municipality, event.received), today) for event in events)
    return people, {SignalKey(one.event.municipality, one.record["local_ref"]): one for one in built}


def _record_maker(streams: _Streams, world: World, people: People, places: Places) -> RecordMaker:
    return RecordMaker(
        events=streams["records"], noise=streams["noise"], text=streams["text"], world=world, people=people, places=places
    )


class _Numbered:
    """Numbers the records of each municipality in order of arrival, as VEN-2026-00311."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._prefixes = prefixes
        self._last = dict.fromkeys(prefixes, 0)

    def next(self, municipality: str, received: datetime) -> str:
        self._last[municipality] += 1
        return f"{self._prefixes[municipality]}-{received.year}-{self._last[municipality]:05d}"


@dataclass(frozen=True, slots=True)
class _Again:
    """Which signals come back: corrected, sent twice, or taken back."""

    corrected: tuple[SignalKey, ...]
    duplicated: tuple[SignalKey, ...]
    withdrawn: tuple[SignalKey, ...]

    @classmethod
    def drawn(cls, rng: Random, built: Iterable[SignalKey]) -> "_Again":
        """Draw 5% corrections, 2% duplicates and 3% withdrawals; a duplicate is of an uncorrected signal that stays."""
        keys = list(built)
        corrections = rng.sample(keys, round(len(keys) * CORRECTED_SHARE))
        withdrawn = rng.sample(keys, round(len(keys) * WITHDRAWN_SHARE))
        rest = sorted(set(keys) - set(corrections) - set(withdrawn))
        duplicated = rng.sample(rest, round(len(keys) * DUPLICATE_SHARE))
        return cls(tuple(sorted(corrections)), tuple(sorted(duplicated)), tuple(sorted(withdrawn)))

    @property
    def touched(self) -> frozenset[SignalKey]:
        """Give every signal that comes back in some way."""
        return frozenset((*self.corrected, *self.duplicated, *self.withdrawn))


def _arrivals(
    rng: Random, built: dict[SignalKey, Built], again: _Again, bad: Iterable[BadRecord], today: date
) -> tuple[Arrival, ...]:
    timed = [(one.event.received, Arrival(key, "new", 1, one.record)) for key, one in built.items()]
    timed += [
        (_later(rng, built[key], today), Arrival(key, "correction", 2, corrected(rng, built[key].record)))
        for key in again.corrected
    ]
    timed += [(_later(rng, built[key], today), Arrival(key, "duplicate", 1, built[key].record)) for key in again.duplicated]
    timed += [(datetime.fromisoformat(one.record["received_at"]), Arrival(one.key, "bad", 0, one.record)) for one in bad]
    return tuple(arrival for _, arrival in sorted(timed, key=lambda pair: pair[0]))


def _later(rng: Random, one: Built, today: date) -> datetime:
    """Let a record come again some weeks later, but before today; it keeps its own received_at."""
    first = one.event.received
    last = datetime.combine(today, datetime.min.time(), first.tzinfo) - timedelta(minutes=1)
    return min(first + timedelta(days=rng.randint(1, 30)), max(first, last))
