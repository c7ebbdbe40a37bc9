"""Every HTTP API of ours: token before body, a length that is counted, and connections that are bounded in time and number."""

from __future__ import annotations

import http.client
import resource
import socket
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import pytest
from fastapi import FastAPI, Request
from nodes import served
from pydantic import BaseModel

from signal_exchange.runtime import http_border
from signal_exchange.runtime.http_border import MOST_CONNECTIONS, Border

TOKEN = "synthetic-token"
KNOWN = {"Authorization": f"Bearer {TOKEN}"}
LONGEST = 1_000
MEGABYTE = bytes(1_000_000)
SEEN: list[int] = []


class Wanted(BaseModel):
    """A body that FastAPI would read by itself."""

    text: str


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    app = FastAPI(openapi_url=None)
    app.add_middleware(
        Border,
        knows=lambda given: given == TOKEN,
        open_paths=frozenset({"/open"}),
        longest={"/small": LONGEST},
    )

    @app.post("/small")
    async def small(request: Request) -> int:
        SEEN.append(len(await request.body()))
        return SEEN[-1]

    @app.post("/model")
    async def model(wanted: Wanted) -> int:
        return len(wanted.text)

    @app.get("/open")
    async def opened() -> int:
        return 0

    with served([(app, 0)]) as (url,):
        host, port = url.removeprefix("http://").split(":")
        yield host, int(port)


def answered(connection: http.client.HTTPConnection) -> tuple[int, bytes]:
    response = connection.getresponse()
    return response.status, response.read()


def chunked(address: tuple[str, int], path: str, pieces: Iterator[bytes], headers: dict[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request("POST", path, body=pieces, headers=headers, encode_chunked=True)
    return answered(connection)


def with_length(address: tuple[str, int], path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request("POST", path, body=body, headers=headers)
    return answered(connection)


def in_pieces(address: tuple[str, int], path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    return chunked(address, path, iter([body[start : start + 300] for start in range(0, len(body), 300)]), headers)


SENT = pytest.mark.parametrize("sent", [with_length, in_pieces])
Send = Callable[..., tuple[int, bytes]]


@SENT
@pytest.mark.parametrize("excess", [0, 1])
def test_a_body_is_taken_to_its_limit_and_no_further(address: tuple[str, int], sent: Send, excess: int) -> None:
    status, _ = sent(address, "/small", bytes(LONGEST + excess), KNOWN)
    assert status == (HTTPStatus.REQUEST_ENTITY_TOO_LARGE if excess else HTTPStatus.OK)
    assert all(seen <= LONGEST for seen in SEEN)


@SENT
def test_every_route_has_a_limit_also_one_that_reads_a_model(address: tuple[str, int], sent: Send) -> None:
    fits, too_long = (b'{"text": "' + b"x" * size + b'"}' for size in (60_000, 66_000))
    headers = {**KNOWN, "Content-Type": "application/json"}
    assert sent(address, "/model", fits, headers) == (HTTPStatus.OK, b"60000")
    assert sent(address, "/model", too_long, headers)[0] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize("path", ["/small", "/model", "/nowhere"])
def test_eighty_megabytes_without_a_token_are_refused_and_not_kept(address: tuple[str, int], path: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status, _ = chunked(address, path, (MEGABYTE for _ in range(80)), {})
    assert status == HTTPStatus.UNAUTHORIZED
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kilobytes


def test_what_needs_no_token_is_open(address: tuple[str, int]) -> None:
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request("GET", "/open")
    assert answered(connection) == (HTTPStatus.OK, b"0")


def ends(connection: socket.socket) -> bool:
    """Wait until the other side ends a connection, and say that it did."""
    connection.settimeout(30)
    try:
        return connection.recv(1000) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"POST /small HTTP/1.1\r\nHost: x\r\n",
        b"POST /small HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer synthetic-token\r\nContent-Length: 900\r\n\r\nabc",
    ],
    ids=["nothing", "half its headers", "half its body"],
)
def test_a_request_that_does_not_arrive_ends_its_connection(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(http_border, "ARRIVAL_SECONDS", 0.5)
    with socket.create_connection(address) as slow:
        slow.sendall(begun)
        assert ends(slow)


def trickle(slow: socket.socket) -> None:
    slow.sendall(b"POST /small HTTP/1.1\r\nHost: x\r\n")
    for _ in range(600):
        slow.sendall(b"x")
        time.sleep(0.05)


def test_who_keeps_a_request_going_with_a_byte_now_and_then_is_ended_too(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_border, "ARRIVAL_SECONDS", 0.5)
    with socket.create_connection(address) as slow, pytest.raises(ConnectionError):
        trickle(slow)


def test_idle_connections_keep_nobody_out_and_are_bounded(address: tuple[str, int]) -> None:
    idle = [socket.create_connection(address) for _ in range(MOST_CONNECTIONS + 20)]
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request("GET", "/open")
    assert answered(connection)[0] == HTTPStatus.OK
    assert all(map(ends, idle[:20]))
    for each in idle:
        each.close()


def test_a_request_with_endless_headers_is_refused(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as endless:
        endless.sendall(b"GET /open HTTP/1.1\r\nX: " + b"x" * 40_000)
        endless.settimeout(30)
        assert endless.recv(100).startswith(b"HTTP/1.1 400")


def test_one_connection_may_bring_request_after_request(address: tuple[str, int]) -> None:
    connection = http.client.HTTPConnection(*address, timeout=30)
    found: list[Any] = []
    for _ in range(3):
        connection.request("POST", "/small", body=b"abc", headers=KNOWN)
        found.append(answered(connection))
    assert found == [(HTTPStatus.OK, b"3")] * 3
