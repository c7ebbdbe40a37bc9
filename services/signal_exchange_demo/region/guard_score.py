"""The score of the leak guard on the leaks in the narratives of a region (R-LEAK-04)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Any

from signal_exchange.privacy.leak_guard import Finding, check_text
from signal_exchange_demo.region.reading import Line, leaks_of, lines_of, manifest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

Z = 1.959964
"""Of a 95% interval."""
NAME = "NAME"
NUMBER_RECALL, NAME_RECALL, FALSE_ALARMS_PER_100 = 0.98, 0.95, 5.0
"""What a release needs (R-LEAK-04)."""
Span = tuple[int, int, str]


@dataclass(slots=True)
class GuardScore:
    """The numbers of leaks that were planted and found, per leak type, in so many texts."""

    planted: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)
    false_alarms: Counter[str] = field(default_factory=Counter)
    texts: int = 0

    def add(self, record: Mapping[str, Any], leaks: Sequence[Span]) -> None:
        """Let the guard look at both texts of a record whose leaks are known."""
        narrative = record["narrative"]
        found = check_text(narrative, record)
        self.texts += 2
        self.planted.update(kind for _, _, kind in leaks)
        self.caught.update(kind for start, end, kind in leaks if _is_covered(narrative, start, end, found))
        self.false_alarms.update(each.type for each in found if not any(_overlap(each, leak) for leak in leaks))
        self.false_alarms.update(each.type for each in check_text(record["summary"], record))

    def as_json(self) -> dict[str, Any]:
        """Return the figures per type and together, each share with its 95% interval (Wilson)."""
        kinds = sorted(self.planted.keys() | self.false_alarms.keys())
        numbers = [kind for kind in self.planted if kind != NAME]
        together = {"numbers": self._share(numbers), "names": self._share([NAME])}
        alarms = self.false_alarms.total()
        return {
            "texts": self.texts,
            "types": {kind: {**self._share([kind]), "false_alarms": self.false_alarms[kind]} for kind in kinds},
            **together,
            "false_alarms_per_100_texts": round(100 * alarms / self.texts, 2) if self.texts else None,
            "fit_for_release": self._is_fit(),
        }

    def _share(self, kinds: Sequence[str]) -> dict[str, Any]:
        caught, planted = (sum(counts[kind] for kind in kinds) for counts in (self.caught, self.planted))
        recall = round(caught / planted, 4) if planted else None
        return {"planted": planted, "caught": caught, "recall": recall, "interval": wilson(caught, planted)}

    def _is_fit(self) -> bool:
        numbers, names = self._share([kind for kind in self.planted if kind != NAME])["recall"], self._share([NAME])["recall"]
        alarms = self.false_alarms.total() <= FALSE_ALARMS_PER_100 * self.texts / 100
        return alarms and (numbers or 0) >= NUMBER_RECALL and (names or 0) >= NAME_RECALL


def wilson(part: int, whole: int) -> tuple[float, float] | None:
    """Give the 95% interval of a share by Wilson's score; None of nothing."""
    if not whole:
        return None
    share, spread = part / whole, Z * Z / whole
    middle, width = share + spread / 2, Z * sqrt(share * (1 - share) / whole + spread / (4 * whole))
    return round(max(0.0, (middle - width) / (1 + spread)), 4), round(min(1.0, (middle + width) / (1 + spread)), 4)


def score_guard(folder: Path, told: Callable[[int, int], None] = lambda _done, _all: None) -> GuardScore:
    """Measure the guard on a written region; `told` hears how many of how many records were read.

    Raises:
        DemoError: the folder holds no region.
    """
    score, leaks = GuardScore(), leaks_of(folder)
    total = sum(manifest_of(folder)["counts"]["arrivals"].values())
    for number, line in enumerate(lines_of(folder), start=1):
        if _counts(line):
            score.add(line.record, leaks.get(line.row["signal_id"], ()))
        if not number % 100 or number == total:
            told(number, total)
    return score


def _counts(line: Line) -> bool:
    return line.row["kind"] == "new"


def _is_covered(text: str, start: int, end: int, found: Sequence[Finding]) -> bool:
    letters = (place for place in range(start, end) if text[place].isalnum())
    return all(any(each.start <= place < each.end for each in found) for place in letters)


def _overlap(finding: Finding, leak: Span) -> bool:
    return finding.start < leak[1] and leak[0] < finding.end
