"""Puts the node of a municipality together: inbox, relay and REST API in one process."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from signal_exchange.contracts.topics import feedback_topic, municipality_principal
from signal_exchange.municipality.api import Api, Publish, create_app
from signal_exchange.municipality.commands import municipality_settings
from signal_exchange.municipality.ending_rejects import end_old_rejects
from signal_exchange.municipality.inbox import ParkInVault
from signal_exchange.municipality.keepers import require_private
from signal_exchange.municipality.node import SERVICE, Node, node_of
from signal_exchange.municipality.parked import InboxParked
from signal_exchange.municipality.publishing import Publisher
from signal_exchange.municipality.relay import RelayLoop
from signal_exchange.municipality.renewing import RenewLoop
from signal_exchange.municipality.store import OUTBOX_OF_CONSUMER
from signal_exchange.municipality.threads import Wait, Worker
from signal_exchange.municipality.tracing import json_safe
from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused
from signal_exchange.runtime.http_border import SERVER_OPTIONS
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.runtime.refusals import refuse_sample_settings
from signal_exchange.stream.service import ConsumerSpec, every, run_consumer

LOOPBACK: Final = "127.0.0.1"
LOOK_SECONDS: Final = 0.2
PARKED_SECONDS: Final = 15.0
"""Pause between two looks at what the inbox could not read."""
REJECTS_SECONDS: Final = 3_600.0
"""Pause between two looks for reject files that are too old."""
STOP_SECONDS: Final = 15.0
GRACE_SECONDS: Final = 5
"""How long a request under way may take to finish when the node stops."""


def consumer_spec(node: Node, publisher: Publisher) -> ConsumerSpec:
    """Return what makes the common consumer into the node of a municipality."""
    settings = node.settings
    name = municipality_principal(settings.municipality)
    relay = Worker("relay", _relay_loop(node).run)
    parked = InboxParked(name, node.database, node.vault_key, node.identity.parking_seal(SERVICE), node.inbox())
    return ConsumerSpec(
        name=name,
        reader=SERVICE,
        sources=(feedback_topic(settings.municipality),),
        database=node.database,
        outbox=OUTBOX_OF_CONSUMER,
        handle=node.inbox(),
        seal=node.identity.parking_seal(SERVICE),
        alongside=(
            beside(relay),
            beside(Worker("renewer", RenewLoop(node.renewer(publisher.preparer.tokens), settings.renew_seconds).run)),
            beside(Worker("api", _serve_api(node, publisher))),
            every(PARKED_SECONDS, lambda: tell_parked(parked, node.metrics)),
            every(REJECTS_SECONDS, lambda: _end_old_rejects(settings.data_dir)),
        ),
        park=ParkInVault(node.vault_key),
        look=node.identity.current_register,
        parks_on_topic=False,
        metrics=node.metrics,
        watched={"relay": lambda: relay.signs},
    )


def tell_parked(parked: InboxParked, metrics: Metrics) -> None:
    """Tell as metrics what the inbox could not read and how long the oldest of it waits, for the municipality's own alarms."""
    waiting = parked.waiting()
    metrics.parked_waiting.clear()  # what was decided must not stay as its last figure
    for reason, count in Counter(each["reason"] for each in waiting).items():
        metrics.parked_waiting.labels(SERVICE, reason).set(count)
    age = max((clock.now() - each["parked_at"] for each in waiting), default=timedelta())
    metrics.parked_oldest_seconds.labels(SERVICE).set(age.total_seconds())


def _end_old_rejects(data_dir: Path) -> None:
    end_old_rejects(data_dir, clock.now())


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


def _relay_loop(node: Node) -> RelayLoop:
    settings = node.settings
    return RelayLoop(node.relay(), relay_seconds=settings.relay_seconds, checkpoint_seconds=settings.checkpoint_seconds)


def _serve_api(node: Node, publisher: Publisher) -> Callable[[Wait], None]:
    settings = node.settings
    app = create_app(api_of(node, publisher.publish, _token(settings.api_token_file)))
    return lambda wait: serve(app, listening(settings.api_port), wait)


def api_of(node: Node, publish: Publish, token: str | None) -> Api:
    """Return what the REST API does its work with."""

    def withdraw(reference: str, reason: str) -> dict[str, Any]:
        return asdict(node.withdrawer().withdraw(reference, reason, clock.now()))

    def erase(reference: str, by: str) -> dict[str, Any]:
        return json_safe(asdict(node.eraser().erase(reference, by, clock.now())))

    def certificate(signal_id: str) -> dict[str, Any]:
        return json_safe(node.certificates().one(signal_id))

    def renew() -> dict[str, Any]:
        with node.keepers() as tokens:
            return asdict(node.renewer(tokens).renew())

    return Api(publish, node.tracer().trace, withdraw, erase, certificate, token, node.officers(), renew)


def listening(port: int) -> socket.socket:
    """Return a socket that listens on a loopback port.

    Raises:
        Refused: the port is taken.
    """
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as fault:
        raise Refused(f"The port {port} of the REST API cannot be listened on: {fault.strerror}.") from None


def serve(app: ASGIApp, listener: socket.socket, wait: Wait) -> None:
    """Serve an application until it is time to stop; a request under way may finish."""
    config = uvicorn.Config(app, timeout_graceful_shutdown=GRACE_SECONDS, **SERVER_OPTIONS)
    server = uvicorn.Server(config)
    with Worker("uvicorn", lambda _: server.run(sockets=[listener])) as worker:
        while worker.alive and not wait(LOOK_SECONDS):
            pass
        server.should_exit = True
    if worker.error is not None:
        raise worker.error


def _token(path: Path | None) -> str | None:
    if path is None:
        return None
    require_private(path)
    return path.read_text(encoding="utf-8").strip() or None


def main() -> None:
    """Run the node until it is stopped."""
    settings = municipality_settings(None)
    refuse_sample_settings(settings)
    node = node_of(settings)
    with node.publishing() as publisher:
        run_consumer(consumer_spec(node, publisher), settings)
