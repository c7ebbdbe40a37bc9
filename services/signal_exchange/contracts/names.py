"""Which texts are names of the catalogue: topics and groups, which everybody who sees a log may know."""

from __future__ import annotations

import re

from signal_exchange.contracts.topics import catalogue

_SHARED = frozenset(topic.name for topic in catalogue(()).topics) | frozenset(catalogue(()).principals)
_OF_A_MUNICIPALITY = re.compile(r"(feedback\.|municipality-)gm[0-9]{4}", re.ASCII)


def is_name(text: str) -> bool:
    """Say whether a text is the name of a topic or a group in the catalogue of any region."""
    return text in _SHARED or _OF_A_MUNICIPALITY.fullmatch(text) is not None
