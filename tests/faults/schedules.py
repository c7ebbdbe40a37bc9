"""Random fault schedules: what breaks when, for how long, drawn from a seed so that every run can be run again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

LATEST_SECONDS = 6.0
LONGEST_SECONDS = 5.0


class Kind(StrEnum):
    """What can happen to a process, to its store, or to Kafka."""

    KILL = "kill"
    TERM = "term"
    FREEZE = "freeze"
    LOCK_STORE = "lock-store"
    FULL_DISK = "full-disk"
    SECOND_WORKER = "second-worker"
    KILL_BROKER = "kill-broker"
    STOP_BROKER = "stop-broker"


_OF_BROKER = frozenset({Kind.KILL_BROKER, Kind.STOP_BROKER})
_WEIGHTS = {kind: 1 if kind in _OF_BROKER else 3 for kind in Kind}
_ONLY_CONSUMERS = frozenset({Kind.SECOND_WORKER})


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault: from `at` seconds after the start, for `lasts` seconds, to one process (Kafka has no name)."""

    at: float
    lasts: float
    kind: Kind
    target: str

    @property
    def heals_at(self) -> float:
        """Return when it is over, in seconds after the start."""
        return self.at + self.lasts

    def __str__(self) -> str:
        return f"{self.at:.1f}-{self.heals_at:.1f} s {self.kind} {self.target or 'kafka'}"


def schedule(seed: int, consumers: Sequence[str], nodes: Sequence[str]) -> tuple[Fault, ...]:
    """Draw two to five faults; no process and no broker has two at the same time."""
    drawn = Random(seed)  # noqa: S311 - a schedule that can be run again, no secret
    chosen: list[Fault] = []
    for _ in range(drawn.randint(2, 5)):
        fault = _draw(drawn, consumers, nodes)
        if not any(_meet(fault, other) for other in chosen):
            chosen.append(fault)
    return tuple(sorted(chosen))


def _draw(drawn: Random, consumers: Sequence[str], nodes: Sequence[str]) -> Fault:
    [kind] = drawn.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
    targets = ("",) if kind in _OF_BROKER else consumers if kind in _ONLY_CONSUMERS else (*consumers, *nodes)
    at, lasts = round(drawn.uniform(0, LATEST_SECONDS), 1), round(drawn.uniform(0.5, LONGEST_SECONDS), 1)
    return Fault(at, lasts, kind, drawn.choice(list(targets)))


def _meet(one: Fault, other: Fault) -> bool:
    overlap = one.at <= other.heals_at + 1 and other.at <= one.heals_at + 1
    return one.target == other.target and overlap
