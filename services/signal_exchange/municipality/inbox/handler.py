"""The inbox: what the exchange tells this municipality of its own signals, and what may leave the outbox for it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from signal_exchange.contracts.records import OutcomeView, SignalView
from signal_exchange.domain.plain_json import json_safe
from signal_exchange.municipality.inbox.erasing import destroy
from signal_exchange.municipality.inbox.questions import keep_questions
from signal_exchange.municipality.inbox.standing import standing_of
from signal_exchange.municipality.sending.outbox import Outbox
from signal_exchange.municipality.store import PARKED, VIEWS, Erased, Vault
from signal_exchange.privacy.register import Register
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.runtime import logs
from signal_exchange.runtime.database import add_once, put_newer, row_of
from signal_exchange.stream.erasure_word import UNPROVEN, fault_of
from signal_exchange.stream.messages import Unreadable
from signal_exchange.stream.views import SignalViewMessage
from signal_exchange.stream.work import Work, packed

ERASURE = "ERASURE"
FROM_THE_EXCHANGE = "exchange"
"""Who erased, when this node heard of it only from the exchange."""


@dataclass(frozen=True, slots=True)
class InboxHandler:
    """Stores the views of one batch, and lets go of what the exchange has accounted for. `municipality` is a CBS code."""

    municipality: str
    vault_key: VaultKey = field(repr=False)
    register: Callable[[], Register] = field(repr=False, compare=False)

    def __call__(self, messages: Sequence[SignalViewMessage], work: Work) -> None:
        """Store each view unless a newer one is there, and remove confirmed rows from the outbox.

        A view that says that a signal is erased, and does not carry this municipality's own word for it, is parked as a whole.
        """
        messages = self._proven(messages, work)
        self._erase_again(messages, work)
        newest = keep_views(messages, work.connection)
        outbox = Outbox(work.connection)
        received = [number for message in messages for number in _received(message.fields)]
        outbox.remove(received)
        # What was on its way when its signal was erased kept its bytes until now.
        work.erased |= {each.signal_id for each in Vault(work.connection).erasures(signal_id for signal_id, _, _ in received)}
        if messages:
            _begin_run_after_restore(outbox, received, max(message.appended_at for message in messages))
        for signal_id in newest:
            logs.log("feedback_received", signal_id=signal_id)

    def rebuild(self, messages: Sequence[SignalViewMessage], work: Work) -> None:
        """Keep the last view of each signal, and let go of nothing in the outbox: that was done when it came."""
        keep_views(self._proven(messages, work), work.connection)

    def _proven(self, messages: Sequence[SignalViewMessage], work: Work) -> list[SignalViewMessage]:
        faults = [self._fault(message.fields) for message in messages]
        for message, fault in zip(messages, faults, strict=True):
            if fault is not None:
                work.park(Unreadable(message.incoming, UNPROVEN, (fault,)))
        return [message for message, fault in zip(messages, faults, strict=True) if fault is None]

    def _fault(self, view: SignalView) -> str | None:
        told = (each for each in view["outcomes"] if each["kind"] == ERASURE)
        return next(filter(None, (self._fault_of(each, view["signal_id"]) for each in told)), None)

    def _fault_of(self, outcome: OutcomeView, signal_id: str) -> str | None:
        if outcome["source"] != "routing":
            return "source R-RET-03"
        return fault_of(outcome["word"], signal_id=signal_id, municipality=self.municipality, register=self.register())

    def _erase_again(self, messages: Sequence[SignalViewMessage], work: Work) -> None:
        """Erase what the exchange says is erased: this node may have been restored from a backup that still had it."""
        told = [message.fields for message in messages if _erasure_in(message.fields) is not None]
        known = {each.signal_id for each in Vault(work.connection).erasures(view["signal_id"] for view in told)}
        for view in (each for each in told if each["signal_id"] not in known):
            at = max(each["occurred_at"] for each in view["outcomes"])
            destroy(work.connection, Erased(view["signal_id"], view["version"], at, FROM_THE_EXCHANGE), self.vault_key)


def _leave_out_erased(views: dict[str, SignalView], connection: Connection) -> None:
    """Leave out views of erased signals that were written before the erasure."""
    for each in Vault(connection).erasures(views):
        if _erasure_in(views[each.signal_id]) is None:
            del views[each.signal_id]


def _erasure_in(view: SignalView) -> OutcomeView | None:
    return next((each for each in view["outcomes"] if each["kind"] == ERASURE), None)


def keep_views(messages: Sequence[SignalViewMessage], connection: Connection) -> dict[str, SignalView]:
    """Store each view unless a newer one is there, and return the newest ones of this batch by signal."""
    in_order = sorted(messages, key=lambda message: message.fields["revision"])
    newest: dict[str, SignalView] = {message.fields["signal_id"]: message.fields for message in in_order}
    _leave_out_erased(newest, connection)
    put_newer(connection, VIEWS, [_row(view) for view in newest.values()], guard="revision")
    keep_questions((_with_plain_details(view) for view in newest.values() if _erasure_in(view) is None), connection)
    return newest


def _with_plain_details(view: SignalView) -> Mapping[str, Any]:
    outcomes = [{**each, "detail": each["detail"] and json_safe(each["detail"])} for each in view["outcomes"]]
    return {**view, "outcomes": outcomes}


@dataclass(frozen=True, slots=True)
class ParkInVault:
    """Keeps what the inbox cannot read in this node's own store, encrypted: a municipality may not write to the topic."""

    vault: VaultKey

    def __call__(self, work: Work, unreadable: Unreadable) -> None:
        """Keep one record; twice is once."""
        incoming = unreadable.incoming
        parked_id = incoming.parked_id(work.service)
        encrypted = self.vault.encrypt(parked_id, packed(incoming, at_most=None))
        row = {
            "parked_id": parked_id,
            "topic": incoming.topic,
            "partition": incoming.partition,
            "offset": incoming.offset,
            "reason": unreadable.reason,
            "parked_at": incoming.appended_at,
            **row_of(encrypted),
        }
        add_once(work.connection, PARKED, [row])


def _row(view: SignalView) -> dict[str, object]:
    own = {name: view[name] for name in ("signal_id", "revision", "own_ref", "version")}
    plain = json_safe(view)
    return {**own, "view": plain, **asdict(standing_of(plain))}


def _received(view: SignalView) -> list[tuple[str, str, int]]:
    return [(view["signal_id"], each["publisher_run"], each["sequence"]) for each in view["received"]]


def _begin_run_after_restore(outbox: Outbox, received: Sequence[tuple[str, str, int]], at: datetime) -> None:
    # A number that this node never gave out: it was restored from a backup, and must not give that number to another record.
    in_use = outbox.run_in_use()
    if in_use is not None and any(run == in_use[0] and sequence > in_use[1] for _, run, sequence in received):
        outbox.begin_run(str(uuid.uuid4()), at)
