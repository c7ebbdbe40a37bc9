"""The words of what the exchange tells of a signal, for commands and pages alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from signal_exchange import words
from signal_exchange.domain.destinations import DESTINATIONS
from signal_exchange.domain.links.states import COMPARE, CONFIRM, REJECT, UNDO

STEPS: Final = words.keyed(
    "node.step.RECEIVED", "node.step.ROUTED", "node.step.STORED", "node.step.PARKED", "node.step.RETRACTED", "node.step.OUTCOME"
)
VERDICTS: Final = words.keyed(
    "node.verdict.SEND",
    "node.verdict.DENY",
    "node.verdict.RETRACTED",
    "node.verdict.routed",
    "node.verdict.superseded",
    "node.verdict.repeat",
    "node.verdict.parked",
    "node.verdict.withdrawn",
    "node.verdict.erased",
    "node.verdict.answer",
    "node.verdict.renewed",
)
STATES: Final = {each.ended_by: each.states for each in DESTINATIONS}
"""The code list of the states of an offer, by the kind of its outcomes."""
QUESTION_STATES: Final = words.keyed("node.question.ASKED", "node.question.COMPARING", "node.question.CLOSED")
ERASURE_STATES: Final = words.keyed(
    "node.erasure.NEVER_LEFT", "node.erasure.SENT", "node.erasure.REQUESTED", "node.erasure.DONE", "node.erasure.CERTIFIED"
)
ANSWERS: Final = {
    CONFIRM: "question.answer.CONFIRM",
    COMPARE: "question.answer.COMPARE",
    REJECT: "question.answer.REJECT",
    UNDO: "question.answer.UNDO",
}


def named(keys: Mapping[str, str], code: str) -> str:
    """Return the words of a code; a code of later stands for itself."""
    return words.text(keys[code]) if code in keys else code
