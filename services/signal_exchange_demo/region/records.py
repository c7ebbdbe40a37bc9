"""From an event to the municipal record, as the attention officer would have filled it in."""

from datetime import date, timedelta
from random import Random
from typing import Final

from signal_exchange_demo.region.bases import Situation, consent_and_exchanges
from signal_exchange_demo.region.events import Event
from signal_exchange_demo.region.model import Built, Record
from signal_exchange_demo.region.networks import Place, Places
from signal_exchange_demo.region.noise import Noted, note_account, note_person, note_phone, note_place, note_plate
from signal_exchange_demo.region.people import People
from signal_exchange_demo.region.profiles import FUNCTIONS, PROFILES, URGENCY
from signal_exchange_demo.region.streams import chance, pick, poisson, some
from signal_exchange_demo.region.texts import write_texts
from signal_exchange_demo.region.world import Junk, touches_junk

YOUNG_ADULT: Final = 23
NO_REFERENCE: Final = ""
"""Stands in a record until it is known as which one it came in at its municipality."""
PLACE_NAMED: Final = 0.7
PLATE_NAMED: Final = 0.4
SUSPECT_SHARE: Final = 0.4
SUSPECT_NAMED: Final = 0.35
SECOND_FORM: Final = 0.05
SECTOR_UNKNOWN: Final = 0.05
CORROBORATED: Final = 0.4
TIP_CORROBORATED: Final = 0.15
ADVISED_WHEN_URGENT: Final = 0.5


