"""The invented persons of the region."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from signal_exchange_demo.region.identifiers import Numbers
from signal_exchange_demo.region.names import draw_name
from signal_exchange_demo.region.profiles import MINOR_SHARE, NATIONALITIES, PROFILES, REGISTERED_SHARE
from signal_exchange_demo.region.streams import chance, pick

ADULT = 18
NEW_YEAR_SHARE = 0.12
"""Share of persons registered with 1 January as birth date, which linking bars (R-LINK-07)."""
PHONE_SHARE = 0.7
PARENT_SHARE = 0.25
YOUNGEST = {"CRIMINAL": 12, "SEXUAL": 13}


@dataclass(frozen=True, slots=True)
class Person:
    """A person as they truly are; the form is empty for who is no victim of trafficking."""

    person_id: str
    form: str
    family_name: str = field(repr=False)
    given_names: str = field(repr=False)
    birth_date: date = field(repr=False)
    sex: str
    group: str
    nationality: str
    relation: str | None
    is_registered: bool
    is_reachable: bool
    bsn: str | None = field(repr=False, default=None)
    phone: str | None = field(repr=False, default=None)

    def is_minor(self, day: date) -> bool:
        """Say whether the person is under 18 on a day (R-VAL-07)."""
        return age_on(self.birth_date, day) < ADULT


def age_on(born: date, day: date) -> int:
    """Give the age in whole years; born on 29 February has a birthday on 1 March (R-VAL-07)."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


class People:
    """Makes persons, one after another, from one stream. Who is adult is so on the first day, who is minor still on the last."""

    def __init__(self, rng: Random, numbers: Numbers, first_day: date, last_day: date) -> None:
        self._rng = rng
        self._numbers = numbers
        self._first_day, self._last_day = first_day, last_day
        self._count = 0
        self.made: dict[str, Person] = {}
        self._seen: set[str] = set()

    def forget(self) -> None:
        """Forget everybody made so far; their numbers stay taken."""
        self.made.clear()
        self._seen.clear()

    def victim(self, form: str) -> Person:
        """Make a true victim of a form, by the shares of that form."""
        return self._subject(form, form)

    def somebody(self, form: str) -> Person:
        """Make a person in a false signal: looks like a victim of the form and is none."""
        return self._subject(form, "")

    def suspect(self, form: str, *, is_minor: bool = False, parent_of: Person | None = None) -> Person:
        """Make an offender; a parent has the child's family name."""
        profile = PROFILES[form]
        ages = (15, 17) if is_minor else (34, 52) if parent_of else (20, 60)
        group = parent_of.group if parent_of else pick(self._rng, profile.groups)
        sex = pick(self._rng, {"M": 0.75, "F": 0.25})
        family = parent_of.family_name if parent_of else None
        return self._made_up("", group, sex, ages, relation=None, family_name=family)

    def seen(self, person: Person) -> Person:
        """Give a person with BSN and phone; most victims stay unseen and would only use the numbers up."""
        if person.person_id not in self._seen:
            self._seen.add(person.person_id)
            bsn = self._numbers.bsn() if person.is_registered else None
            phone = self._numbers.phone(person.group) if person.is_reachable else None
            self.made[person.person_id] = replace(person, bsn=bsn, phone=phone)
        return self.made[person.person_id]

    def _subject(self, form: str, true_form: str) -> Person:
        profile, rng = PROFILES[form], self._rng
        is_minor = chance(rng, MINOR_SHARE.get(form, 0.0))
        ages = (YOUNGEST.get(form, 15), 17) if is_minor else profile.adult_ages
        relation = pick(rng, profile.relations)
        if is_minor and form == "CRIMINAL" and chance(rng, PARENT_SHARE):
            relation = "PARENT"
        return self._made_up(true_form, pick(rng, profile.groups), pick(rng, profile.sex), ages, relation=relation)

    def _made_up(
        self, form: str, group: str, sex: str, ages: tuple[int, int], *, relation: str | None, family_name: str | None = None
    ) -> Person:
        family, given = draw_name(self._rng, group)
        self._count += 1
        person = Person(
            person_id=f"P{self._count:06d}",
            form=form,
            family_name=family_name or family,
            given_names=given,
            birth_date=self._birth_date(*ages),
            sex=sex,
            group=group,
            nationality=self._rng.choice(NATIONALITIES[group]),
            relation=relation,
            is_registered=chance(self._rng, REGISTERED_SHARE[group]),
            is_reachable=chance(self._rng, PHONE_SHARE),
        )
        self.made[person.person_id] = person
        return person

    def _birth_date(self, youngest: int, oldest: int) -> date:
        age = self._rng.randint(youngest, oldest)
        day = self._last_day if age < ADULT else self._first_day
        born = years_before(day, age) - timedelta(days=self._rng.randrange(365))
        at_new_year = born.replace(month=1, day=1)
        keeps_age_class = (age_on(at_new_year, day) < ADULT) == (age < ADULT)
        return at_new_year if chance(self._rng, NEW_YEAR_SHARE) and keeps_age_class else born


def years_before(day: date, years: int) -> date:
    """Give the same day some years earlier; 29 February becomes 28 February."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - years, day=28 if is_leap_day else day.day)
