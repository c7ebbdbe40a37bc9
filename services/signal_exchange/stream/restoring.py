"""Puts a back-up in place of the store of a stopped service, so that nothing is lost that the stream still has.

What came after the back-up comes again: the group begins where it was when the back-up was made, and twice is once. A service
that must not handle its sources twice is rebuilt instead, in the same transaction: one that is broken off anywhere leaves no
store that lacks what came since the back-up. Its group stays where it is (docs/decisions/0014).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete

from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.backing_up import Manifest, checked, is_empty, load
from signal_exchange.stream.rebuilding import Plan, Tell, keep_dropped, rebuild_within
from signal_exchange.stream.replaying import Replay


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: the back-up's moment, and the rows per table of which the last ones were rebuilt."""

    service: str
    made_at: str
    rows: Mapping[str, int]
    rebuilt: Mapping[str, int]


def restore(plan: Plan, file: Path, replay: Replay, tell: Tell, *, replace: bool) -> Restored:
    """Restore a service from a back-up. Whatever ends it early leaves the store as it was.

    Raises:
        Refused: the service runs, the file is damaged or of another service or version, or the store holds something and
            `replace` does not say that it may go.
        WorldUnavailable: the database or the broker does not answer.
    """
    replay.await_empty()
    with checked(plan, file) as (manifest, copy), plan.spec.database.batch() as store:
        if not replace and not is_empty(plan, store):
            raise Refused("De opslag is niet leeg. Met --replace verdwijnt wat erin staat: er is niets veranderd.")
        load(plan, copy, store, manifest, tell)
        if plan.handled_again:
            keep_dropped(plan, replay, store)
            _begin_again(plan, manifest, replay)  # before the rows hold: a store that is too new for its group loses nothing
        else:
            store.execute(delete(plan.spec.outbox))  # older states than those that were sent since
        plan.restored(store)
        rebuilt = rebuild_within(store, plan, replay, tell).rows if plan.own or not plan.handled_again else {}
    return Restored(plan.spec.name, manifest.made_at, manifest.rows, rebuilt)


def _begin_again(plan: Plan, manifest: Manifest, replay: Replay) -> None:
    known = {(topic, int(part)): offset for topic, parts in manifest.offsets.items() for part, offset in parts.items()}
    begins = {part: known.get((part.topic, part.partition), 0) for part in replay.ends(plan.spec.sources)}
    replay.begin_at(begins)
