"""Which signals may belong together: kinds of shared values, and values that are too frequent to say anything (R-LINK)."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from signal_exchange.domain.links.epochs import epoch_of, epoch_start
from signal_exchange.domain.policy import Policy

SAME_PERSON, SHARED_CONTEXT = "SAME_PERSON", "SHARED_CONTEXT"
PERSON_TYPES: Final = frozenset({"BSN", "NAME_DOB", "NAME_DOB_SOFT"})
COMMON: Final = "COMMON"
"""Frequency class of a value above the cap: "veelvoorkomend"."""
_CLASSES: Final = ((2, "2"), (5, "3-5"), (10, "6-10"))
_LINK_NAMESPACE: Final = uuid.UUID("b7a7a0b2-4d0e-5a5c-9f64-3c1d6f0e9a21")
_LONGEST_HALF: Final = timedelta(days=185)

Pair = tuple[str, str]
"""Two signal ids, the smaller one first."""


@dataclass(frozen=True, slots=True, order=True)
class Holder:
    """A signal that holds, or once held, a value; they order as their first versions were appended."""

    appended_at: datetime
    signal_id: str


def kind_of(key_type: str) -> str:
    """Give the kind of link that a shared value of this type proposes (R-LINK-02)."""
    return SAME_PERSON if key_type in PERSON_TYPES else SHARED_CONTEXT


def cap_of(key_type: str, policy: Policy) -> int:
    """Give the number of signals above which a value of this type proposes nothing more (R-LINK-03)."""
    caps = {"NAME_DOB_SOFT": policy.link_cap_soft, "KVK": policy.link_cap_kvk}
    caps |= dict.fromkeys(("ADDRESS_PC", "ADDRESS_BAG"), policy.link_cap_address)
    return caps.get(key_type, policy.link_cap)


def proposing(holders: Iterable[Holder], cap: int) -> frozenset[str]:
    """Give the signals among which a value proposes pairs: the first ones, by append time of version 1 (R-LINK-03)."""
    return frozenset(holder.signal_id for holder in sorted(set(holders))[:cap])


def pair_of(one: str, other: str) -> Pair:
    """Give two signal ids as a pair."""
    return (one, other) if one < other else (other, one)


def link_id(pair: Pair, kind: str) -> str:
    """Give the id of the link of a pair: the same whoever finds it and however often."""
    return str(uuid.uuid5(_LINK_NAMESPACE, f"{pair[0]}:{pair[1]}:{kind}"))


def frequency_class(counts: Collection[int], *, common: bool) -> str:
    """Give the frequency of the most frequent shared value, as a class (R-LINK-05)."""
    highest = max(counts, default=0)
    if common:
        return COMMON
    return next((name for limit, name in _CLASSES if highest <= limit), "MORE")


def last_day_of(epoch: str, policy: Policy) -> date:
    """Give the last day on which a value of an epoch can still propose: the tokens must be renewed by then (R-LINK-04)."""
    start = epoch_start(epoch)
    if start is None:
        raise ValueError("no epoch")
    following = epoch_start(epoch_of(start + _LONGEST_HALF))
    return (following or start) + timedelta(days=policy.epoch_overlap_days - 1)
