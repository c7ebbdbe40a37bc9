"""The generator: the same arguments give the same region, made in parts so that its size costs no memory."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from uuid import UUID

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.participants.region import SIX
from signal_exchange.reference.loading import load_equated_days
from signal_exchange_demo.region.aftermath import Aftermath, published_at
from signal_exchange_demo.region.events import Event, EventMaker
from signal_exchange_demo.region.identifiers import Numbers
from signal_exchange_demo.region.keys import phone_key, place_keys
from signal_exchange_demo.region.model import Built, Region
from signal_exchange_demo.region.networks import Place, Places
from signal_exchange_demo.region.people import People, Person
from signal_exchange_demo.region.plan import SIGNALS_AT_SCALE_1, WEEKS_IN_YEAR, Plan
from signal_exchange_demo.region.records import RecordMaker
from signal_exchange_demo.region.references import References
from signal_exchange_demo.region.season import Season
from signal_exchange_demo.region.streams import Streams
from signal_exchange_demo.region.truth import truth_of
from signal_exchange_demo.region.world import NETWORKS, Areas, Junk, WorldMaker


@dataclass(frozen=True, slots=True)
class Part:
    """Signals of a part of the region, in no order, and every person who was made for it.

    Nobody and nothing of one part is in another, but for what everybody touches.
    """

    built: Sequence[Built]
    people: Mapping[str, Person]


class Generator:
    """Makes the parts of one region, one after another, from the sub-streams of its seed."""

    def __init__(self, plan: Plan) -> None:
        streams, last_day = Streams(plan.seed), plan.publish_day or plan.end
        self.plan, self.streams = plan, streams
        numbers, places = Numbers(streams["numbers"]), Places(streams["places"])
        self._areas = Areas(plan.members)
        self._people = People(streams["persons"], numbers, plan.publish_day or plan.start, last_day)
        self._worlds = WorldMaker(streams["persons"], streams["places"], self._people, places, numbers)
        season = Season(plan.start, plan.weeks, WorkingCalendar(load_equated_days()))
        self._events = EventMaker(streams["events"], self._areas, season, self._people, plan)
        self.junk = self._worlds.junk(plan.size, self._areas)
        self._records = RecordMaker(
            events=streams["records"],
            noise=streams["noise"],
            text=streams["text"],
            junk=self.junk,
            people=self._people,
            places=places,
        )
        self._made = 0

    def parts(self) -> Iterator[Part]:
        """Make every part; a part is forgotten when the next is asked for."""
        blocks = self.plan.blocks
        networks = round(NETWORKS * self.plan.size)
        for block in range(blocks):
            share = networks * (block + 1) // blocks - networks * block // blocks
            world = self._worlds.world(self.plan.size / blocks, share, self._areas)
            events = sorted(self._events.events(world), key=lambda event: event.received)
            yield Part([self._record(event) for event in events], self._people.made)
            self._people.forget()

    def _record(self, event: Event) -> Built:
        self._made += 1
        digest = hashlib.sha256(f"{self.plan.seed}:signal:{self._made}".encode()).digest()
        signal_id = str(UUID(bytes=digest[:16], version=4))
        return self._records.record(event, signal_id, published_at(event.received, self.plan).date())


def listed(junk: Junk) -> tuple[tuple[str, str], ...]:
    """Give the values (type, value) that every municipality has on its list, so that they link nothing (R-LINK-07)."""
    places = (key for place in junk.listed_places for key in _keys_of(place))
    phones = (key for phone in junk.listed_phones for key in phone_key(phone))
    return tuple(sorted({*places, *phones}))


def _keys_of(place: Place) -> frozenset[tuple[str, str]]:
    """Give every way in which a place is written down: with and without its addition."""
    noted = {"postcode": place.postcode, "number": place.number, "bag_id": place.bag_id}
    return place_keys({**noted, "addition": place.addition}) | place_keys({**noted, "addition": ""})


def generate_region(seed: int, signals: int, today: date, municipalities: Sequence[str] = SIX) -> Region:
    """Make a region in memory whose first `signals` signals, in order of arrival, are published on `today` (Amsterdam).

    They came in during the 52 weeks before. Corrections, duplicates, withdrawals, erasures, bad records and forgeries come
    on top; Region.counts tells how many. Raises KeyError for a code that is no municipality of the region; whether each is a
    member that day is the caller's care.
    """
    scale = (signals + 4 * sqrt(signals) + 10) / SIGNALS_AT_SCALE_1
    region = None
    while region is None:
        start = today - timedelta(weeks=WEEKS_IN_YEAR)
        plan = Plan(seed, start, WEEKS_IN_YEAR, scale, tuple(municipalities), publish_day=today)
        region = _first(plan, signals)
        scale *= 1.2
    return region


def _first(plan: Plan, signals: int) -> Region | None:
    generator = Generator(plan)
    people: dict[str, Person] = {}
    built: list[Built] = []
    for part in generator.parts():
        built += part.built
        people |= part.people
    if len(built) < signals:
        return None
    built = sorted(built, key=lambda one: (one.event.received, one.signal_id))[:signals]
    references = References()
    for one in built:
        one.record["local_ref"] = references.next(one.event.municipality, one.event.received.year)
    after = Aftermath(generator.streams, plan).of(built)
    return Region(
        signals=signals,
        plan=plan,
        built=tuple(built),
        arrivals=tuple(sorted(after.arrivals, key=lambda arrival: (arrival.came, arrival.signal_id, arrival.version))),
        withdrawals=tuple(after.withdrawals),
        erasures=tuple(after.erasures),
        bad_records=tuple(after.bad_records),
        forgeries=tuple(after.forgeries),
        truth=truth_of(built, people),
        barred=listed(generator.junk),
    )
