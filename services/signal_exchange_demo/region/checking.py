"""The self-checks of a written region: what must be true of every region, whatever its arguments."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from signal_exchange.domain.destinations import DESTINATIONS
from signal_exchange_demo.region.identifiers import passes_eleven_test
from signal_exchange_demo.region.keys import PREFIXES
from signal_exchange_demo.region.profiles import FORM_MIX
from signal_exchange_demo.region.reading import MANIFEST, Line, leaks_of, lines_of, manifest_of, rows_of
from signal_exchange_demo.region.writing import hash_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

SHOWN = 5
"""So many faults of one check are named."""
STANDARD_ERRORS = 4
SHORTEST_WORD, SHORTEST_NUMBER = 3, 4
_STAND_IN = re.compile("[0-9a-f]{32}")
_BSN = re.compile("9999[0-9]{5}")
_YEAR = re.compile("(19|20)[0-9]{2}")
"""A part of a number that looks like the year of a week, which every event holds."""


@dataclass(slots=True)
class Check:
    """One promise, how often it was looked at, and where it was not kept: by signal or file, never by value."""

    name: str
    looked_at: int = 0
    faults: list[str] = field(default_factory=list)
    fault_count: int = 0

    @property
    def holds(self) -> bool:
        """Say whether the promise was kept."""
        return not self.fault_count

    def look(self, where: str, *, kept: bool) -> None:
        """Count one look."""
        self.looked_at += 1
        if not kept:
            self.fault_count += 1
            self.faults += [where] if len(self.faults) < SHOWN else []

    def as_json(self) -> dict[str, Any]:
        """Return the check for a machine."""
        return {
            "check": self.name,
            "holds": self.holds,
            "looked_at": self.looked_at,
            "faults": self.fault_count,
            "at": self.faults,
        }


def check_region(folder: Path, told: Callable[[int, int], None] = lambda _done, _all: None) -> list[Check]:
    """Check a region that `generate` wrote; `told` hears how many of how many records were read.

    Raises:
        DemoError: the folder holds no region, or its files do not fit together at all.
    """
    manifest = manifest_of(folder)
    files = _files(folder, manifest)
    if not files.holds:
        return [files]
    lines = _Lines(folder)
    total = sum(manifest["counts"]["arrivals"].values())
    for number, line in enumerate(lines_of(folder), start=1):
        lines.look(line)
        if not number % 1000 or number == total:
            told(number, total)
    return [files, *lines.checks(), _forms(manifest), _routes(folder, lines), _reports(folder, lines)]


def _files(folder: Path, manifest: dict[str, Any]) -> Check:
    check = Check("every file is as the manifest says")
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    for name in sorted(found | set(manifest["files"])):
        check.look(name, kept=name in found and manifest["files"].get(name) == hash_of(folder / name))
    return check


def _forms(manifest: dict[str, Any]) -> Check:
    check = Check(f"signals per form lie within {STANDARD_ERRORS} standard errors of the mix")
    forms = manifest["counts"]["forms"]
    size = sum(forms.values())
    for form, share in FORM_MIX.items():
        error = math.sqrt(size * share * (1 - share))
        check.look(form, kept=abs(forms.get(form, 0) - size * share) <= STANDARD_ERRORS * error)
    check.looked_at += sum(form not in FORM_MIX for form in forms)
    return check


class _Lines:
    """Everything that is seen in one walk through the records."""

    def __init__(self, folder: Path) -> None:
        self._leaks = leaks_of(folder)
        self._joined = Check("records, events and truth_signals.csv speak of the same signals in the same order")
        self._accepted = Check("what leaves is accepted")
        self._bsns = Check("every BSN starts with 9999 and passes the eleven test")
        self._own = Check("no event holds a value of its record, and no stand-in is one")
        self._spans = Check("every leak lies in its narrative and holds what its record knows")
        self._apart = Check("no name, phone, plate or address of any record is a word of any event")
        self._said: set[str] = set()
        self._known: set[str] = set()
        self.versions: set[tuple[str, str]] = set()
        self.years = Counter[str]()

    def look(self, line: Line) -> None:
        row, record = line.row, line.record
        where = f"{row['signal_id']}.{row['version']}"
        kept = (record["municipality"], record["local_ref"]) == (row["municipality"], row["local_ref"])
        self._joined.look(where, kept=kept and (line.event is None or line.event["id"] == where))
        for subject in record["subjects"]:
            if subject["bsn"]:
                self._bsns.look(where, kept=bool(_BSN.fullmatch(subject["bsn"])) and passes_eleven_test(subject["bsn"]))
        values = list(_values(record))
        self._known |= {word for value in values for word in _words(value)}
        if line.event is not None:
            self._look_at_event(where, line.event, values)
            self.versions.add((row["signal_id"], row["version"]))
            self._accepted.look(where, kept=row["fate"] == "accepted")
            if row["kind"] == "new":
                self.years[row["published"][:4]] += 1
        if row["kind"] == "new":
            self._look_at_leaks(row["signal_id"], record)

    def _look_at_event(self, where: str, event: dict[str, Any], values: list[str]) -> None:
        text = json.dumps(_told(event), ensure_ascii=False)
        stand_ins = list(_stand_ins(event["data"]))
        kept = not any(value in text for value in values) and all(map(_STAND_IN.fullmatch, stand_ins))
        self._own.look(where, kept=kept and not set(stand_ins) & set(values))
        self._said |= set(re.findall(r"\w+", text.lower()))

    def _look_at_leaks(self, signal_id: str, record: dict[str, Any]) -> None:
        known = json.dumps({**record, "narrative": None}, ensure_ascii=False)
        narrative = record["narrative"]
        for start, end, kind in self._leaks.get(signal_id, ()):
            words = re.findall(r"[^\W\d_]+|\d+", narrative[start:end])
            self._spans.look(f"{signal_id} {kind}", kept=bool(words) and all(word in known for word in words))

    def checks(self) -> Iterator[Check]:
        self._apart.look("published.jsonl", kept=not self._said & self._known)
        yield from (self._joined, self._accepted, self._bsns, self._own, self._apart, self._spans)


def _told(event: dict[str, Any]) -> dict[str, Any]:
    """Leave out of an event what is random or says only who sent it when."""
    signal = {name: value for name, value in event["data"].items() if name not in ("signal_id", "objects", "municipality")}
    for name in ("subjects", "places"):
        signal[name] = [{key: value for key, value in each.items() if key != "link_values"} for each in signal[name]]
    return signal


def _stand_ins(signal: dict[str, Any]) -> Iterator[str]:
    carriers = (*signal["subjects"], *signal["places"], {"link_values": signal["objects"]})
    yield from (value["stands_for"] for carrier in carriers for value in carrier["link_values"])


def _values(record: dict[str, Any]) -> Iterator[str]:
    """Give the values that tell person or place: names, numbers, addresses."""
    for subject in record["subjects"]:
        yield from (subject[name] for name in ("family_name", "given_names", "bsn", "phone") if subject[name])
    for place in record["places"]:
        yield from (place[name] for name in ("street", "postcode", "bag_id") if place[name])
    yield from (plate["plate"] for plate in record["plates"])
    yield from (*record["accounts"], *record["companies"])


def _words(value: str) -> Iterator[str]:
    for word in re.findall(r"\w+", value.lower()):
        long_enough = len(word) >= (SHORTEST_NUMBER if word.isdigit() else SHORTEST_WORD)
        if long_enough and word not in PREFIXES and not _YEAR.fullmatch(word):
            yield word


def _routes(folder: Path, lines: _Lines) -> Check:
    check = Check("every version that leaves, and every end, has a decision for each destination")
    ended = {(row["signal_id"], row["version"]) for name in ("withdrawals.csv", "erasures.csv") for row in rows_of(folder, name)}
    found = Counter((row["signal_id"], row["version"]) for row in rows_of(folder, "truth_routes.csv"))
    wanted = lines.versions | ended
    for key in sorted(wanted | found.keys()):
        check.look(".".join(key), kept=found[key] == len(DESTINATIONS) and key in wanted)
    return check


def _reports(folder: Path, lines: _Lines) -> Check:
    check = Check("the reports of each year are the signals that left in it and were not withdrawn")
    withdrawn = {row["signal_id"] for row in rows_of(folder, "withdrawals.csv")}
    expected = lines.years - _years(folder, withdrawn)
    wanted = {"indicator": "I01_REPORTS", "area": "REGION", "class": "TOTAL"}
    rows = (row for row in rows_of(folder, "truth_statistics.csv") if wanted.items() <= row.items())
    found = {row["period"]: int(row["value"]) for row in rows if row["period"].isdigit()}
    for year in sorted(expected.keys() | found.keys()):
        check.look(year, kept=found.get(year, 0) == expected[year])
    return check


def _years(folder: Path, wanted: Iterable[str]) -> Counter[str]:
    chosen = set(wanted)
    rows = (row for row in rows_of(folder, "truth_signals.csv") if row["kind"] == "new" and row["signal_id"] in chosen)
    return Counter(row["published"][:4] for row in rows)
