"""Health by progress: a process that does not move while it should is unhealthy, whatever it says of itself (promise 4)."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import generate_latest

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime import clock, logs
from signal_exchange.runtime.metrics import Metrics

LOOPBACK = "127.0.0.1"
CONNECTIONS = 16
"""Most connections at once to /metrics and /health, each with a thread of its own; one more closes the oldest."""
ANSWER_SECONDS = 5.0
"""How long one connection may take, from its first byte to its last."""


@dataclass(slots=True)
class Progress:
    """The moment at which this process last moved: it finished a batch, or it looked and there was nothing to do.

    `stall_seconds` without either makes it unhealthy; `waiting_for` names a part of the world that does not answer. `signs`
    counts everything that shows that it does not stand still: also a step of a batch, and a try at a world that is away.
    """

    metrics: Metrics
    stall_seconds: float = 60.0
    waiting_for: str | None = None
    moved_at: float = field(default_factory=lambda: clock.now().timestamp())
    started: bool = False
    signs: int = 0

    def moved(self) -> None:
        """Say that the process moved, or had nothing to do."""
        self.moved_at, self.started, self.waiting_for = clock.now().timestamp(), True, None
        self.signs += 1
        self.metrics.last_progress.set(self.moved_at)

    def steps(self) -> None:
        """Say that a step of the batch in hand is done."""
        self.signs += 1

    def waits(self, step: str) -> None:
        """Say that the world does not answer at this step."""
        self.waiting_for = step
        self.signs += 1

    def alive(self) -> bool:
        """Say whether the process moved lately."""
        return clock.now().timestamp() - self.moved_at < self.stall_seconds

    def ready(self) -> bool:
        """Say whether the process does its work now."""
        return self.started and self.waiting_for is None and self.alive()


class HealthServer:
    """Answers /metrics, /health/live and /health/ready in a thread of its own, on loopback unless `listen` says otherwise.

    Raises:
        RefusedError: the port is taken.
    """

    def __init__(self, port: int, metrics: Metrics, progress: Progress, listen: str = LOOPBACK) -> None:
        try:
            self._server = _Server((listen, port), _handler(metrics, progress))
        except OSError as fault:
            raise RefusedError("PORT_OF_METRICS", port=port, fault=fault.strerror) from None
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """Return the port that it listens on; with port 0 the system chose one."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Start to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop to answer and free the port."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """A server that nobody can fill: idle and slow connections are closed, and their number is bounded."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, place: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(place, handler)
        self._open: dict[socket.socket, float] = {}
        self._guard = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the parent's own types
        with self._guard:
            for oldest in list(self._open)[: max(0, len(self._open) + 1 - CONNECTIONS)]:
                self._hang_up(oldest)
            self._open[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401
        with self._guard:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Hang up on whoever takes too long; called twice a second."""
        with self._guard:
            late = [request for request, began in self._open.items() if time.monotonic() - began > ANSWER_SECONDS]
            for request in late:
                self._hang_up(request)

    def _hang_up(self, request: socket.socket) -> None:
        del self._open[request]
        with suppress(OSError):  # it hung up itself
            request.shutdown(socket.SHUT_RDWR)  # its thread sees the end, and closes it

    def handle_error(self, _request: Any, _client_address: Any) -> None:  # noqa: ANN401
        """Tell a fault of ours by its type; who hangs up too early is none."""
        fault = sys.exc_info()[1]
        if not isinstance(fault, OSError):
            logs.warn("request_refused", status=int(HTTPStatus.INTERNAL_SERVER_ERROR), reason=type(fault).__name__)


def _handler(metrics: Metrics, progress: Progress) -> type[BaseHTTPRequestHandler]:
    answers: dict[str, Callable[[], tuple[HTTPStatus, str, bytes]]] = {
        "/metrics": lambda: (HTTPStatus.OK, "text/plain; version=0.0.4", generate_latest(metrics.registry)),
        "/health/live": lambda: _verdict(progress.alive(), progress),
        "/health/ready": lambda: _verdict(progress.ready(), progress),
    }

    class Handler(BaseHTTPRequestHandler):
        timeout = ANSWER_SECONDS

        def do_GET(self) -> None:
            missing = (HTTPStatus.NOT_FOUND, "text/plain", b"Not found.\n")
            status, content_type, body = answers.get(self.path, lambda: missing)()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the parent's argument
            """Log nothing: a request line may hold anything."""

    return Handler


def _verdict(good: bool, progress: Progress) -> tuple[HTTPStatus, str, bytes]:  # noqa: FBT001 - the verdict itself
    status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
    body = {"status": "pass" if good else "fail", "waiting_for": progress.waiting_for}
    return status, "application/health+json", json.dumps(body).encode()
