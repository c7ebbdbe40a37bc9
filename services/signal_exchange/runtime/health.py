"""Health by progress: a process that does not move while it should is unhealthy, whatever it says of itself (promise 4)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import generate_latest

from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused
from signal_exchange.runtime.metrics import Metrics

LOOPBACK = "127.0.0.1"


@dataclass(slots=True)
class Progress:
    """When this process last moved: it finished a batch, or it looked and there was nothing to do.

    `stall_seconds` without either makes it unhealthy; `waiting_for` names a part of the world that does not answer.
    """

    metrics: Metrics
    stall_seconds: float = 60.0
    waiting_for: str | None = None
    moved_at: float = field(default_factory=lambda: clock.now().timestamp())
    started: bool = False

    def moved(self) -> None:
        """Say that the process moved, or had nothing to do."""
        self.moved_at, self.started, self.waiting_for = clock.now().timestamp(), True, None
        self.metrics.last_progress.set(self.moved_at)

    def waits(self, step: str) -> None:
        """Say that the world does not answer at this step."""
        self.waiting_for = step

    def alive(self) -> bool:
        """Say whether the process moved lately."""
        return clock.now().timestamp() - self.moved_at < self.stall_seconds

    def ready(self) -> bool:
        """Say whether the process does its work now."""
        return self.started and self.waiting_for is None and self.alive()


class HealthServer:
    """Answers /metrics, /health/live and /health/ready in a thread of its own, on loopback unless `listen` says otherwise.

    Raises:
        Refused: the port is taken.
    """

    def __init__(self, port: int, metrics: Metrics, progress: Progress, listen: str = LOOPBACK) -> None:
        self._server = _listening((listen, port), _handler(metrics, progress))
        self._server.daemon_threads = True
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


def _listening(place: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    try:
        return ThreadingHTTPServer(place, handler)
    except OSError as fault:
        raise Refused(f"The port {place[1]} of /metrics and /health cannot be listened on: {fault.strerror}.") from None


def _handler(metrics: Metrics, progress: Progress) -> type[BaseHTTPRequestHandler]:
    answers: dict[str, Callable[[], tuple[HTTPStatus, str, bytes]]] = {
        "/metrics": lambda: (HTTPStatus.OK, "text/plain; version=0.0.4", generate_latest(metrics.registry)),
        "/health/live": lambda: _verdict(progress.alive(), progress),
        "/health/ready": lambda: _verdict(progress.ready(), progress),
    }

    class Handler(BaseHTTPRequestHandler):
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
