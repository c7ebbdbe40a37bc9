"""Feedback's work on one batch: fold the facts into the views, and send each changed view to its own municipality."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from signal_exchange.contracts.records import SIGNAL_VIEW
from signal_exchange.contracts.topics import feedback_topic
from signal_exchange.feedback.store import FeedbackStore
from signal_exchange.feedback.views import ERASURE, Fact, Owner, View, facts_of, folded, record_of
from signal_exchange.privacy.register import Register
from signal_exchange.stream.erasing import answer_asked, is_marked, markers
from signal_exchange.stream.erasure_word import UNPROVEN, fault_of
from signal_exchange.stream.messages import Incoming, Unreadable
from signal_exchange.stream.views import FeedbackReads
from signal_exchange.stream.work import Work

ORDER = (ERASURE, "REQUESTED")
"""Kind and state with which routing asks to erase a signal."""


@dataclass(frozen=True, slots=True)
class FeedbackHandler:
    """Handles batches of outcomes and steps. Each municipality of the register has a topic of its own."""

    current_register: Callable[[], Register]

    @property
    def municipalities(self) -> frozenset[str]:
        """Return the codes of those that have a topic."""
        return frozenset(str(member.code) for member in self.current_register().municipalities)

    def __call__(self, messages: Sequence[FeedbackReads], work: Work) -> None:
        """Send one record per changed signal; a batch takes one read and one write of the store."""
        fit = [message for message in messages if not self._parked(message, work)]
        told, last = _facts_by_owner(fit)
        store = FeedbackStore(work.connection)
        known = store.views(told)
        orders = [each for each in fit if each.record == "Outcome" and (each.fields["kind"], each.fields["state"]) == ORDER]
        answer_asked(orders, work, {signal_id for _, signal_id in known}.intersection)
        views = (folded(known.get(owner, View(owner)), facts, last[owner]) for owner, facts in told.items())
        changed = [view for view in views if view is not None]
        store.put(changed)
        for view in (each for each in changed if each.confirmed):
            _send(view, last[view.owner], work)

    def _parked(self, message: FeedbackReads, work: Work) -> bool:
        errors, unproven = tuple(_misfits(message, self.municipalities)), self._unproven(message)
        if errors or unproven:
            work.park(Unreadable(message.incoming, "CONTENT_INVALID" if errors else UNPROVEN, errors or unproven))
        return bool(errors or unproven)

    def _unproven(self, message: FeedbackReads) -> tuple[str, ...]:
        """Name the fault of an order to erase: routing says it, on the municipality's own word."""
        if message.record != "Outcome" or message.fields["kind"] != ERASURE:
            return ()
        fields = message.fields
        if fields["source"] != "routing":
            return ("source R-RET-03",)
        signal_id, municipality = fields["signal_id"], fields["municipality"]
        fault = fault_of(fields["word"], signal_id=signal_id, municipality=municipality, register=self.current_register())
        return (fault,) if fault is not None else ()

    def on_tombstones(self, gone: Sequence[Incoming], work: Work) -> None:
        """Close the segments of every municipality's topic when routing closes those of the outcomes: old views end with them."""
        if is_marked(gone, "outcomes"):
            for code in sorted(self.municipalities):
                markers(feedback_topic(code), gone[0].appended_at, work)


def _misfits(message: FeedbackReads, municipalities: frozenset[str]) -> Iterable[str]:
    """Name the fields that would carry a record to an unknown municipality, or a text to another one than its own."""
    code, detail = message.fields["municipality"], message.fields["detail"] if message.record == "Outcome" else None
    if code is not None and code not in municipalities:
        yield "municipality R-VAL-02"
    if detail is not None and detail["group"] != f"gm:{code}":
        yield "detail.group R-AGENDA-08"


def _facts_by_owner(messages: Iterable[FeedbackReads]) -> tuple[dict[Owner, list[Fact]], dict[Owner, datetime]]:
    told: dict[Owner, list[Fact]] = {}
    last: dict[Owner, datetime] = {}
    for message in messages:
        for fact in facts_of(message):
            told.setdefault(fact.owner, []).append(fact)
            last[fact.owner] = max(message.appended_at, last.get(fact.owner, message.appended_at))
    return told, last


def _send(view: View, at: datetime, work: Work) -> None:
    municipality, signal_id = view.owner
    work.send(
        feedback_topic(municipality), signal_id, SIGNAL_VIEW, record_of(view), event_id=f"{signal_id}.{view.revision}", at=at
    )
