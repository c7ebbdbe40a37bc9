"""Health by progress: what does not move is not alive, and what waits for the world is not ready (promise 4)."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time as clock_time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from refusing import refused
from structlog.testing import capture_logs

from signal_exchange.runtime import clock, health
from signal_exchange.runtime.health import CONNECTIONS, HealthServer, Progress
from signal_exchange.runtime.metrics import Metrics

BEGIN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


class Clock:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.at = BEGIN

    def now(self) -> datetime:
        return self.at

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    standing = Clock()
    monkeypatch.setattr(clock, "now", standing.now)
    return standing


@pytest.fixture
def progress(time: Clock) -> Progress:  # noqa: ARG001 - the clock stands first
    return Progress(Metrics(), stall_seconds=60)


def test_a_process_that_just_started_is_alive_and_not_ready(progress: Progress) -> None:
    assert (progress.alive(), progress.ready()) == (True, False)


def test_a_process_that_moved_is_ready(progress: Progress) -> None:
    progress.moved()
    assert (progress.alive(), progress.ready()) == (True, True)


def test_a_process_that_has_not_moved_for_the_stall_time_is_neither_alive_nor_ready(progress: Progress, time: Clock) -> None:
    progress.moved()
    time.passes(59.9)
    assert (progress.alive(), progress.ready()) == (True, True)
    time.passes(0.1)
    assert (progress.alive(), progress.ready()) == (False, False)


def test_a_process_that_never_moved_dies_after_the_stall_time(progress: Progress, time: Clock) -> None:
    time.passes(60)
    assert not progress.alive()


def test_a_process_that_waits_for_the_world_is_alive_and_not_ready_until_it_moves(progress: Progress) -> None:
    progress.moved()
    progress.waits("store")
    assert (progress.alive(), progress.ready()) == (True, False)
    progress.moved()
    assert progress.ready()


def test_every_step_and_every_wait_is_a_sign_of_life_but_no_progress(progress: Progress, time: Clock) -> None:
    time.passes(60)
    for sign in (progress.steps, lambda: progress.waits("store")):
        before = progress.signs
        sign()
        assert progress.signs > before
    assert not progress.alive()
    progress.moved()
    assert progress.alive()


def test_the_last_progress_is_a_metric_in_unix_time(progress: Progress, time: Clock) -> None:
    time.passes(5)
    progress.moved()
    value = progress.metrics.registry.get_sample_value("signal_exchange_last_progress_timestamp_seconds")
    assert value == BEGIN.timestamp() + 5


@pytest.fixture
def server(progress: Progress) -> Iterator[HealthServer]:
    running = HealthServer(0, progress.metrics, progress)
    running.start()
    yield running
    running.stop()


def test_it_listens_where_it_is_told_and_nowhere_else(progress: Progress) -> None:
    elsewhere = HealthServer(0, progress.metrics, progress, "127.0.0.2")
    elsewhere.start()
    try:
        with urllib.request.urlopen(f"http://127.0.0.2:{elsewhere.port}/metrics", timeout=5) as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.URLError):
            get(elsewhere, "/metrics")
    finally:
        elsewhere.stop()


def get(server: HealthServer, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers["Content-Type"], refusal.read()


def test_ready_says_503_and_what_it_waits_for(server: HealthServer, progress: Progress) -> None:
    progress.moved()
    progress.waits("broker")
    status, content_type, body = get(server, "/health/ready")
    assert (status, content_type, json.loads(body)) == (
        503,
        "application/health+json",
        {"status": "fail", "waiting_for": "broker"},
    )
    assert get(server, "/health/live")[0] == 200


def test_ready_says_200_after_progress(server: HealthServer, progress: Progress) -> None:
    progress.moved()
    status, _, body = get(server, "/health/ready")
    assert (status, json.loads(body)) == (200, {"status": "pass", "waiting_for": None})


def test_live_says_503_after_a_stall(server: HealthServer, time: Clock) -> None:
    time.passes(61)
    assert get(server, "/health/live")[0] == 503


def test_metrics_are_served_as_prometheus_reads_them(server: HealthServer) -> None:
    status, content_type, body = get(server, "/metrics")
    assert (status, content_type) == (200, "text/plain; version=0.0.4")
    assert b"signal_exchange_batches_handled_total 0.0" in body


def test_any_other_address_is_404_and_repeats_nothing_of_it(server: HealthServer, capfd: pytest.CaptureFixture[str]) -> None:
    status, _, body = get(server, "/health/ready?name=synthetic-person")
    assert (status, body) == (404, b"Not found.\n")
    assert "synthetic-person" not in "".join(capfd.readouterr())


def test_nothing_but_get_is_answered(server: HealthServer) -> None:
    assert get(server, "/health/live", "POST")[0] == 501


def test_after_stop_the_port_is_free(progress: Progress) -> None:
    first = HealthServer(0, progress.metrics, progress)
    first.start()
    port = first.port
    first.stop()
    second = HealthServer(port, progress.metrics, progress)
    second.start()
    second.stop()
    assert second.port == port


def test_a_taken_port_is_refused_in_one_sentence_that_names_it(server: HealthServer, progress: Progress) -> None:
    with refused(f"port {server.port} of /metrics and /health cannot be listened on", "en"):
        HealthServer(server.port, progress.metrics, progress)


def connected(server: HealthServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def threads() -> int:
    return sum("process_request_thread" in each.name for each in threading.enumerate())


def test_idle_connections_are_closed_and_threads_are_bounded_however_many_come(server: HealthServer, progress: Progress) -> None:
    progress.moved()
    idle = [connected(server) for _ in range(300)]
    try:
        assert get(server, "/health/ready")[0] == 200  # who comes last is answered, whoever holds on
        eventually(lambda: threads() <= CONNECTIONS)
        assert [each.recv(1) for each in idle] == [b""] * 300
        eventually(lambda: threads() == 0)
    finally:
        for each in idle:
            each.close()


def test_who_sends_a_byte_now_and_then_is_hung_up_on_too(server: HealthServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.5)
    with connected(server) as slow:
        eventually(lambda: not took(slow, b"G"))
    eventually(lambda: threads() == 0)


def test_a_probe_that_hangs_up_early_leaves_no_word(
    server: HealthServer, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "generate_latest", lambda _registry: b"x" * 50_000_000)  # more than any socket holds
    for _ in range(5):
        with connected(server) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closes with a reset
            probe.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            assert probe.recv(1) == b"H"
    eventually(lambda: threads() == 0)
    assert capfd.readouterr() == ("", "")


def test_a_fault_of_our_own_is_told_by_its_type(server: HealthServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_registry: object) -> bytes:
        raise ValueError("TV-a-value-that-must-never-show")

    monkeypatch.setattr(health, "generate_latest", broken)
    with capture_logs() as logged, connected(server) as probe:
        probe.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert probe.recv(1) == b""
    assert logged == [{"event": "request_refused", "status": 500, "reason": "ValueError", "log_level": "warning"}]


def took(connection: socket.socket, sent: bytes) -> bool:
    try:
        connection.sendall(sent)
    except OSError:
        return False
    return True


def eventually(holds: Callable[[], bool]) -> None:
    end = clock_time.monotonic() + 60
    while not holds():
        assert clock_time.monotonic() < end
        clock_time.sleep(0.05)
