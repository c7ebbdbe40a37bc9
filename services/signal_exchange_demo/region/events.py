"""Which signals come in, when, from whom and about what."""

from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final, Literal

from signal_exchange_demo.region.networks import Network
from signal_exchange_demo.region.people import People, Person
from signal_exchange_demo.region.plan import Plan
from signal_exchange_demo.region.profiles import ANY_DAY_SOURCES, FORM_MIX, MORE_SOURCES, SOURCES
from signal_exchange_demo.region.season import Season
from signal_exchange_demo.region.streams import chance, geometric, pick, poisson
from signal_exchange_demo.region.world import Areas, Victim, World

NOTICED: Final = 0.30
EXTRA_REPORTS: Final = 0.13
"""Mean number of further reports per noticed victim: 1,062 reports on 944 persons nationally in 2024."""
ELSEWHERE: Final = 0.35
LAG_DAYS: Final = 35.0
FALSE_PER_TRUE: Final = 1.2
TIPS_PER_TRUE: Final = 0.25
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

    def __init__(self, rng: Random, areas: Areas, season: Season, people: People, plan: Plan) -> None:
        self._rng = rng
        self._areas = areas
        self._season = season
        self._people = people
        self._project = plan.project
        self._days = 7 * plan.weeks

    def events(self, world: World) -> list[Event]:
        """Give the reports on the victims of a world, with the false reports and tips that go with them."""
        found = [event for victim in world.victims for event in self._on(victim, world)]
        true_count = len(found)
        found += [self._tip(world) for _ in range(poisson(self._rng, TIPS_PER_TRUE * true_count))]
        found += [self._false_report() for _ in range(poisson(self._rng, FALSE_PER_TRUE * true_count))]
        return found

    def _on(self, victim: Victim, world: World) -> list[Event]:
        if chance(self._rng, NOTICED):
            persons = self._seen_with(victim, world)
            first = self._event("true", victim.person.form, victim.municipality, persons, victim.network)
        else:
            found = self._found_by_project(victim)
            if found is None:
                return []
            first = found
        return [first, *self._again(victim, first)]

    def _found_by_project(self, victim: Victim) -> Event | None:
        """Let the extra attention of a targeted project find a victim whom nobody would have noticed."""
        project = self._project
        if project is None or victim.municipality != project.municipality:
            return None
        usual = NOTICED * len(project.days) / self._days
        if not chance(self._rng, min(1.0, usual * (project.factor - 1) / (1 - NOTICED))):
            return None
        source, any_day = self._source("true", victim.person.form)
        received = self._season.moment_within(self._rng, project.days, any_day=any_day)
        if received is None:
            return None
        return Event("true", victim.person.form, victim.municipality, source, received, (victim.person,), victim.network)

    def _again(self, victim: Victim, first: Event) -> list[Event]:
        """Give later reports on the same person, often from elsewhere, as far as the period still holds them."""
        rng, found = self._rng, []
        for _ in range(geometric(rng, EXTRA_REPORTS)):
            others = self._areas.others(victim.municipality)
            where = rng.choice(others) if others and chance(rng, ELSEWHERE) else victim.municipality
            source, any_day = self._source("true", first.form)
            received = self._season.later(rng, first.received, rng.expovariate(1 / LAG_DAYS), any_day=any_day)
            if received is not None:
                found.append(Event("true", first.form, where, source, received, (victim.person,), victim.network))
        return found

    def _seen_with(self, victim: Victim, world: World) -> tuple[Person, ...]:
        if victim.network is None or not chance(self._rng, SECOND_VICTIM):
            return (victim.person,)
        same = [other.person for other in world.victims if other.network is victim.network and other is not victim]
        return (victim.person, self._rng.choice(same)) if same else (victim.person,)

    def _false_report(self) -> Event:
        form = pick(self._rng, FORM_MIX)
        persons = (self._people.somebody(form),) if chance(self._rng, FALSE_WITH_PERSON) else ()
        return self._event("false", form, self._areas.draw(self._rng, form), persons, None)

    def _tip(self, world: World) -> Event:
        if world.networks and chance(self._rng, TIP_ON_NETWORK):
            network = self._rng.choice(world.networks)
            return self._event("tip", network.form, self._rng.choice(network.municipalities), (), network)
        form = pick(self._rng, FORM_MIX)
        return self._event("tip", form, self._areas.draw(self._rng, form), (), None)

    def _event(self, kind: Kind, form: str, where: str, persons: tuple[Person, ...], network: Network | None) -> Event:
        """Draw an event in its season."""
        source, any_day = self._source(kind, form)
        received = self._season.moment(self._rng, is_labour=form == "LABOUR", any_day=any_day)
        return Event(kind, form, where, source, received, persons, network)

    def _source(self, kind: Kind, form: str) -> tuple[str, bool]:
        source = "ANONYMOUS_TIP" if kind == "tip" else pick(self._rng, {**SOURCES, **MORE_SOURCES.get(form, {})})
        return source, source in ANY_DAY_SOURCES
