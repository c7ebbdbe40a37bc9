"""Which signals come in, when, from whom and about what."""

from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final, Literal

from signal_exchange.demo.region.networks import Network
from signal_exchange.demo.region.people import People, Person
from signal_exchange.demo.region.profiles import ANY_DAY_SOURCES, FORM_MIX, MORE_SOURCES, SOURCES
from signal_exchange.demo.region.season import Season
from signal_exchange.demo.region.streams import chance, geometric, pick
from signal_exchange.demo.region.world import Areas, Victim, World, WorldMaker

NOTICED: Final = 0.30
EXTRA_REPORTS: Final = 0.13
"""Mean number of further reports per noticed victim: 1,062 reports on 944 persons nationally in 2024."""
ELSEWHERE: Final = 0.35
LAG_DAYS: Final = 35.0
TRUE_SHARE: Final = 50.2 / 122.9
TIP_SHARE: Final = 12.5 / 122.9
TIP_ON_NETWORK: Final = 0.4
FALSE_WITH_PERSON: Final = 0.6
SECOND_VICTIM: Final = 0.05

Kind = Literal["true", "false", "tip"]


@dataclass(frozen=True, slots=True)
class Event:
    """One doubt that someone reports."""

    kind: Kind
    form: str
    municipality: str
    source: str
    received: datetime
    persons: tuple[Person, ...]
    network: Network | None


class EventMaker:
    """Draws events from one stream."""

    def __init__(self, rng: Random, areas: Areas, season: Season, people: People) -> None:
        self._rng = rng
        self._areas = areas
        self._season = season
        self._people = people

    def events(self, signals: int, world: World, maker: WorldMaker) -> list[Event]:
        """Give exactly this number of events, in order of arrival."""
        true_count, tip_count = round(signals * TRUE_SHARE), round(signals * TIP_SHARE)
        found = self._true_reports(true_count, world, maker)
        found += [self._tip(world) for _ in range(tip_count)]
        found += [self._false_report() for _ in range(signals - len(found))]
        return sorted(found, key=lambda event: event.received)

    def _true_reports(self, count: int, world: World, maker: WorldMaker) -> list[Event]:
        hidden = list(world.victims)
        self._rng.shuffle(hidden)
        found: list[Event] = []
        for victim in hidden:
            if chance(self._rng, NOTICED):
                found += self._reports_on(victim, hidden)
        while len(found) < count:
            found += self._reports_on(maker.alone(self._areas), hidden)
        return found[:count]

    def _reports_on(self, victim: Victim, everyone: list[Victim]) -> list[Event]:
        rng, form = self._rng, victim.person.form
        first = self._event("true", form, victim.municipality, self._seen_with(victim, everyone), victim.network)
        found = [first]
        for _ in range(geometric(rng, EXTRA_REPORTS)):
            others = self._areas.others(victim.municipality)
            where = rng.choice(others) if others and chance(rng, ELSEWHERE) else victim.municipality
            lag = rng.expovariate(1 / LAG_DAYS)
            found.append(self._event("true", form, where, (victim.person,), victim.network, after=(first.received, lag)))
        return found

    def _seen_with(self, victim: Victim, everyone: list[Victim]) -> tuple[Person, ...]:
        if victim.network is None or not chance(self._rng, SECOND_VICTIM):
            return (victim.person,)
        same = [other.person for other in everyone if other.network is victim.network and other is not victim]
        return (victim.person, self._rng.choice(same)) if same else (victim.person,)

    def _false_report(self) -> Event:
        form = pick(self._rng, FORM_MIX)
        persons = (self._people.somebody(form),) if chance(self._rng, FALSE_WITH_PERSON) else ()
        return self._event("false", form, self._areas.draw(self._rng, form), persons, None)

    def _tip(self, world: World) -> Event:
        if chance(self._rng, TIP_ON_NETWORK):
            network = self._rng.choice(world.networks)
            return self._event("tip", network.form, self._rng.choice(network.municipalities), (), network)
        form = pick(self._rng, FORM_MIX)
        return self._event("tip", form, self._areas.draw(self._rng, form), (), None)

    def _event(
        self,
        kind: Kind,
        form: str,
        municipality: str,
        persons: tuple[Person, ...],
        network: Network | None,
        *,
        after: tuple[datetime, float] | None = None,
    ) -> Event:
        source = "ANONYMOUS_TIP" if kind == "tip" else pick(self._rng, {**SOURCES, **MORE_SOURCES.get(form, {})})
        any_day = source in ANY_DAY_SOURCES
        if after is None:
            received = self._season.moment(self._rng, is_labour=form == "LABOUR", any_day=any_day)
        else:
            received = self._season.later(self._rng, *after, any_day=any_day)
        return Event(kind, form, municipality, source, received, persons, network)
