"""Offender networks with their places and means, and the places that everybody touches."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from signal_exchange_demo.region.identifiers import Numbers
from signal_exchange_demo.region.people import People, Person
from signal_exchange_demo.region.profiles import PROFILES
from signal_exchange_demo.region.streams import chance, pick, poisson

STREETS: Final = (
    "Voorbeeldstraat",
    "Proefweg",
    "Proefplein",
    "Testlaan",
    "Oefenpad",
    "Modelstraat",
    "Schetsweg",
    "Monsterplein",
    "Staalhof",
    "Ontwerplaan",
    "Verzonnenweg",
    "Gedachtestraat",
    "Fabelpad",
    "Sprookjeslaan",
    "Mythestraat",
    "Legendeweg",
    "Bedachtplein",
    "Fantasiehof",
)
_LETTERS: Final = "BCDGHJKLNPRTVWXZ"
_HOUSE_NUMBERS: Final = 199
_ADDRESSES: Final = 10 * len(_LETTERS) ** 2 * _HOUSE_NUMBERS
_STEP: Final = 314_159
"""Has no divisor in common with the number of addresses, so that none comes twice before all came."""
BAG_SHARE: Final = 0.4
ADDITION_SHARE: Final = 0.25
ACROSS_SHARE: Final = 0.4
"""Share of networks that work in two or more municipalities."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address that does not exist: postcodes 5990 to 5999, invented streets, BAG ids that end on 9999."""

    place_id: str
    kind: str
    postcode: str = field(repr=False)
    number: str = field(repr=False)
    addition: str = field(repr=False)
    street: str = field(repr=False)
    bag_id: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Network:
    """Offenders who exploit victims of one form, and what they use."""

    network_id: str
    form: str
    sector: str
    municipalities: tuple[str, ...]
    members: tuple[Person, ...]
    places: tuple[Place, ...]
    plates: tuple[str, ...] = field(repr=False)
    companies: tuple[str, ...] = field(repr=False)
    accounts: tuple[str, ...] = field(repr=False)


class Places:
    """Makes places, each address once: a counter walks through all addresses with a step that meets each of them."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._made = rng.randrange(_ADDRESSES)
        self._count = 0
        self._bags = 0

    def place(self, kind: str, municipality: str) -> Place:
        """Make a place of a kind in a municipality."""
        self._count += 1
        self._made = (self._made + _STEP) % _ADDRESSES
        rest, number = divmod(self._made, _HOUSE_NUMBERS)
        digit, letters = divmod(rest, len(_LETTERS) ** 2)
        first, second = divmod(letters, len(_LETTERS))
        addition = self._rng.choice("abcd") if chance(self._rng, ADDITION_SHARE) else ""
        postcode = f"599{digit} {_LETTERS[first]}{_LETTERS[second]}"
        street = STREETS[digit + first % 8]
        return Place(f"L{self._count:06d}", kind, postcode, str(number + 1), addition, street, self._bag(municipality))

    def _bag(self, municipality: str) -> str | None:
        if not chance(self._rng, BAG_SHARE):
            return None
        self._bags += 1
        return f"{municipality[2:]}20{self._bags:06d}9999"


class Networks:
    """Makes networks from one stream."""

    def __init__(self, rng: Random, people: People, places: Places, numbers: Numbers) -> None:
        self._rng = rng
        self._people = people
        self._places = places
        self._numbers = numbers
        self._made = 0

    def network(self, form: str, home: str, others: tuple[str, ...]) -> Network:
        """Make a network of a form in a home municipality, sometimes with a second one."""
        rng = self._rng
        self._made += 1
        second = (rng.choice(others),) if others and chance(rng, ACROSS_SHARE) else ()
        profile = PROFILES[form]
        kinds = [pick(rng, profile.places) for _ in range(rng.randint(1, 3))]
        members = [self._member(form) for _ in range(1 + poisson(rng, 2))]
        return Network(
            network_id=f"N{self._made:05d}",
            form=form,
            sector=pick(rng, profile.sectors),
            municipalities=(home, *second),
            members=tuple(members),
            places=tuple(self._places.place(kind, home) for kind in kinds),
            plates=self._some(self._numbers.plate() for _ in range(rng.randint(0, 2))),
            companies=self._some(self._numbers.company() for _ in range(rng.randint(0, 1))),
            accounts=tuple(self._numbers.account() for _ in range(rng.randint(0, 1))),
        )

    def _member(self, form: str) -> Person:
        return self._people.suspect(form, is_minor=form == "CRIMINAL" and chance(self._rng, 0.1))

    @staticmethod
    def _some(found: Iterable[str | None]) -> tuple[str, ...]:
        return tuple(value for value in found if value is not None)
