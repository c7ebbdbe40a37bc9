"""Follow-ups of decisions with a date: till then the date is an alarm (R-FLOW-02)."""

from __future__ import annotations

from collections.abc import Sequence

from signal_exchange.agenda.handler import AGENDA
from signal_exchange.agenda.items import Item
from signal_exchange.agenda.records import FollowUp, RecordedDecision
from signal_exchange.domain.referrals.transitions import CHAIN_DIRECTOR
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.stream.outcomes import ActionOwner, kept_by
from signal_exchange.stream.work import AboutSignal, Work


def decision_to_follow_up(item: Item, decisions: Sequence[RecordedDecision]) -> RecordedDecision:
    """Return the last decision with a date. Of an item that was offered again since, the new offer has the date.

    Raises:
        RefusedError: there is no such decision, or the item waits for a new one.
    """
    found = [each for each in decisions if each.due_date is not None]
    if not found:
        raise RefusedError("NOTHING_TO_FOLLOW_UP", rule="R-FLOW-02")
    if found[-1].offer != item.offer:
        raise RefusedError("ITEM_OFFERED_AGAIN", rule="R-FLOW-02")
    return found[-1]


def report_follow_up(follow_up: FollowUp, decision: RecordedDecision, item: Item, work: Work) -> None:
    """Trace that a decision was followed up, and until when the chain director keeps the signal."""
    owner = ActionOwner(CHAIN_DIRECTOR, follow_up.next_date) if follow_up.next_date else None
    about = AboutSignal(signal_id=item.signal_id, version=decision.version, municipality=item.municipality)
    work.trace("OUTCOME", at=follow_up.at, key=item.signal_id, destination=AGENDA, **about, **kept_by(owner))
