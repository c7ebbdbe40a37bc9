"""The region behind the signals: who is a victim, of whom, where; and places that everybody touches."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from signal_exchange.demo.region.identifiers import Numbers
from signal_exchange.demo.region.networks import Network, Networks, Place, Places
from signal_exchange.demo.region.people import People, Person
from signal_exchange.demo.region.profiles import FORM_MIX
from signal_exchange.demo.region.streams import chance, pick, poisson
from signal_exchange.domain.members import Municipality

SIGNALS_AT_SCALE_1: Final = 122.9
"""Signals of a year at scale 1: 50.2 true reports, 60.2 false, 12.5 anonymous tips."""
VICTIMS: Final = 148
NETWORKS: Final = 25
JUNK_SHARE: Final = 0.08
JUNK_TOUCHES: Final = 60
JUNK_PLACES: Final = 10
JUNK_PHONES: Final = 3
JUNK_KINDS: Final = ("ASYLUM_AREA", "HOLIDAY_PARK", "HOTEL", "PLACE_OTHER")
HEAVIER: Final = {"GM0983": 1.3, "GM0957": 1.3}
HEAVIER_FOR_LABOUR: Final = {"GM1507": 1.5, "GM1894": 1.5}


@dataclass(frozen=True, slots=True)
class Victim:
    """A true victim, the network that exploits them (if any) and where they mostly are."""

    person: Person
    network: Network | None
    municipality: str


@dataclass(frozen=True, slots=True)
class World:
    """Everything that signals can be about."""

    victims: tuple[Victim, ...]
    networks: tuple[Network, ...]
    junk_places: tuple[Place, ...]
    junk_phones: tuple[str, ...] = field(repr=False)


class Areas:
    """Draws municipalities by population and weight."""

    def __init__(self, municipalities: Iterable[Municipality]) -> None:
        members = tuple(municipalities)
        self.codes = tuple(str(member.code) for member in members)
        self._weights = {str(member.code): member.population * HEAVIER.get(member.code, 1.0) for member in members}

    def draw(self, rng: Random, form: str) -> str:
        """Draw a municipality for a signal of a form."""
        extra = HEAVIER_FOR_LABOUR if form == "LABOUR" else {}
        return pick(rng, {code: weight * extra.get(code, 1.0) for code, weight in self._weights.items()})

    def others(self, code: str) -> tuple[str, ...]:
        """Give all municipalities but one."""
        return tuple(other for other in self.codes if other != code)


class WorldMaker:
    """Makes a world of the size that yields a number of signals a year."""

    def __init__(self, people_rng: Random, places_rng: Random, people: People, places: Places, numbers: Numbers) -> None:
        self._rng = people_rng
        self._places_rng = places_rng
        self._people = people
        self._places = places
        self._networks = Networks(places_rng, people, places, numbers)

    def world(self, signals: int, areas: Areas) -> World:
        """Make victims in networks first, then victims alone, up to the number for this scale."""
        scale = signals / SIGNALS_AT_SCALE_1
        networks = [self._network(areas) for _ in range(max(1, round(NETWORKS * scale)))]
        victims = [victim for network in networks for victim in self._of_network(network)]
        alone = max(0, poisson(self._rng, VICTIMS * scale) - len(victims))
        victims += [self.alone(areas) for _ in range(alone)]
        return World(tuple(victims), tuple(networks), self._junk_places(signals, areas), self._junk_phones(signals))

    def alone(self, areas: Areas) -> Victim:
        """Make a victim outside any network."""
        form = pick(self._rng, FORM_MIX)
        return Victim(self._people.victim(form), None, areas.draw(self._rng, form))

    def _network(self, areas: Areas) -> Network:
        form = pick(self._rng, FORM_MIX)
        home = areas.draw(self._rng, form)
        return self._networks.network(form, home, areas.others(home))

    def _of_network(self, network: Network) -> list[Victim]:
        places = network.municipalities
        count = 1 + poisson(self._rng, 3)
        return [Victim(self._people.victim(network.form), network, self._rng.choice(places)) for _ in range(count)]

    def _junk_places(self, signals: int, areas: Areas) -> tuple[Place, ...]:
        count = min(JUNK_PLACES, max(1, round(signals * JUNK_SHARE / JUNK_TOUCHES)))
        rng = self._places_rng
        return tuple(self._places.place(rng.choice(JUNK_KINDS), rng.choice(areas.codes)) for _ in range(count))

    def _junk_phones(self, signals: int) -> tuple[str, ...]:
        count = min(JUNK_PHONES, max(1, round(signals * JUNK_SHARE / JUNK_TOUCHES)))
        return tuple(f"06-00009{index}0{index}" for index in range(1, count + 1))


def touches_junk(rng: Random) -> bool:
    """Say whether a signal happens to touch a place that everybody touches."""
    return chance(rng, JUNK_SHARE)
