"""The balance by the rules alone, from facts in memory (R-FLOW-01): for the picture, and to compare oversight with."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from signal_exchange.domain.figures.ledger import (
    ACCEPTED,
    GAPS_SHOWN,
    IN_FLIGHT,
    SIGNAL_STATES,
    VERDICTS,
    Checkpoint,
    Entry,
    Gap,
    Ledger,
    Number,
    Run,
    is_another,
)
from signal_exchange.domain.policy import Policy


def balance(
    entries: Iterable[Entry], checkpoints: Iterable[Checkpoint], *, now: datetime | None = None, policy: Policy | None = None
) -> Ledger:
    """Draw up the ledger from the facts in the order of the trace; without `now` nothing is overdue.

    A later fact about the same record moves its number, as parked after a retry to routed. A record about another
    signal or version under a used number is unattributed and leaves the first one's place alone.
    """
    placed, unattributed = _place(entries)
    named = list(checkpoints)
    announced = _announced(named)
    missing, late = _gaps(placed, announced), _gaps(placed, _announced(_old(named, now, policy or Policy())))
    counts = Counter(entry.verdict for entry in placed.values())
    counts[IN_FLIGHT] += sum(gap.numbers for gap in missing)
    signals = _signals(placed.values())
    return Ledger(
        sent=sum(announced.values()),
        early=sum(number[2] > announced.get(number[:2], 0) for number in placed),
        counts={verdict: counts[verdict] for verdict in VERDICTS},
        signals={state: signals[state] for state in SIGNAL_STATES},
        published=len({entry.signal_id for entry in placed.values()} - {None}),
        unattributed=unattributed,
        overdue=sum(gap.numbers for gap in late),
        gaps=tuple(late[:GAPS_SHOWN]),
    )


def _place(entries: Iterable[Entry]) -> tuple[dict[Number, Entry], int]:
    placed: dict[Number, Entry] = {}
    unattributed = 0
    for entry in entries:
        if entry.number is None or is_another(entry, placed.get(entry.number)):
            unattributed += 1
        else:
            placed[entry.number] = entry
    return placed, unattributed


def _announced(checkpoints: Sequence[Checkpoint]) -> dict[Run, int]:
    """Return the highest number of each run that was announced: never the numbers themselves, which a sender can make endless."""
    highest: dict[Run, int] = {}
    for named in checkpoints:
        run = (named.municipality, named.run)
        highest[run] = max(named.highest, highest.get(run, 0))
    return highest


def _old(checkpoints: Sequence[Checkpoint], now: datetime | None, policy: Policy) -> list[Checkpoint]:
    patience = timedelta(minutes=policy.missing_number_minutes)
    return [named for named in checkpoints if now is not None and now - named.at > patience]


def _gaps(placed: Iterable[Number], announced: Mapping[Run, int]) -> list[Gap]:
    taken: dict[Run, list[int]] = {}
    for *run, sequence in placed:
        taken.setdefault((run[0], run[1]), []).append(sequence)
    return [
        Gap(*run, first, last)
        for run, highest in sorted(announced.items())
        for first, last in gaps_between(((number, number) for number in sorted(taken.get(run, []))), highest)
    ]


def gaps_between(ranges: Iterable[tuple[int, int]], highest: int) -> Iterator[tuple[int, int]]:
    """Give the first and last number of each gap that sorted ranges leave in 1 to `highest`; ranges may overlap."""
    following = 1
    for first, last in ranges:
        if following < first and following <= highest:
            yield following, min(first - 1, highest)
        following = max(following, last + 1)
    if following <= highest:
        yield following, highest


def _signals(placed: Iterable[Entry]) -> Counter[str]:
    """Give each signal its place: that of its highest accepted version, else of its highest version."""
    best: dict[str, tuple[bool, int, str]] = {}
    for entry in placed:
        if entry.signal_id is not None:
            verdict = entry.verdict if entry.verdict in SIGNAL_STATES else IN_FLIGHT
            rank = (verdict in ACCEPTED, entry.version, verdict)
            best[entry.signal_id] = max(rank, best.get(entry.signal_id, rank))
    return Counter(state for _, _, state in best.values())
