"""The region behind the signals: who is a victim, of whom, where; and what everybody touches."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from signal_exchange.domain.members import Municipality
from signal_exchange_demo.region.identifiers import Numbers
from signal_exchange_demo.region.networks import Network, Networks, Place, Places
from signal_exchange_demo.region.people import People, Person
from signal_exchange_demo.region.plan import SIGNALS_AT_SCALE_1
from signal_exchange_demo.region.profiles import FORM_MIX
from signal_exchange_demo.region.streams import chance, pick, poisson

VICTIMS: Final = 148
NETWORKS: Final = 25
JUNK_SHARE: Final = 0.08
JUNK_TOUCHES: Final = 60
"""How many signals touch a thing that everybody touches, at least in a region that is large enough for it."""
JUNK_PLACES: Final = 10
JUNK_PHONES: Final = 3
JUNK_KINDS: Final = ("ASYLUM_AREA", "PLACE_OTHER", "HOLIDAY_PARK")
"""Shelter, police station, large holiday park."""
HEAVIER: Final = {"GM0983": 1.3, "GM0957": 1.3}
HEAVIER_FOR_LABOUR: Final = {"GM1507": 1.5, "GM1894": 1.5}


@dataclass(frozen=True, slots=True)
class Victim:
    """A true victim, the network that exploits them (if any) and where they mostly are."""

    person: Person
    network: Network | None
    municipality: str


@dataclass(frozen=True, slots=True)
class Junk:
    """Places and phones that everybody touches and that tell nothing.

    Municipalities know most of them, shelters, police stations and switchboards, and have them on their lists of barred values
    (R-LINK-07). A holiday park and a private helper's phone stand on no list: only the frequency cap stops those.
    """

    places: tuple[Place, ...]
    phones: tuple[str, ...] = field(repr=False)

    @property
    def listed_places(self) -> tuple[Place, ...]:
        """Give the places that every municipality has on its list."""
        return tuple(place for place in self.places if place.kind != "HOLIDAY_PARK")

    @property
    def listed_phones(self) -> tuple[str, ...]:
        """Give the switchboards: all phones but one."""
        return self.phones[1:]


@dataclass(frozen=True, slots=True)
class World:
    """Everybody whom a part of the signals can be about."""

    victims: tuple[Victim, ...]
    networks: tuple[Network, ...]


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
    """Makes the world of one part of the region after another."""

    def __init__(self, people_rng: Random, places_rng: Random, people: People, places: Places, numbers: Numbers) -> None:
        self._rng = people_rng
        self._places_rng = places_rng
        self._people = people
        self._places = places
        self._networks = Networks(places_rng, people, places, numbers)

    def world(self, size: float, networks: int, areas: Areas) -> World:
        """Make victims in networks first, then victims alone, up to the number for this size in years of the real region."""
        made = [self._network(areas) for _ in range(networks)]
        victims = [victim for network in made for victim in self._of_network(network)]
        alone = max(0, poisson(self._rng, VICTIMS * size) - len(victims))
        victims += [self._alone(areas) for _ in range(alone)]
        return World(tuple(victims), tuple(made))

    def junk(self, size: float, areas: Areas) -> Junk:
        """Make what everybody touches: as many as get enough touches, up to 10 places and 3 phones."""
        touches = size * SIGNALS_AT_SCALE_1 * JUNK_SHARE
        count, rng = max(1, round(touches / JUNK_TOUCHES)), self._places_rng
        kinds = [JUNK_KINDS[number % len(JUNK_KINDS)] for number in range(min(JUNK_PLACES, count))]
        places = tuple(self._places.place(kind, rng.choice(areas.codes)) for kind in kinds)
        return Junk(places, tuple(f"06-00009{index}0{index}" for index in range(1, min(JUNK_PHONES, count) + 1)))

    def _alone(self, areas: Areas) -> Victim:
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


def touches_junk(rng: Random) -> bool:
    """Say whether a signal happens to touch a thing that everybody touches."""
    return chance(rng, JUNK_SHARE)