class RecordMaker:
    """Writes records; each kind of choice has a stream of its own."""

    def __init__(self, *, events: Random, noise: Random, text: Random, junk: Junk, people: People, places: Places) -> None:
        self._rng = events
        self._noise = noise
        self._text = text
        self._junk = junk
        self._junk_ids = frozenset(place.place_id for place in junk.places)
        self._people = people
        self._places = places
        self._made = 0

    def record(self, event: Event, signal_id: str, today: date) -> Built:
        """Write the record of an event; ages are those of `today`, the publish day. It gets its reference later."""
        self._made += 1
        victims = self._victims(event, today)
        suspects = self._suspects(event, victims, today)
        record = self._frame(event)
        record["subjects"] = [_subject(f"s{n}", noted) for n, noted in enumerate([*victims, *suspects], start=1)]
        things = self._add_things(event, record)
        self._weigh(event, record, victims, today)
        texts = write_texts(self._text, event.form, record)
        record["narrative"], record["summary"] = texts.narrative, texts.summary
        noted_ids = [noted.person.person_id if noted else "" for noted in [*victims, *suspects]]
        persons = tuple((f"s{n}", person_id) for n, person_id in enumerate(noted_ids, start=1) if person_id)
        return Built(signal_id, event, today, _in_order(record), persons, things, texts.leaks)

    def _victims(self, event: Event, today: date) -> list[Noted | None]:
        noted = [note_person(self._noise, self._people.seen(person), today) for person in event.persons]
        # A record holds victims of one care class (R-VAL-20); a second one of the other class gets a record of its own.
        return [one for one in noted if one.is_minor(today) == noted[0].is_minor(today)]

    def _suspects(self, event: Event, victims: list[Noted | None], today: date) -> list[Noted | None]:
        rng = self._rng
        parent = next((noted.person for noted in victims if noted and noted.person.relation == "PARENT"), None)
        if parent:
            suspect = self._people.suspect(event.form, parent_of=parent)
            return [note_person(self._noise, self._people.seen(suspect), today)]
        if event.kind != "true" or not chance(rng, SUSPECT_SHARE):
            return []
        if event.network is None or not chance(rng, SUSPECT_NAMED):
            return [None]
        suspect = self._people.seen(rng.choice(event.network.members))
        return [note_person(self._noise, suspect, today)]

    def _frame(self, event: Event) -> Record:
        rng, profile = self._rng, PROFILES[event.form]
        last = event.received.date() - timedelta(days=rng.choice((0, 0, 1, 2, 5)))
        first = last - timedelta(days=rng.choice((0, 1, 3, 7, 14, 30, 60)))
        sector = event.network.sector if event.network else pick(rng, profile.sectors)
        second = [form for form in ("LABOUR", "SEXUAL") if event.form not in {form, "UNKNOWN"}]
        return {
            "synthetic": True,
            "local_ref": NO_REFERENCE,
            "municipality": event.municipality,
            "received_at": event.received.isoformat(),
            "observed": {"from": first.isoformat(), "to": last.isoformat()},
            "reporter": None if event.kind == "tip" else self._reporter(event.source),
            "reporter_source": event.source,
            "forms": {"primary": event.form, "secondary": second[:1] if chance(rng, SECOND_FORM) else []},
            "sector": "SECTOR_UNKNOWN" if chance(rng, SECTOR_UNKNOWN) else sector,
            "police_data": event.source in {"POLICE", "BORDER_POLICE"},
            **{name: [] for name in ("places", "plates", "accounts", "companies")},
        }

    def _reporter(self, source: str) -> Record:
        letter = self._rng.choice("ABCDEFGHJKLMNPRSTVWZ")
        phone = f"06-00009{self._rng.randrange(400, 1000)}"
        email = f"{letter.lower()}.voorbeeld@example.nl"
        return {"name": f"{letter}. Voorbeeld", "function": FUNCTIONS[source], "phone": phone, "email": email}

    def _add_things(self, event: Event, record: Record) -> tuple[tuple[str, str, int], ...]:
        found: list[tuple[str, str, int]] = []
        names_plate = self._names_plate(event)
        for place in self._places_of(event, 1.0 if event.kind == "tip" and not names_plate else PLACE_NAMED):
            if place.place_id not in self._junk_ids:
                found.append((place.place_id, "places", len(record["places"])))
            record["places"].append(note_place(self._noise, place))
        if event.network:
            found += self._means_of(event, record, 1.0 if names_plate else PLATE_NAMED)
        if record["subjects"] and not record["subjects"][0]["phone"] and touches_junk(self._rng):
            record["subjects"][0]["phone"] = note_phone(self._noise, self._rng.choice(self._junk.phones))
        return tuple(found)

    def _names_plate(self, event: Event) -> bool:
        """Say whether a tip about a network names a plate; each such tip names a place or a plate."""
        return event.kind == "tip" and event.network is not None and bool(event.network.plates) and chance(self._rng, 0.5)

    def _places_of(self, event: Event, share: float) -> list[Place]:
        rng = self._rng
        found = []
        if event.network and chance(rng, share):
            found.append(rng.choice(event.network.places))
        elif chance(rng, 0.5):
            found.append(self._places.place(pick(rng, PROFILES[event.form].places), event.municipality))
        if touches_junk(rng):
            found.append(rng.choice(self._junk.places))
        return found

    def _means_of(self, event: Event, record: Record, plate_share: float) -> list[tuple[str, str, int]]:
        """Add a plate, company and account of the network, each by its own chance; the value itself names the thing."""
        network, rng = event.network, self._rng
        if network is None:
            return []
        found = []
        shares = {
            "plates": (network.plates, plate_share),
            "companies": (network.companies, 0.4),
            "accounts": (network.accounts, 0.3),
        }
        for name, (values, share) in shares.items():
            if values and chance(rng, share):
                value = rng.choice(values)
                found.append((value, name, 0))
                record[name].append(self._noted_thing(name, value))
        return found

    def _noted_thing(self, name: str, value: str) -> object:
        if name == "plates":
            return {"plate": note_plate(self._noise, value), "country": "NL"}
        return note_account(self._noise, value) if name == "accounts" else value

    def _weigh(self, event: Event, record: Record, victims: list[Noted | None], today: date) -> None:
        rng, profile = self._rng, PROFILES[event.form]
        minors = any(noted.is_minor(today) for noted in victims if noted)
        record["corroborated"] = chance(rng, TIP_CORROBORATED if event.kind == "tip" else CORROBORATED)
        record["urgency"] = self._urgency(event, record, minors=minors)
        record["acts"] = some(rng, profile.acts, 1, 2)
        record["means"] = self._means(event, minors=minors)
        record["indicators"] = some(rng, profile.indicators, 1, 4)
        record["vulnerabilities"] = self._vulnerabilities(event, victims, today, minors=minors)
        record["estimated_victims"] = max(len(victims), poisson(rng, 2 if event.kind == "tip" else 1))
        record["care_needs"] = some(rng, profile.care_needs, 0, 3) if victims else []
        case = self._situation(event, record, victims, today)
        record["consent"], record["exchanges"] = consent_and_exchanges(rng, case)
        advised = record["urgency"] == "ACUTE" or (record["urgency"] == "URGENT" and chance(rng, ADVISED_WHEN_URGENT))
        record["emergency_advised_at"] = (event.received - timedelta(minutes=5)).isoformat() if advised else None

    def _urgency(self, event: Event, record: Record, *, minors: bool) -> str:
        drawn = pick(self._rng, URGENCY)
        if event.kind == "tip" and not record["corroborated"]:
            return drawn if drawn == "ACUTE" else "MONITOR"
        return "URGENT" if minors and drawn in {"REGULAR", "MONITOR"} else drawn

    def _means(self, event: Event, *, minors: bool) -> list[str]:
        seen = some(self._rng, PROFILES[event.form].means, 1, 2)
        hidden = chance(self._rng, 0.5 if minors else 0.15)
        if not hidden:
            return seen
        return [] if minors else ["MEANS_UNKNOWN"]

    def _vulnerabilities(self, event: Event, victims: list[Noted | None], today: date, *, minors: bool) -> list[str]:
        found = ["MINOR"] if minors else []
        ages = [noted.age(today) for noted in victims if noted]
        if any(age is not None and age < YOUNG_ADULT for age in ages) and chance(self._rng, 0.6):
            found.append("YOUTH")
        return [*found, *(some(self._rng, PROFILES[event.form].vulnerabilities, 0, 2) if victims else [])]

    def _situation(self, event: Event, record: Record, victims: list[Noted | None], today: date) -> Situation:
        first = victims[0] if victims else None
        return Situation(
            victims=len(victims),
            minors=first is not None and first.is_minor(today),
            age=first.age(today) if first and len(victims) == 1 else None,
            group=first.person.group if first else "NAT_UNKNOWN",
            relation=first.person.relation if first else None,
            urgency=record["urgency"],
            is_police=record["police_data"],
            received=event.received.date(),
            number=self._made,
        )


