"""The inbox: what the exchange tells this municipality of its own signals, and what may leave the outbox for it."""

from __future__ import annotations

import uuid
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from signal_exchange.municipality.erasing import destroy
from signal_exchange.municipality.outbox import Outbox
from signal_exchange.municipality.questions import keep_questions
from signal_exchange.municipality.store import PARKED, VIEWS, Erased, Vault
from signal_exchange.privacy.register import Register
from signal_exchange.privacy.vault import Encrypted, VaultKey
from signal_exchange.runtime import logs
from signal_exchange.runtime.database import add_once, put_newer
from signal_exchange.stream.erasure_word import UNPROVEN, fault_of
from signal_exchange.stream.messages import Message, Unreadable
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

    def __call__(self, messages: Sequence[Message], work: Work) -> None:
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

    def rebuild(self, messages: Sequence[Message], work: Work) -> None:
        """Keep the last view of each signal, and let go of nothing in the outbox: that was done when it came."""
        keep_views(self._proven(messages, work), work.connection)

    def _proven(self, messages: Sequence[Message], work: Work) -> list[Message]:
        faults = [self._fault(message.fields) for message in messages]
        for message, fault in zip(messages, faults, strict=True):
            if fault is not None:
                work.park(Unreadable(message.incoming, UNPROVEN, (fault,)))
        return [message for message, fault in zip(messages, faults, strict=True) if fault is None]

    def _fault(self, view: Mapping[str, Any]) -> str | None:
        told = (each for each in view["outcomes"] if each["kind"] == ERASURE)
        return next(filter(None, (self._fault_of(each, view["signal_id"]) for each in told)), None)

    def _fault_of(self, outcome: Mapping[str, Any], signal_id: str) -> str | None:
        if outcome["source"] != "routing":
            return "source R-RET-03"
        return fault_of(outcome["word"], signal_id=signal_id, municipality=self.municipality, register=self.register())

    def _erase_again(self, messages: Sequence[Message], work: Work) -> None:
        """Erase what the exchange says is erased: this node may have been restored from a backup that still had it."""
        told = [message.fields for message in messages if _erasure_in(message.fields) is not None]
        known = {each.signal_id for each in Vault(work.connection).erasures(view["signal_id"] for view in told)}
        for view in (each for each in told if each["signal_id"] not in known):
            at = max(each["occurred_at"] for each in view["outcomes"])
            destroy(work.connection, Erased(view["signal_id"], view["version"], at, FROM_THE_EXCHANGE), self.vault_key)


def _leave_out_erased(views: dict[str, Mapping[str, Any]], connection: Connection) -> None:
    """Leave out views of erased signals that were written before the erasure."""
    for each in Vault(connection).erasures(views):
        if _erasure_in(views[each.signal_id]) is None:
            del views[each.signal_id]


def _erasure_in(view: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((each for each in view["outcomes"] if each["kind"] == ERASURE), None)


def keep_views(messages: Sequence[Message], connection: Connection) -> dict[str, Mapping[str, Any]]:
    """Store each view unless a newer one is there, and return the newest ones of this batch by signal."""
    in_order = sorted(messages, key=lambda message: int(message.fields["revision"]))
    newest: dict[str, Mapping[str, Any]] = {message.fields["signal_id"]: message.fields for message in in_order}
    _leave_out_erased(newest, connection)
    put_newer(connection, VIEWS, [_row(view) for view in newest.values()], guard="revision")
    keep_questions((_with_plain_details(view) for view in newest.values() if _erasure_in(view) is None), connection)
    return newest


def _with_plain_details(view: Mapping[str, Any]) -> Mapping[str, Any]:
    outcomes = [{**each, "detail": each["detail"] and _plain(each["detail"])} for each in view["outcomes"]]
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
            **_columns(encrypted),
        }
        add_once(work.connection, PARKED, [row])


def _columns(encrypted: Encrypted) -> dict[str, bytes]:
    return {"wrapped_key": encrypted.wrapped_key, "ciphertext": encrypted.ciphertext}


def _row(view: Mapping[str, Any]) -> dict[str, object]:
    own = {name: view[name] for name in ("signal_id", "revision", "own_ref", "version")}
    return {**own, "view": _plain(view)}


def _received(view: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    return [(view["signal_id"], each["publisher_run"], each["sequence"]) for each in view["received"]]


def _begin_run_after_restore(outbox: Outbox, received: Sequence[tuple[str, str, int]], at: datetime) -> None:
    # A number that this node never gave out: it was restored from a backup, and must not give that number to another record.
    in_use = outbox.run_in_use()
    if in_use is not None and any(run == in_use[0] and sequence > in_use[1] for _, run, sequence in received):
        outbox.begin_run(str(uuid.uuid4()), at)


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON of whatever the view holds
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
