"""Which fields of a record differ from the version before: their names, never what stands in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def without_empty(value: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """Leave out what says nothing, so that absent, null and empty are the same content, from whichever format it came."""
    if isinstance(value, Mapping):
        kept = {name: without_empty(each) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each not in (None, "", [], {})}
    return [without_empty(each) for each in value] if isinstance(value, list) else value


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields that differ, as (`urgency`, `subjects[0].family_name`), in the order of their names."""
    return tuple(sorted(set(_differing(without_empty(before), without_empty(after), ""))))


def _differing(before: Any, after: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - JSON in
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in {*before, *after}:
            yield from _differing(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif _is_groups(before) and _is_groups(after):
        for index in range(max(len(before), len(after))):
            old, new = (each[index] if index < len(each) else None for each in (before, after))
            yield from _differing(old, new, f"{path}[{index}]")
    elif before != after:
        yield path


def _is_groups(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, Mapping) for each in value)
