"""Puts the node of a municipality together: inbox, relay and REST API in one process."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.api import create_app
from signal_exchange.municipality.pages.site import site_of
from signal_exchange.municipality.publishing.renewing import RenewLoop
from signal_exchange.municipality.sending.relay import RelayLoop
from signal_exchange.municipality.service import SERVICE
from signal_exchange.municipality.threads import Wait, Worker
from signal_exchange.runtime.http_border import SERVER_OPTIONS
from signal_exchange.runtime.private_files import require_private
from signal_exchange.runtime.production_checks import refuse_sample_settings
from signal_exchange.runtime.settings import MunicipalitySettings, loaded
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.service import every, run_consumer
from signal_exchange.web.serving import by_path, served

LOOPBACK: Final = "127.0.0.1"
LOOK_SECONDS: Final = 0.2
PARKED_SECONDS: Final = 15.0
"""Pause between two looks at what the inbox could not read."""
OLD_SECONDS: Final = 3_600.0
"""Pause between two looks for reject files and drafts that are too old."""
STOP_SECONDS: Final = 15.0
GRACE_SECONDS: Final = 5
"""How long a request under way may take to finish when the node stops."""


def consumer_spec(actions: MunicipalityActions) -> ConsumerSpec:
    """Return the declaration by which the common consumer becomes the node of a municipality."""
    node, settings = actions.node, actions.node.settings
    loop = RelayLoop(node.relay(), relay_seconds=settings.relay_seconds, checkpoint_seconds=settings.checkpoint_seconds)
    relay = Worker("relay", loop.run)
    renewer = RenewLoop(node.renewer(actions.tokens), settings.renew_seconds)
    return replace(
        node.inbox_consumer(),
        alongside=(
            beside(relay),
            beside(Worker("renewer", renewer.run)),
            beside(Worker("api", _serve_api(actions))),
            every(PARKED_SECONDS, lambda: count_parked(actions)),
            every(OLD_SECONDS, actions.end_old),
        ),
        look=node.identity.current_register,
        metrics=node.metrics,
        watched={"relay": lambda: relay.signs},
    )


def count_parked(actions: MunicipalityActions) -> None:
    """Count the records that the inbox could not read, and the age of the oldest, for the municipality's own alarms."""
    waiting, metrics = actions.parked(), actions.node.metrics
    metrics.parked_waiting.clear()  # what was decided must not stay as its last figure
    for reason, count in Counter(each["reason"] for each in waiting).items():
        metrics.parked_waiting.labels(SERVICE, reason).set(count)
    age = max((actions.now() - each["parked_at"] for each in waiting), default=timedelta())
    metrics.parked_oldest_seconds.labels(SERVICE).set(age.total_seconds())


def beside(worker: Worker) -> Callable[[], Awaitable[None]]:
    """Return a coroutine that runs a worker until it is cancelled, and fails when the worker does."""

    async def run() -> None:
        worker.start()
        try:
            while worker.alive:  # noqa: ASYNC110 - a thread that ends sets no event of this loop
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            worker.tell_to_stop()
            await asyncio.to_thread(worker.stop, STOP_SECONDS)
        if worker.error is not None:
            raise worker.error

    return run


def _serve_api(actions: MunicipalityActions) -> Callable[[Wait], None]:
    settings = actions.node.settings
    api = create_app(actions, _token(settings.api_token_file))
    app = by_path({"/v1/": api}, served(site_of(actions)))
    actions.publisher  # noqa: B018 - a node that cannot publish does not start
    return lambda wait: serve(app, listening(settings.api_port), wait)


def listening(port: int) -> socket.socket:
    """Return a socket that listens on a loopback port.

    Raises:
        RefusedError: the port is taken.
    """
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as fault:
        raise RefusedError("PORT_TAKEN", port=port, cause=fault.strerror) from None


def serve(app: ASGIApp, listener: socket.socket, wait: Wait) -> None:
    """Serve an application until it is time to stop; a request under way may finish."""
    config = uvicorn.Config(app, timeout_graceful_shutdown=GRACE_SECONDS, **SERVER_OPTIONS)
    server = uvicorn.Server(config)
    with Worker("uvicorn", lambda _: server.run(sockets=[listener])) as worker:
        while worker.alive and not wait(LOOK_SECONDS):
            pass
        server.should_exit = True


def _token(path: Path | None) -> str | None:
    if path is None:
        return None
    require_private(path)
    return path.read_text(encoding="utf-8").strip() or None


def main() -> None:
    """Run the node until it is stopped."""
    settings = loaded(MunicipalitySettings)
    refuse_sample_settings(settings)
    with MunicipalityActions.opened(settings) as actions:
        run_consumer(consumer_spec(actions), settings)
