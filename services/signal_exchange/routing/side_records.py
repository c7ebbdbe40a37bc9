"""The records of a municipality about a signal that are no version of it: an answer about a link, or its link tokens anew.

Each has an id of its own and takes a number; none changes a version or a route (R-LINK-01, R-LINK-04).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from signal_exchange.contracts.records import MunicipalAnswer
from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.links.states import COMPARE, CONFIRM, OFFICER, REJECT, UNDO
from signal_exchange.domain.times import local_day
from signal_exchange.routing.batch_state import BatchState
from signal_exchange.routing.verifying import Fault
from signal_exchange.routing.wrapping import faults_of_tokens
from signal_exchange.stream.link_answers import send_link_answer
from signal_exchange.stream.views import MunicipalAnswerMessage, TokensRenewedMessage
from signal_exchange.stream.work import Work

SideMessage = MunicipalAnswerMessage | TokensRenewedMessage
PLACES = {"MunicipalAnswer": "answer", "TokensRenewed": "renewed"}
"""The place of its number in the ledger, by record (R-FLOW-01)."""
_ANSWERS = frozenset({COMPARE, CONFIRM, REJECT, UNDO})


def fault_of(message: SideMessage, sender: str, batch: BatchState, codes: CodeLists) -> Fault | None:
    """Judge such a record by its content.

    It must speak of an accepted version of a signal of its sender, given as a municipality's code.
    """
    accepted = batch.accepted_of(message.fields["signal_id"])
    if accepted is None or accepted["municipality"] != sender:
        return "VERSION_CONFLICT", ("signal_id R-VAL-16",)
    if not 1 <= message.fields["version"] <= accepted["version"]:
        return "VERSION_CONFLICT", ("version R-VAL-16",)
    if message.record == "TokensRenewed":
        wrong = faults_of_tokens(message.fields["tokens"])
        return ("CONTENT_INVALID", wrong) if wrong else None
    unknown = tuple(_unknown_codes(message.fields, codes, local_day(message.fields["envelope"]["time"])))
    return ("UNKNOWN_CODE", unknown) if unknown else None


def _unknown_codes(fields: MunicipalAnswer, codes: CodeLists, day: date) -> Iterator[str]:
    if fields["kind"] not in _ANSWERS:
        yield "kind R-VAL-03"
    if not all(codes.valid("link_key_type", each, day) for each in fields["key_types"]):
        yield "key_types R-VAL-03"


def pass_answer_on(answer: MunicipalAnswer, at: datetime, work: Work) -> None:
    """Send the answer of an officer to linking, which judges whether anybody asked."""
    send_link_answer(
        work,
        answer_id=answer["answer_id"],
        link_id=answer["link_id"],
        kind=answer["kind"],
        by_role=OFFICER,
        municipality=answer["municipality"],
        signal_id=answer["signal_id"],
        key_types=answer["key_types"],
        at=at,
    )
