"""Which signals are one item: connected by confirmed links (R-AGENDA-03)."""

from collections.abc import Callable, Iterable, Mapping
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


def names_of(
    parts: Iterable[frozenset[str]],
    named: Mapping[str, str],
    appended: Mapping[str, datetime],
    mint: Callable[[frozenset[str]], str],
) -> dict[frozenset[str], str]:
    """Give each part its shown id, minted for it where there is none; a lone member without one gets none.

    `named` is the id that members had. After a split the part with the oldest member keeps it; when parts with ids become
    one, the id of the oldest member that brings one stays.
    """
    claims: dict[frozenset[str], dict[str, tuple[datetime, str]]] = {part: {} for part in parts}
    part_of = {member: part for part in claims for member in part}
    oldest: dict[str, str] = {}
    for member in sorted(named.keys() & part_of.keys(), key=lambda each: (appended[each], each)):
        oldest.setdefault(named[member], member)
    for name, member in oldest.items():
        claims[part_of[member]][name] = (appended[member], member)
    kept = {part: min(names, key=names.__getitem__) for part, names in claims.items() if names}
    return kept | {part: mint(part) for part in sorted(claims, key=min) if part not in kept and len(part) > 1}
