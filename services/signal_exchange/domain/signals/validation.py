"""Judging a coded signal by R-VAL: every error at once, each naming its field and rule."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final, cast

from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.members import Members
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.signals.coded_types import CodedSignal
from signal_exchange.domain.signals.shape import Reading
from signal_exchange.domain.signals.shapes import CODED_SIGNAL
from signal_exchange.domain.signals.signal_rules import RULES, Case
from signal_exchange.domain.signals.violations import Violation, violation

_ELEMENT: Final = re.compile(r"\[[0-9]+\]")


def validate(
    signal: Mapping[str, object], *, day: date, sender: str, members: Members, codes: CodeLists, policy: Policy
) -> tuple[Violation, ...]:
    """Judge a coded signal on its publish day; all errors together in the order of their codes, empty when valid.

    Never raises, whatever JSON it gets. A wrong type is reported alone (R-VAL-22). What travels sealed (summary and
    tokens) is judged by `validate_inside` and `validate_tokens`.
    """
    found = Reading()
    CODED_SIGNAL.read(signal, "", found)
    if found.types:
        return tuple(found.types)
    bad_codes = [path for path, name, code in found.codes if not codes.valid(name, code, day)]
    bad = frozenset([*found.missing, *bad_codes])
    case = Case(cast("CodedSignal", signal), day, sender, members, codes, policy, bad)
    broken = [
        *(violation(path, "V01_MISSING") for path in found.missing),
        *(violation(path, "V03_CODE") for path in bad_codes),
        *_judge(case),
        *(violation(path, "V17_UNKNOWN_FIELD") for path in found.unknown),
    ]
    return tuple(sorted(broken, key=lambda found: found.code))


def _judge(case: Case) -> Iterator[Violation]:
    unreadable = {_ELEMENT.sub("", path) for path in case.bad}
    for rule in RULES:
        if not unreadable or not any(_hides(path, need) for path in unreadable for need in rule.needs):
            for field in rule.judge(case):
                yield violation(field, rule.code)


def _hides(path: str, need: str) -> bool:
    return need == path or need.startswith(f"{path}.")
