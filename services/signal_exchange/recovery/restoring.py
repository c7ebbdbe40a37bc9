"""Puts a back-up in place of the store of a stopped service, so that nothing is lost that the stream still has.

What came after the back-up comes again: the group begins where it was when the back-up was made, and twice is once. A service
that must not handle its sources twice is rebuilt instead, in the same transaction: one that is broken off anywhere leaves no
store that lacks what came since the back-up. Its group stays where it is (docs/decisions/0014).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.recovery.backing_up import Manifest, Opening, checked, is_empty, load
from signal_exchange.recovery.backup_log import RESTORED, BackupLog
from signal_exchange.recovery.rebuilding import Plan, Tell, keep_dropped, rebuild_within
from signal_exchange.recovery.replaying import KafkaReplay
from signal_exchange.stream.messages import Incoming
from signal_exchange.stream.outbox import Outbox
from signal_exchange.stream.parking import ParkedStore, Retries
from signal_exchange.stream.scrubbing import owe
from signal_exchange.stream.work import Work


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore: the back-up's moment, rows per table, of which the last were rebuilt, and how many keys stayed out."""

    service: str
    made_at: str
    rows: Mapping[str, int]
    rebuilt: Mapping[str, int]
    left_out: int


def restore(plan: Plan, file: Path, replay: KafkaReplay, tell: Tell, opening: Opening, *, replace: bool) -> Restored:
    """Restore a service from a back-up. Whatever ends it early leaves the store as it was.

    Raises:
        RefusedError: the service runs, the file is damaged, forged, old, or of another exchange, service or version, or the store
            holds something and `replace` does not say that it may go.
        WorldUnavailableError: the database or the broker does not answer.
    """
    replay.await_empty()
    with checked(plan, file, opening) as (manifest, copy), plan.spec.database.batch() as store:
        if not replace and not is_empty(plan, store):
            raise RefusedError("STORE_NOT_EMPTY", field="replace")
        known = BackupLog(store).rows()
        load(plan, copy, store, manifest, tell)
        _note(store, known, manifest, opening)
        if plan.handled_again:
            keep_dropped(plan, replay, store)
            _begin_again(plan, manifest, replay)  # before the rows hold: a store that is too new for its group loses nothing
        else:
            store.execute(delete(plan.spec.outbox))  # older states than those that were sent since
        plan.restored(store)
        left_out = _leave_out_what_is_gone(plan, replay, store)
        rebuilt = rebuild_within(store, plan, replay, tell).rows if plan.own or not plan.handled_again else {}
    return Restored(plan.spec.name, manifest.made_at, manifest.rows, rebuilt, left_out)


def _note(store: Connection, known: Sequence[dict[str, Any]], manifest: Manifest, opening: Opening) -> None:
    """Keep what the store knew of its back-ups, and owe it the bytes of what stood there and of what comes again erased."""
    log = BackupLog(store)
    log.keep(known)
    log.add(RESTORED, manifest.backup_id, datetime.fromisoformat(manifest.made_at), opening.older)
    owe(store)


def _leave_out_what_is_gone(plan: Plan, replay: KafkaReplay, store: Connection) -> int:
    """Leave out what the topics do not have any more, whatever the back-up says, and return of how many keys that was (R-RET-03).

    A tombstone is forgotten in time, and with it the word on which it stood. What is left out is not destroyed: the file has it.
    """
    gone: set[str] = set()
    for topic, keyed in plan.keyed.items():
        held = set(store.execute(select(keyed.column).distinct()).scalars())
        left = held - _keys_on(topic, replay)
        keyed.leave_out(store, left)
        gone |= left
    work = Work(plan.spec.name, store, plan.spec.seal, plan.spec.park)
    Retries(work, ParkedStore(store), plan.spec.unseal).forget(gone)
    Outbox(store, plan.spec.outbox).add(work.outgoing)
    return len(gone)


def _keys_on(topic: str, replay: KafkaReplay) -> set[str]:
    there: dict[str, bool] = {}
    for records in replay.records(replay.ends((topic,))):
        there |= {each.key_text: each.value is not None for each in map(Incoming.of, records)}
    return {key for key, has_value in there.items() if has_value}


def _begin_again(plan: Plan, manifest: Manifest, replay: KafkaReplay) -> None:
    known = {(topic, int(part)): offset for topic, parts in manifest.offsets.items() for part, offset in parts.items()}
    begins = {part: known.get((part.topic, part.partition), 0) for part in replay.ends(plan.spec.sources)}
    replay.begin_at(begins)
