"""R-VAL for the things that never travel in the clear: the municipal record and the link tokens."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.links.epochs import epoch_of, epoch_start, previous_epoch
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.signals.coded import ANONYMOUS_TIP
from signal_exchange.domain.signals.drafts import births
from signal_exchange.domain.signals.shape import Reading, to_date
from signal_exchange.domain.signals.shapes import MUNICIPAL_RECORD
from signal_exchange.domain.signals.violations import Violation, violation
from signal_exchange.domain.signals.windows import windows_left

_TOKEN: Final = re.compile(r"[0-9a-f]{32}")
_TOKEN_BYTES: Final = 16
_REPORTER_TRACES: Final = ("reporter", "ip", "ip_address", "device", "device_id", "channel_id", "user_agent")


def validate_inside(
    record: Mapping[str, object], *, day: date, policy: Policy, guard_is_fresh: bool = True
) -> tuple[Violation, ...]:
    """Judge a municipal record by what only its municipality can check, on the day it would be published.

    Types and unknown fields (R-VAL-22, R-VAL-17), the summary's length (R-VAL-15), exact dates (R-VAL-06, R-VAL-07), values
    that cannot be on that day (R-VAL-24), nothing of the reporter of an anonymous tip (R-VAL-09), and a guard result that is not
    older than the text (R-VAL-13). The coded signal made from it is judged by `validate`. Never raises.
    """
    found = Reading()
    MUNICIPAL_RECORD.read(record, "", found)
    if found.types:
        return tuple(found.types)
    broken = [
        *_dates(record, day),
        *_anonymous(record),
        *(() if guard_is_fresh else (violation("guard", "V13_GUARD"),)),
        *_summary(record, policy),
        *windows_left(record, day, policy),
        *(violation(path, "V17_UNKNOWN_FIELD") for path in found.unknown),
    ]
    return tuple(sorted(broken, key=lambda found: found.code))


def _dates(record: Mapping[str, object], day: date) -> Iterator[Violation]:
    observed = record.get("observed")
    if isinstance(observed, Mapping):
        first, last = to_date(observed.get("from")), to_date(observed.get("to"))
        if first is not None and last is not None and first > last:
            yield violation("observed.from", "V06_PERIOD")
    yield from (violation(f"{path}.birth_date", "V07_AGE") for path, _, born in births(record) if born > day)


def _anonymous(record: Mapping[str, object]) -> Iterator[Violation]:
    if record.get("reporter_source") == ANONYMOUS_TIP:
        yield from (violation(name, "V09_ANONYMOUS") for name in _REPORTER_TRACES if record.get(name))


def _summary(record: Mapping[str, object], policy: Policy) -> Iterator[Violation]:
    summary = record.get("summary")
    if isinstance(summary, str) and len(summary) > policy.summary_max_points:
        yield violation("summary", "V15_SIZE")


@dataclass(frozen=True, slots=True)
class LinkToken:
    """A link token as it was opened; `carrier` is as subject:s1, place:0 or object:0, `token` bytes or hex."""

    carrier: str
    type: str
    epoch: str
    token: bytes | str = field(repr=False)

    @property
    def group(self) -> str:
        """Give the group in which a token may stand only once: its subject, its place, or all objects together."""
        return "objects" if self.carrier.startswith("object:") else self.carrier


def validate_tokens(tokens: Iterable[LinkToken], *, day: date, codes: CodeLists, policy: Policy) -> tuple[Violation, ...]:
    """Judge link tokens by R-VAL-14; one of an epoch that is over is parked as EPOCH_EXPIRED."""
    seen: set[tuple[str, str, bytes | str]] = set()
    broken: list[Violation] = []
    for token in tokens:
        broken.extend(_judge(token, day, codes, policy))
        key = (token.group, token.type, token.token)
        broken.extend([violation(f"{token.carrier}.token", "V14_TOKEN")] if key in seen else [])
        seen.add(key)
    return tuple(broken)


def _judge(token: LinkToken, day: date, codes: CodeLists, policy: Policy) -> Iterator[Violation]:
    if not codes.valid("link_key_type", token.type, day):
        yield violation(f"{token.carrier}.type", "V14_TOKEN")
    if not _is_token(token.token):
        yield violation(f"{token.carrier}.token", "V14_TOKEN")
    if not _epoch_open(token.epoch, day, policy):
        start = epoch_start(token.epoch)
        expired = "EPOCH_EXPIRED" if start is not None and start <= day else None
        yield violation(f"{token.carrier}.epoch", "V14_TOKEN", expired)


def _is_token(token: bytes | str) -> bool:
    return len(token) == _TOKEN_BYTES if isinstance(token, bytes) else _TOKEN.fullmatch(token) is not None


def _epoch_open(epoch: str, day: date, policy: Policy) -> bool:
    current = epoch_of(day)
    start = epoch_start(current)
    overlap = start is not None and (day - start).days < policy.epoch_overlap_days
    return epoch == current or (overlap and epoch == previous_epoch(day))
