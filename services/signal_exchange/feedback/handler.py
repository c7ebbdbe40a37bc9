"""Feedback's work on one batch: fold what was told into the views, and send each changed view to its own municipality."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from signal_exchange.contracts.topics import feedback_topic
from signal_exchange.feedback.store import FeedbackStore
from signal_exchange.feedback.views import ERASURE, Fact, Owner, View, facts_of, folded, record_of
from signal_exchange.privacy.register import Register
from signal_exchange.stream.erasing import answer_asked, is_marked, markers
from signal_exchange.stream.erasure_word import UNPROVEN, fault_of
from signal_exchange.stream.messages import Incoming, Message, Unreadable
from signal_exchange.stream.work import Work


@dataclass(frozen=True, slots=True)
class FeedbackHandler:
    """Handles batches of outcomes and steps. Each municipality of the register has a topic of its own."""

    register: Register

    @property
    def municipalities(self) -> frozenset[str]:
        """Return the codes of those that have a topic."""
        return frozenset(str(member.code) for member in self.register.municipalities)

    def __call__(self, messages: Sequence[Message], work: Work) -> None:
        """Send one record per changed signal; a batch takes one read and one write of the store."""
        fit = [message for message in messages if not self._parked(message, work)]
        told, last = _told(fit)
        store = FeedbackStore(work.connection)
        known = store.views(told)
        answer_asked([message for message in fit if _asks(message)], work, {signal_id for _, signal_id in known}.intersection)
        views = (folded(known.get(owner, View(owner)), facts, last[owner]) for owner, facts in told.items())
        changed = [view for view in views if view is not None]
        store.put(changed)
        for view in (each for each in changed if each.confirmed):
            _send(view, last[view.owner], work)

    def _parked(self, message: Message, work: Work) -> bool:
        errors, unproven = tuple(_misfits(message, self.municipalities)), self._unproven(message)
        if errors or unproven:
            work.park(Unreadable(message.incoming, "CONTENT_INVALID" if errors else UNPROVEN, errors or unproven))
        return bool(errors or unproven)

    def _unproven(self, message: Message) -> tuple[str, ...]:
        """Name what keeps an order to erase from being one: routing says it, on the municipality's own word."""
        fields = message.fields
        if message.record != "Outcome" or fields["kind"] != ERASURE:
            return ()
        if fields["source"] != "routing":
            return ("source R-RET-03",)
        about = {name: fields[name] for name in ("signal_id", "municipality")}
        fault = fault_of(fields["word"], **about, register=self.register)
        return (fault,) if fault is not None else ()

    def bury(self, gone: Sequence[Incoming], work: Work) -> None:
        """Close the segments of every municipality's topic when routing closes those of the outcomes: old views end with them."""
        if is_marked(gone, "outcomes"):
            for code in sorted(self.municipalities):
                markers(feedback_topic(code), gone[0].appended_at, work)


def _asks(message: Message) -> bool:
    """Say whether routing asks to erase a signal."""
    fields = message.fields
    return message.record == "Outcome" and fields["kind"] == ERASURE and fields["state"] == "REQUESTED"


def _misfits(message: Message, municipalities: frozenset[str]) -> Iterable[str]:
    """Name what would carry a record to a municipality that does not exist, or a text to another one than it speaks of."""
    code, detail = message.fields["municipality"], message.fields.get("detail")
    if code is not None and code not in municipalities:
        yield "municipality R-VAL-02"
    if detail is not None and detail["group"] != f"gm:{code}":
        yield "detail.group R-AGENDA-08"


def _told(messages: Iterable[Message]) -> tuple[dict[Owner, list[Fact]], dict[Owner, datetime]]:
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
        feedback_topic(municipality), signal_id, "SignalView", record_of(view), event_id=f"{signal_id}.{view.revision}", at=at
    )