def _subject(ref: str, noted: Noted | None) -> Record:
    if noted is None:
        return _unknown_suspect(ref)
    person = noted.person
    role = "VICTIM" if person.relation else "SUSPECT"
    written = {
        "ref": ref,
        "role": role,
        "family_name": noted.family_name,
        "given_names": noted.given_names,
        "birth_date": noted.birth_date.isoformat() if noted.birth_date else None,
        "sex": person.sex,
        "nationality": person.nationality,
        "nationality_group": person.group,
        "bsn": noted.bsn,
        "phone": noted.phone,
        "relation": person.relation,
    }
    return written if noted.birth_date else {**written, "age_band": noted.age_band}


def _unknown_suspect(ref: str) -> Record:
    nothing = dict.fromkeys(("family_name", "given_names", "birth_date"))
    coded = {"sex": "SEX_UNKNOWN", "nationality": None, "nationality_group": "NAT_UNKNOWN"}
    return {
        "ref": ref,
        "role": "SUSPECT",
        **nothing,
        **coded,
        "bsn": None,
        "phone": None,
        "relation": None,
        "age_band": "AGE_UNKNOWN_ADULT",
    }


_ORDER: Final = (
    "synthetic local_ref municipality received_at observed reporter reporter_source corroborated forms sector urgency acts "
    "means indicators vulnerabilities subjects places plates accounts companies estimated_victims care_needs consent "
    "police_data exchanges narrative summary emergency_advised_at"
)


def _in_order(record: Record) -> Record:
    return {name: record[name] for name in _ORDER.split()}
