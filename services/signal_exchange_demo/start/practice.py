"""The invented people as whom one can log in at each site of the demo, in a file that its process reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from signal_exchange.contracts.topics import municipality_principal
from signal_exchange.domain.people import Person
from signal_exchange.participants.kafka_files import free_ports
from signal_exchange.participants.region import SIX, Region
from signal_exchange.reference.loading import load_members
from signal_exchange.runtime.private_files import write_private
from signal_exchange.web.login import PRACTICE_ISSUER
from signal_exchange.worklist.service import WORKLIST, WORKLIST_YOUTH

SITES = (WORKLIST, WORKLIST_YOUTH)
"""The services whose screens run as processes of their own; those of a municipality run in its node."""
_OFFICERS = dict(
    zip(SIX, ("Iris Voorbeeld", "Fenna Proef", "Noor Voorbeeld", "Daan Proef", "Lena Voorbeeld", "Ruud Proef"), strict=True)
)
_CARERS = {WORKLIST: ("Mila Voorbeeld", "Sara Proef"), WORKLIST_YOUTH: ("Joris Proef",)}
_ROLES = {WORKLIST: "CARE_COORDINATOR", WORKLIST_YOUTH: "YOUTH_COORDINATOR"}
_ORGANISATIONS = {WORKLIST: "Zorgcoördinatie Limburg-Noord", WORKLIST_YOUTH: "Jeugdroute Limburg-Noord"}


@dataclass(frozen=True, slots=True)
class Place:
    """A site of the demo: the process that serves it, its address, the organisation, and who one can be there."""

    process: str
    address: str
    organisation: str
    people: tuple[Person, ...]


class Practice:
    """The sites of one demo. Each gets its people in a file, and a port if it is a process of its own."""

    def __init__(self, region: Region, sites: Sequence[str] = SITES) -> None:
        self._region, self.sites = region, tuple(sites)
        ports = free_ports(taken=region.ports.values())
        self.ports = dict(zip(("start", *self.sites), ports, strict=False))

    @property
    def start(self) -> str:
        """Return the address of the start page."""
        return f"http://127.0.0.1:{self.ports['start']}"

    @property
    def places(self) -> tuple[Place, ...]:
        """Return every site, municipalities first."""
        return (*self._of_municipalities(), *map(self._of_service, self.sites))

    def settings(self) -> Mapping[str, dict[str, str]]:
        """Return the settings of each site by its process, with its people in a file."""
        return {place.process: self._settings_of(place) for place in self.places}

    def _settings_of(self, place: Place) -> dict[str, str]:
        file = self._people_file(place)
        own = {"PRACTICE_PEOPLE_FILE": str(file), "WEB_ORGANISATION": place.organisation}
        port = {"WEB_PORT": str(self.ports[place.process])} if place.process in self.sites else {}
        return {f"SIGNAL_EXCHANGE_{name}": value for name, value in {**own, **port}.items()}

    def _people_file(self, place: Place) -> Path:
        file = self._region.process_folder(place.process) / "practice.json"
        content = {"start": self.start, "people": [_as_json(each) for each in place.people]}
        write_private(file, json.dumps(content, ensure_ascii=False))
        return file

    def _of_municipalities(self) -> Iterator[Place]:
        members = load_members()
        for code in sorted(self._region.members, key=SIX.index):
            process = municipality_principal(code)
            officer = _person(_OFFICERS[code], "ATTENTION_OFFICER", code)
            address = f"http://127.0.0.1:{self._region.ports[process]}"
            member = members.get(code)
            yield Place(process, address, f"Gemeente {member.name if member else code}", (officer,))

    def _of_service(self, service: str) -> Place:
        people = tuple(_person(name, _ROLES[service], service) for name in _CARERS[service])
        return Place(service, f"http://127.0.0.1:{self.ports[service]}", _ORGANISATIONS[service], people)


def _as_json(person: Person) -> dict[str, str]:
    return {name: getattr(person, name) for name in ("name", "issuer", "subject", "role", "organisation")}


def _person(name: str, role: str, organisation: str) -> Person:
    subject = f"{name.split(maxsplit=1)[0].lower()}-{organisation.lower()}"
    return Person(name, PRACTICE_ISSUER, subject, role, organisation)
