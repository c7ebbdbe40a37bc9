"""Summaries that may leave, and narratives with personal values whose places are known."""

from dataclasses import dataclass, field
from random import Random
from typing import Final

from signal_exchange.demo.region.model import Record
from signal_exchange.demo.region.phrases import CLOSINGS, LOOK_ALIKES, OBSERVATIONS, SLOTS, SUBJECTS, TIP_OPENING
from signal_exchange.demo.region.streams import chance, some

SLOTS_SHARE: Final = 0.35
LOOK_ALIKE_SHARE: Final = 0.25

Span = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Texts:
    """The two texts of a record, and the spans (start, end, leak type) of personal values in the narrative."""

    summary: str
    narrative: str = field(repr=False)
    leaks: tuple[Span, ...]


def write_texts(rng: Random, form: str, record: Record) -> Texts:
    """Write summary and narrative for a record that has its subjects, places and objects."""
    opening = [TIP_OPENING] if record["reporter_source"] == "ANONYMOUS_TIP" else []
    clean = [*opening, rng.choice(SUBJECTS[form]) + ".", *some(rng, OBSERVATIONS, 1, 2), rng.choice(CLOSINGS)]
    if form == "UNKNOWN":
        clean = clean[:-1]
    slots = _slots(rng, record) if chance(rng, SLOTS_SHARE) else []
    extra = [rng.choice(LOOK_ALIKES)] if chance(rng, LOOK_ALIKE_SHARE) else []
    narrative, leaks = _narrative(rng, [*clean, *extra], slots)
    return Texts(" ".join(clean), narrative, leaks)


def _slots(rng: Random, record: Record) -> list[tuple[str, str]]:
    known = [*_of_subjects(record), *_of_things(record)]
    return some(rng, known, 1, 3) if known else []


def _of_subjects(record: Record) -> list[tuple[str, str]]:
    found = []
    for subject in record["subjects"]:
        if subject["family_name"]:
            found.append(("NAME", f"{subject['given_names']} {subject['family_name']}"))
        if subject["phone"]:
            found.append(("PHONE", subject["phone"]))
        if subject["birth_date"]:
            found.append(("DOB", "-".join(reversed(subject["birth_date"].split("-")))))
    return found


def _of_things(record: Record) -> list[tuple[str, str]]:
    addresses = [("ADDRESS", f"{place['street']} {place['number']}{place['addition']}") for place in record["places"]]
    plates = [("PLATE", plate["plate"]) for plate in record["plates"]]
    return [*addresses, *plates, *(("IBAN", account) for account in record["accounts"])]


def _narrative(rng: Random, sentences: list[str], slots: list[tuple[str, str]]) -> tuple[str, tuple[Span, ...]]:
    text, spans = " ".join(sentences), []
    for leak_type, value in slots:
        before, after = rng.choice(SLOTS[leak_type]).split("{}")
        start = len(text) + 1 + len(before)
        spans.append((start, start + len(value), leak_type))
        text = f"{text} {before}{value}{after}"
    return text, tuple(spans)
