"""The worklist's work on one batch: apply each delivery to its case, and report what that ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.privacy.register import Register
from signal_exchange.stream.erasing import erase_asked
from signal_exchange.stream.erasure_proof import Proof
from signal_exchange.stream.messages import Incoming
from signal_exchange.stream.outcomes import ActionOwner, SealTo, kept_by
from signal_exchange.stream.views import WorklistReads
from signal_exchange.stream.work import Work, about_signal
from signal_exchange.worklist.cases import Case, Delivery, delivered, received
from signal_exchange.worklist.outcomes import DESTINATION, OutcomeSender
from signal_exchange.worklist.store import WorklistStore


@dataclass(frozen=True, slots=True)
class WorklistHandler:
    """Handles batches of deliveries. `role` is the coordinator whose worklist it is, a code of role.csv."""

    role: str
    calendar: WorkingCalendar
    seal_to: SealTo
    register: Callable[[], Register] = field(repr=False, compare=False)

    def on_tombstones(self, gone: Sequence[Incoming], work: Work) -> None:
        """Delete what is held of signals whose records are gone from the topic, and what is parked: a back-up may have had it."""
        store = WorklistStore(work.connection)
        keys = {each.key_text for each in Proof(self.register(), store.owners).proven_tombstones(gone, work)}
        store.erase(keys)
        work.erased |= keys

    def __call__(self, messages: Sequence[WorklistReads], work: Work) -> None:
        """Erase what must be erased; of the rest read the cases once, apply what is newer in order, and write once."""
        store = WorklistStore(work.connection)
        messages = erase_asked(Proof(self.register(), store.owners).proven(messages, work), work, store.erase)
        cases = store.cases(message.fields["signal_id"] for message in messages)
        sender, advised = OutcomeSender(self.role, self.calendar, self.seal_to), store.advised(cases)
        changed: dict[str, Case] = {}
        for message in messages:
            delivery = delivered(message.fields, self.calendar)
            before = changed.get(delivery.signal_id, cases[delivery.signal_id])
            if before.delivery is None or before.delivery.revision < delivery.revision:
                changed[delivery.signal_id] = received(before, delivery, message.appended_at, self.calendar)
                known = advised.get(delivery.signal_id) == delivery.offer
                owner = sender.owner(changed[delivery.signal_id], advised=known, at=message.appended_at)
                _trace(delivery, owner, message, work)
        store.put(list(changed.values()))
        for case in changed.values():
            sender.report_steps(case, work)


def _trace(delivery: Delivery, owner: ActionOwner | None, message: WorklistReads, work: Work) -> None:
    about, at, key = about_signal(message.fields), message.appended_at, delivery.signal_id
    verdict = "SEND" if delivery.status == "OFFERED" else "RETRACTED"
    work.trace("STORED", at=at, key=key, destination=DESTINATION, verdict=verdict, **about, **kept_by(owner))
    if delivery.offers and owner is None:
        # What was decided stands, as after PERSON_DECLINES: nothing is offered again, and nobody has to bring it further.
        work.trace("OUTCOME", at=at, key=key, destination=DESTINATION, **about)
