"""The noise in the notes about a person or a thing: the true value, with the slips of daily work."""

import re
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Final

from signal_exchange_demo.region.networks import Place
from signal_exchange_demo.region.people import ADULT, Person, age_on
from signal_exchange_demo.region.streams import chance

BSN_MISSING: Final = 0.40
LETTER_EDIT: Final = 0.10
TRANSLITERATION: Final = 0.10
PREFIX_LOST: Final = 0.15
GIVEN_CHANGED: Final = 0.15
DAY_AND_MONTH_SWAPPED: Final = 0.03
YEAR_OFF: Final = 0.02
BIRTH_UNKNOWN: Final = 0.10
PHONE_VARIANT: Final = 0.60
PHONE_WRONG: Final = 0.03
ADDITION_LOST: Final = 0.20
ADDRESS_SPACED: Final = 0.30
_SPELLINGS: Final = (("ü", "ue"), ("ij", "y"), ("cz", "tsch"), ("ow", "ov"), ("ș", "s"), ("ou", "u"), ("ks", "x"), ("w", "v"))
_BANDS: Final = ((12, "AGE_0_11"), (16, "AGE_12_15"), (18, "AGE_16_17"), (23, "AGE_18_22"), (30, "AGE_23_29"), (45, "AGE_30_44"))


@dataclass(frozen=True, slots=True)
class Noted:
    """A person as one reporter noted them; the band stands where the birth date is unknown."""

    person: Person
    family_name: str = field(repr=False)
    given_names: str = field(repr=False)
    birth_date: date | None = field(repr=False)
    age_band: str | None
    bsn: str | None = field(repr=False)
    phone: str | None = field(repr=False)

    def age(self, day: date) -> int | None:
        """Give the noted age on a day; None when only a band is known."""
        return None if self.birth_date is None else age_on(self.birth_date, day)

    def is_minor(self, day: date) -> bool:
        """Say whether the noted person counts as a minor on a day; in doubt they do (R-VAL-07)."""
        age = self.age(day)
        if age is not None:
            return age < ADULT
        return self.age_band in {"AGE_0_11", "AGE_12_15", "AGE_16_17", "AGE_UNKNOWN_MAYBE_MINOR"}


def note_person(rng: Random, person: Person, day: date) -> Noted:
    """Note a person down on a day, each slip by its own chance."""
    born = _noted_birth(rng, person.birth_date, day)
    return Noted(
        person=person,
        family_name=_noted_family(rng, person.family_name),
        given_names=_noted_given(rng, person.given_names),
        birth_date=born,
        age_band=None if born else _noted_band(rng, age_on(person.birth_date, day)),
        bsn=None if chance(rng, BSN_MISSING) else person.bsn,
        phone=note_phone(rng, person.phone) if person.phone else None,
    )


def _noted_family(rng: Random, name: str) -> str:
    prefix, _, last = name.rpartition(" ")
    if chance(rng, LETTER_EDIT):
        last = _one_letter_off(rng, last)
    if chance(rng, TRANSLITERATION):
        last = _respelt(last)
    if not prefix or not chance(rng, PREFIX_LOST):
        return f"{prefix} {last}".strip()
    return last if chance(rng, 0.5) else f"{last} {prefix}"


def _one_letter_off(rng: Random, name: str) -> str:
    at = rng.randrange(1, len(name))
    return name[:at] + rng.choice(("", name[at] * 2, rng.choice("aeiknrst"))) + name[at + 1 :]


def _respelt(name: str) -> str:
    for usual, other in _SPELLINGS:
        if usual in name:
            return name.replace(usual, other, 1)
    return name


def _noted_given(rng: Random, names: str) -> str:
    if not chance(rng, GIVEN_CHANGED):
        return names
    first, _, second = names.partition(" ")
    return second or first[:4]


def _noted_birth(rng: Random, born: date, day: date) -> date | None:
    swapped, off, unknown = (chance(rng, share) for share in (DAY_AND_MONTH_SWAPPED, YEAR_OFF, BIRTH_UNKNOWN))
    year_after = rng.choice((-1, 1))
    if unknown:
        return None
    if swapped and born.day <= 12:  # noqa: PLR2004 - a month
        return born.replace(month=born.day, day=born.month)
    if off and (born.month, born.day) != (2, 29) and born.year + year_after < day.year:
        return born.replace(year=born.year + year_after)
    return born


def _noted_band(rng: Random, age: int) -> str:
    known = next((band for below, band in _BANDS if age < below), "AGE_45_64")
    if chance(rng, 0.4):
        return known
    in_doubt = age < ADULT or (age < 23 and chance(rng, 0.3))  # noqa: PLR2004 - the young adult band
    return "AGE_UNKNOWN_MAYBE_MINOR" if in_doubt else "AGE_UNKNOWN_ADULT"


def note_phone(rng: Random, phone: str) -> str:
    """Note a phone number in one of the usual ways, rarely with a wrong last digit."""
    if chance(rng, PHONE_WRONG):
        phone = phone[:-1] + str((int(phone[-1]) + 1) % 10)
    if not chance(rng, PHONE_VARIANT):
        return phone
    digits = re.sub(r"[^0-9]", "", phone)
    if phone.startswith("+"):
        return rng.choice((f"+{digits}", f"00{digits}"))
    return rng.choice((digits, f"+31{digits[1:]}", f"0031 {digits[1:2]} {digits[2:]}", f"06 {digits[2:6]} {digits[6:]}"))


def note_plate(rng: Random, plate: str) -> str:
    """Note a licence plate with hyphens, with spaces, or as it was heard."""
    return rng.choice((plate, plate, plate.replace("-", " "), plate.replace("-", "").lower()))


def note_account(rng: Random, account: str) -> str:
    """Note an account number with or without spaces."""
    return rng.choice((account, account.replace(" ", "")))


def note_place(rng: Random, place: Place) -> dict[str, str | None]:
    """Note an address, sometimes without its addition or with odd spaces."""
    addition = "" if chance(rng, ADDITION_LOST) else place.addition
    postcode, number = place.postcode, place.number
    if chance(rng, ADDRESS_SPACED):
        postcode, number, addition = postcode.replace(" ", "").lower(), f"{number} {addition}".strip(), ""
    noted = {"kind": place.kind, "postcode": postcode, "number": number, "addition": addition}
    return {**noted, "street": place.street, "bag_id": place.bag_id}
