"""Summaries that may leave, and narratives with personal values whose places are known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from signal_exchange_demo.region.model import Record
from signal_exchange_demo.region.phrases import CLOSINGS, FRAMES, LOOK_ALIKES, OBSERVATIONS, SLOTS, SUBJECTS, TIP_OPENING
from signal_exchange_demo.region.streams import chance, some

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
    parts = {
        "subject": rng.choice(SUBJECTS[form]) + ".",
        "seen": " ".join(some(rng, OBSERVATIONS, 1, 2)),
        "closing": rng.choice(CLOSINGS) if form != "UNKNOWN" else "",
        "look_alike": rng.choice(LOOK_ALIKES) if chance(rng, LOOK_ALIKE_SHARE) else "",
    }
    slots = _slots(rng, record) if chance(rng, SLOTS_SHARE) else []
    narrative, leaks = _narrative(rng, opening, parts, slots)
    return Texts(" ".join(filter(None, [*opening, parts["subject"], parts["seen"], parts["closing"]])), narrative, leaks)


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


def _narrative(
    rng: Random, opening: list[str], parts: Mapping[str, str], slots: list[tuple[str, str]]
) -> tuple[str, tuple[Span, ...]]:
    """Put the parts in the order of a frame, and remember where the values of the slots stand."""
    sentences = list(opening)
    spans: list[Span] = []
    for name in rng.choice(FRAMES):
        if name != "slots":
            sentences += filter(None, [parts[name]])
            continue
        for leak_type, value in slots:
            before, after = rng.choice(SLOTS[leak_type]).split("{}")
            start = sum(len(sentence) + 1 for sentence in sentences) + len(before)
            spans.append((start, start + len(value), leak_type))
            sentences.append(f"{before}{value}{after}")
    return " ".join(sentences), tuple(spans)
