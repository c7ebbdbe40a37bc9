"""Sends what waits in the outbox: numbered and signed once, the same bytes ever after, until the exchange confirms.

Any number of processes of one node may relay at the same time: rows are claimed for a while, and numbers are given out in the
transaction that claims.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from signal_exchange.contracts import cloud_events
from signal_exchange.municipality.sending.envelopes import TOPIC, Signed, Signer
from signal_exchange.municipality.sending.outbox import Outbox, Row
from signal_exchange.municipality.sending.producer import Sender
from signal_exchange.runtime import logs
from signal_exchange.runtime.answering import was_answered
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.stream.outbox import OutgoingRecord

BATCH_ROWS: Final = 16
"""Some 170 kB, which the quota of a member lets through in three seconds: of a longer batch a part would wait until it is given
up, and then be sent twice (docs/decisions/0022)."""
LEASE_SECONDS: Final = 20.0
"""How long a process has rows for itself: longer than a delivery may take, and as short as a signal may wait for a dead one."""


@dataclass(frozen=True, slots=True)
class Relay:
    """The relay of one node. `signer` gives what signs now, and `now` the time.

    `resend_seconds` is the age at which what is not confirmed is sent again.
    """

    municipality: str
    database: Database
    signer: Callable[[], Signer]
    sender: Sender
    metrics: Metrics
    now: Callable[[], datetime]
    resend_seconds: float = 600.0
    batch_rows: int = BATCH_ROWS

    def send_due(self) -> int:
        """Send one batch of what is due; return how many rows the broker acknowledged.

        Raises:
            WorldUnavailableError: the database or the broker does not answer; every row stays, with its number and bytes.
        """
        rows = self._claimed()
        if not rows:
            return 0
        acknowledged: list[bool] = []
        try:
            acknowledged = self.sender.send([self._outgoing_record(row, signed) for row, signed in rows])
        finally:
            self._settle(rows, acknowledged)
        self._tell([row for row, _ in rows], acknowledged)
        return sum(acknowledged)

    def send_all(self) -> int:
        """Send batch after batch until nothing is due or a batch got no acknowledgement; return how many were acknowledged.

        Raises:
            WorldUnavailableError: as for `send_due`.
        """
        sent = 0
        while acknowledged := self.send_due():
            sent += acknowledged
        return sent

    def unsent(self) -> int:
        """Return the number of rows that the broker never acknowledged."""
        with self.database.reading() as connection:
            return Outbox(connection).unsent()

    def checkpoint(self, *, again: bool = True) -> None:
        """Tell the exchange the highest number that was given out, so that a gap shows; unless `again`, only a new one.

        Raises:
            WorldUnavailableError: the database or the broker does not answer.
        """
        with self.database.reading() as connection:
            highest = Outbox(connection).checkpoints(again=again)
        for run, number in highest.items():
            if all(self.sender.send([self._checkpoint_record(run, number)])):
                self._note_told(run, number)

    def _claimed(self) -> list[tuple[Row, Signed]]:
        now = self.now()
        until, stale = now + timedelta(seconds=LEASE_SECONDS), now - timedelta(seconds=self.resend_seconds)
        with self.database.reading() as connection:
            if not Outbox(connection).is_due(now, stale):
                return []
        with self.database.transaction() as connection:
            outbox = Outbox(connection)
            rows = outbox.claim(now, until=until, sent_before=stale, limit=self.batch_rows)
            signed = self._number([row for row in rows if row.signed is None], outbox)
        return [(row, row.signed or signed[row.number]) for row in rows]

    def _number(self, rows: Sequence[Row], outbox: Outbox) -> dict[int, Signed]:
        if not rows:
            return {}
        run = self._run(outbox)
        first = outbox.take_numbers(run, len(rows))
        numbered = [(row.number, sequence, self._sign(row, run, sequence)) for sequence, row in enumerate(rows, start=first)]
        outbox.put_signed(run, numbered)
        return {number: signed for number, _, signed in numbered}

    def _run(self, outbox: Outbox) -> str:
        in_use = outbox.run_in_use()
        return in_use[0] if in_use is not None else outbox.begin_first_run(str(uuid.uuid4()), self.now())

    def _sign(self, row: Row, run: str, sequence: int) -> Signed:
        outgoing = row.outgoing
        return self.signer().sign(outgoing.record, outgoing.fields, at=row.recorded_at, run=run, sequence=sequence)

    def _outgoing_record(self, row: Row, signed: Signed) -> OutgoingRecord:
        outgoing = row.outgoing
        headers = self.signer().headers(
            outgoing.record, signed, event_id=row.event_id, at=row.recorded_at, traceparent=outgoing.traceparent
        )
        return OutgoingRecord(TOPIC, outgoing.signal_id, signed.value, headers)

    def _checkpoint_record(self, run: str, highest: int) -> OutgoingRecord:
        at, fields = self.now(), {"municipality": self.municipality, "highest": highest}
        signer = self.signer()
        signed = signer.sign("Checkpoint", fields, at=at, run=run, sequence=0)
        trace = cloud_events.new_traceparent()
        headers = signer.headers("Checkpoint", signed, event_id=f"{run}.{highest}", at=at, traceparent=trace)
        return OutgoingRecord(TOPIC, run, signed.value, headers)

    def _note_told(self, run: str, highest: int) -> None:
        with self.database.transaction() as connection:
            Outbox(connection).told(run, highest)
        logs.log("checkpoint_sent")

    def _settle(self, rows: Sequence[tuple[Row, Signed]], acknowledged: Sequence[bool]) -> None:
        verdicts = acknowledged or [False] * len(rows)
        sent = {row.number: signed for (row, signed), arrived in zip(rows, verdicts, strict=True) if arrived}
        unsent = {row.number: signed for row, signed in rows if row.number not in sent}
        with self.database.transaction() as connection:
            outbox = Outbox(connection)
            outbox.settle(sent, unsent, self.now())
            outbox.remove_accounted(row.outgoing.signal_id for row, _ in rows if row.number in sent)

    def _tell(self, rows: Sequence[Row], acknowledged: Sequence[bool]) -> None:
        arrived = [row for row, acked in zip(rows, acknowledged, strict=True) if acked]
        again = sum(row.sent_before for row in arrived)
        self.metrics.outbox_sent.labels(TOPIC).inc(len(arrived))
        if again:
            logs.log("outbox_resent", count=again)
        if len(arrived) > again:
            logs.log("outbox_sent", count=len(arrived) - again)


class RelayLoop:
    """Relays until it is told to stop: every `relay_seconds`, with a checkpoint every `checkpoint_seconds` and at the end."""

    def __init__(self, relay: Relay, *, relay_seconds: float, checkpoint_seconds: float) -> None:
        self._relay, self._relay_seconds, self._checkpoint_seconds = relay, relay_seconds, checkpoint_seconds
        self._told_at: datetime | None = None
        self._world_answers = True

    def run(self, wait: Callable[[float], bool]) -> None:
        """Relay until `wait`, which waits so many seconds, says that it is time to stop."""
        while not wait(self._relay_seconds):
            self._patiently(lambda: self._round(wait))
        if self._world_answers:  # else a stop would wait for it once more, and lose nothing by not waiting
            self._patiently(self._last)
        self._relay.sender.close()

    def _round(self, wait: Callable[[float], bool]) -> None:
        while self._relay.send_due() and not wait(
            0.0
        ):  # each batch of a long queue is a sign of life, and a stop may come between
            pass
        self._relay.metrics.outbox_waiting.set(self._relay.unsent())
        now = self._relay.now()
        if self._told_at is None or now - self._told_at >= timedelta(seconds=self._checkpoint_seconds):
            self._relay.checkpoint()
            self._told_at = now

    def _last(self) -> None:
        self._relay.send_all()
        self._relay.checkpoint(again=False)

    def _patiently(self, step: Callable[[], object]) -> None:
        self._world_answers = was_answered("relay", step)
        if not self._world_answers:
            self._relay.metrics.world_waits.labels("relay").inc()
