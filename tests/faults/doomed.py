"""A service to which something happens at one exact point of a batch. Not a test: tests start it, by `killer`.

At the points of POINTS_OF_DEATH it kills itself as kill -9 would. At `term_in_hand` and `outlives_grace` it is told to stop
(SIGTERM) while a batch is in hand, and at `unexpected` it meets a fault of its own. At the points of STANDSTILLS it stands still
after so many batches, and nothing in it fails.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from signal_exchange.cli.main import SERVICES
from signal_exchange.stream.batch_app import BatchConsumer
from signal_exchange.stream.consumer import BatchLoop
from signal_exchange.stream.sender import KafkaSender

LONGER_THAN_GRACE_SECONDS = 4.0
"""How long a batch in hand goes on at `outlives_grace`; tests give a grace well below it."""


class Moment:
    """Says once, at the nth time that it is asked, that the moment has come."""

    def __init__(self, nth: int) -> None:
        self._left = nth

    def has_come(self) -> bool:
        """Count one time."""
        self._left -= 1
        return self._left == 0


def main(service: str, point: str, nth: str) -> None:
    """Run the service until the point is reached for the nth time."""
    POINTS[point](Moment(int(nth)))
    SERVICES[service].start()


def before_store(moment: Moment) -> None:
    """Die with the batch read and nothing written."""
    _around(BatchLoop, "_apply", before=lambda: _kill_at(moment))


def after_store(moment: Moment) -> None:
    """Die when the transaction holds and nothing is sent."""
    _around(BatchLoop, "_apply", after=lambda: _kill_at(moment))


def half_sent(moment: Moment) -> None:
    """Die when the first half of what waits in the outbox is acknowledged."""
    send = KafkaSender.send

    async def instead(sender: KafkaSender, letters: Sequence[Any]) -> None:
        if moment.has_come():
            await send(sender, letters[: (len(letters) + 1) // 2])
            _kill()
        await send(sender, letters)

    setattr(KafkaSender, "send", instead)  # noqa: B010 - a fault on purpose


def after_send(moment: Moment) -> None:
    """Die when everything is acknowledged and still stands in the outbox."""
    _around_async(KafkaSender, "send", after=lambda: _kill_at(moment))


def before_commit(moment: Moment) -> None:
    """Die when the outbox is empty and no offset is committed."""
    _around(BatchLoop, "_tell", after=lambda: _kill_at(moment))


def after_commit(moment: Moment) -> None:
    """Die when the offsets are committed."""
    _around_async(BatchConsumer, "_commit_offsets", after=lambda: _kill_at(moment))


def term_in_hand(moment: Moment) -> None:
    """Be told to stop between the transaction and the sending."""
    _around(BatchLoop, "_apply", after=lambda: _term_at(moment, 0.0))


def outlives_grace(moment: Moment) -> None:
    """Be told to stop while the batch goes on for longer than its grace."""
    _around(BatchLoop, "_apply", after=lambda: _term_at(moment, LONGER_THAN_GRACE_SECONDS))


def unexpected(_moment: Moment) -> None:
    """Meet a fault of our own at every record."""

    def broken(_loop: BatchLoop, _read: Any, _work: Any) -> None:
        raise RuntimeError("a fault of our own")

    setattr(BatchLoop, "_work", broken)  # noqa: B010 - a fault on purpose


def loses_coordinator(moment: Moment) -> None:
    """Lose the task that keeps the consumer in its group, after a batch."""

    def kill_task(consumer: BatchConsumer) -> None:
        if moment.has_come():
            thread: Any = consumer._thread
            thread.thread_loop.call_soon_threadsafe(thread._consumer._coordinator._coordination_task.cancel)

    gather = BatchConsumer._gather

    async def instead(consumer: BatchConsumer, handled: int) -> None:
        kill_task(consumer)
        await gather(consumer, handled)

    setattr(BatchConsumer, "_gather", instead)  # noqa: B010 - a fault on purpose


def blocks_event_loop(moment: Moment) -> None:
    """Block the event loop of the whole process for ever, with a batch applied and nothing sent."""
    _around_async(BatchLoop, "_applied", after=lambda: _hang_at(moment))


def hangs_in_handler(moment: Moment) -> None:
    """Never come back from the handler, whose thread hangs in the middle of its transaction."""
    _around(BatchLoop, "_work", after=lambda: _hang_at(moment))


def hangs_in_relay(moment: Moment) -> None:
    """Never come back from the outbox, between two batches."""
    _around(BatchLoop, "_claim", after=lambda: _hang_at(moment))


STANDSTILLS = (loses_coordinator, blocks_event_loop, hangs_in_handler, hangs_in_relay)
POINTS_OF_DEATH = (before_store, after_store, half_sent, after_send, before_commit, after_commit)
POINTS = {point.__name__: point for point in (*POINTS_OF_DEATH, *STANDSTILLS, term_in_hand, outlives_grace, unexpected)}


def _nothing() -> None:
    pass


def _around(owner: type, name: str, *, before: Callable[[], None] = _nothing, after: Callable[[], None] = _nothing) -> None:
    method = getattr(owner, name)

    def instead(*arguments: Any) -> Any:
        before()
        result = method(*arguments)
        after()
        return result

    setattr(owner, name, instead)


def _around_async(owner: type, name: str, *, after: Callable[[], None]) -> None:
    method = getattr(owner, name)

    async def instead(*arguments: Any) -> Any:
        result = await method(*arguments)
        after()
        return result

    setattr(owner, name, instead)


def _kill_at(moment: Moment) -> None:
    if moment.has_come():
        _kill()


def _hang_at(moment: Moment) -> None:
    if moment.has_come():
        threading.Event().wait()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _term_at(moment: Moment, seconds: float) -> None:
    if moment.has_come():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
