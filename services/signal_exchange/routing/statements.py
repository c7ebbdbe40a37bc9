"""What a municipality says of a signal that is no version of it: an answer about a link, or its link tokens anew.

Each has an id of its own and takes a number; none changes a version or a route (R-LINK-01, R-LINK-04).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.link_states import COMPARE, CONFIRM, OFFICER, REJECT, UNDO
from signal_exchange.routing.desk import Desk
from signal_exchange.routing.verifying import Verified
from signal_exchange.routing.wrapping import faults_of_tokens
from signal_exchange.stream.work import Work

PLACES = {"MunicipalAnswer": "answer", "TokensRenewed": "renewed"}
"""The place of its number in the ledger, by record (R-FLOW-01)."""
_ANSWERS = frozenset({COMPARE, CONFIRM, REJECT, UNDO})


def faults_of(verified: Verified, desk: Desk, codes: CodeLists, day: date) -> tuple[str | None, tuple[str, ...]]:
    """Return why a statement must be parked, with field and rule of each fault; None when it is right.

    It must speak of an accepted version of a signal of its sender.
    """
    record, fields = verified.message.record, verified.message.fields
    accepted = desk.accepted_of(fields["signal_id"])
    if accepted is None or accepted["municipality"] != verified.municipality:
        return "VERSION_CONFLICT", ("signal_id R-VAL-16",)
    if not 1 <= fields["version"] <= accepted["version"]:
        return "VERSION_CONFLICT", ("version R-VAL-16",)
    if record == "TokensRenewed":
        wrong = faults_of_tokens(fields["tokens"])
        return ("CONTENT_INVALID", wrong) if wrong else (None, ())
    unknown = tuple(_unknown_codes(fields, codes, day))
    return ("UNKNOWN_CODE", unknown) if unknown else (None, ())


def _unknown_codes(fields: dict[str, Any], codes: CodeLists, day: date) -> Iterator[str]:
    if fields["kind"] not in _ANSWERS:
        yield "kind R-VAL-03"
    if not all(codes.valid("link_key_type", each, day) for each in fields["key_types"]):
        yield "key_types R-VAL-03"


def pass_answer_on(verified: Verified, work: Work) -> None:
    """Send the answer of an officer to linking, which judges whether anybody asked."""
    fields, at = verified.message.fields, verified.message.appended_at
    answer = {
        **{name: fields[name] for name in ("answer_id", "link_id", "kind", "signal_id", "key_types")},
        "by_role": OFFICER,
        "municipality": verified.municipality,
        "answered_at": at,
    }
    work.send("link-answers", fields["link_id"], "LinkAnswer", answer, event_id=fields["answer_id"], at=at)
