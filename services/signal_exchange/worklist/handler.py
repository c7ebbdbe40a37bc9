"""The worklist's work on one batch: apply each delivery to its case, and tell what that ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.times import local_day
from signal_exchange.stream.messages import Message
from signal_exchange.stream.outcomes import SealTo
from signal_exchange.stream.work import Work
from signal_exchange.worklist.cases import Case, Delivery, received
from signal_exchange.worklist.store import WorklistStore
from signal_exchange.worklist.telling import DESTINATION, tell_steps

_FIELDS = tuple(each.name for each in fields(Delivery))


@dataclass(frozen=True, slots=True)
class WorklistHandler:
    """Handles batches of deliveries. `role` is the coordinator whose worklist it is, a code of role.csv."""

    role: str
    calendar: WorkingCalendar
    seal_to: SealTo

    def __call__(self, messages: Sequence[Message], work: Work) -> None:
        """Read the cases of a batch once, apply what is newer in order, and write once."""
        store = WorklistStore(work.connection)
        cases = store.cases(message.fields["signal_id"] for message in messages)
        changed: dict[str, Case] = {}
        for message in messages:
            delivery = Delivery(**{name: message.fields[name] for name in _FIELDS})
            before = changed.get(delivery.signal_id, cases[delivery.signal_id])
            if before.delivery is None or before.delivery.revision < delivery.revision:
                changed[delivery.signal_id] = received(before, delivery, message.appended_at, self.calendar)
                self._trace(delivery, changed[delivery.signal_id], message, work)
        store.put(list(changed.values()))
        for case in changed.values():
            tell_steps(case, self.seal_to, work)

    def _trace(self, delivery: Delivery, case: Case, message: Message, work: Work) -> None:
        due = case.current.due_by() if case.current else None
        keeper = {"owner_role": self.role, "next_date": local_day(due).isoformat()} if due else {}
        about = {"version": delivery.version, "municipality": delivery.municipality, "destination": DESTINATION}
        verdict = "SEND" if delivery.status == "OFFERED" else "RETRACTED"
        signal_id = delivery.signal_id
        work.trace("STORED", at=message.appended_at, key=signal_id, signal_id=signal_id, verdict=verdict, **about, **keeper)
