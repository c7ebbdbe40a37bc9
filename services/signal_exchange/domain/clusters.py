"""Which signals are one item: connected by confirmed links (R-AGENDA-03)."""

from collections.abc import Iterable, Mapping
from datetime import datetime


def clusters(open_signals: Iterable[str], confirmed_links: Iterable[tuple[str, str]]) -> tuple[frozenset[str], ...]:
    """Give the connected components of open signals, ordered by their smallest id; a lone signal is its own cluster.

    A link to a signal that is not open connects nothing.
    """
    part_of = {signal: {signal} for signal in open_signals}
    for one, other in confirmed_links:
        if one in part_of and other in part_of and part_of[one] is not part_of[other]:
            joined = part_of[one] | part_of[other]
            part_of.update(dict.fromkeys(joined, joined))
    return tuple(sorted({frozenset(part) for part in part_of.values()}, key=min))


def keeps_name(parts: Iterable[frozenset[str]], appended: Mapping[str, datetime]) -> frozenset[str]:
    """Give the part that keeps the shown cluster id after a split: the one with the oldest signal."""
    return min(parts, key=lambda part: min((appended[signal], signal) for signal in part))
