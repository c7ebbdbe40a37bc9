"""A service that kills itself, as kill -9 would, at a chosen point of a chosen batch. Not a test: tests start it.

Points: before_effect (the handler has not run), after_store (the transaction holds, nothing is sent), after_send (all is
acknowledged, nothing is committed). At the point `unexpected` it does not kill itself but meets a fault of its own.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from signal_exchange.cli import SERVICES
from signal_exchange.stream.consumer import BatchLoop


def main(service: str, point: str, nth: str) -> None:
    """Run the service until the point is reached."""
    count = iter(range(1, int(nth) + 1))

    def die_in_time(method: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
        async def instead(loop: BatchLoop, *arguments: Any) -> Any:
            if before and arguments and _reached(count, int(nth)):
                os.kill(os.getpid(), signal.SIGKILL)
            return await method(loop, *arguments)

        return instead

    if point == "before_effect":
        BatchLoop.on_batch = die_in_time(BatchLoop.on_batch, before=True)  # type: ignore[method-assign]  # a fault on purpose
    elif point == "unexpected":
        setattr(BatchLoop, "on_batch", _broken)  # noqa: B010 - a fault on purpose
    elif point == "after_store":
        _die_after_store(count, int(nth))
    else:
        _die_after_send(count, int(nth))
    module, _, name = SERVICES[service].partition(":")
    getattr(import_module(module), name)()


async def _broken(_loop: BatchLoop, _records: Any) -> None:
    raise RuntimeError("a fault of our own")


def _reached(count: Any, nth: int) -> bool:
    return next(count, nth) == nth


def _die_after_store(count: Any, nth: int) -> None:
    apply = BatchLoop._apply

    def instead(loop: BatchLoop, read: Any) -> Any:
        parked = apply(loop, read)
        if _reached(count, nth):
            os.kill(os.getpid(), signal.SIGKILL)
        return parked

    setattr(BatchLoop, "_apply", instead)  # noqa: B010 - a fault on purpose


def _die_after_send(count: Any, nth: int) -> None:
    tell = BatchLoop._tell

    def instead(loop: BatchLoop, *arguments: Any) -> None:
        tell(loop, *arguments)
        if _reached(count, nth):
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(BatchLoop, "_tell", instead)  # noqa: B010 - a fault on purpose


if __name__ == "__main__":
    main(*sys.argv[1:])
