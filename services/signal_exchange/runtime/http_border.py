"""The border before every HTTP API of ours: token, then length, within a time and a number that are bounded.

Both APIs listen on loopback behind the machine's own TLS (docs/operator/settings.md); any local user can still reach them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import h11
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from signal_exchange import words
from signal_exchange.runtime import logs
from signal_exchange.runtime.openapi import PROBLEM_TYPE

SMALL_BODY_BYTES: Final = 65_536
"""Of a request that brings no records."""
ARRIVAL_SECONDS: Final = 20.0
"""How long a request may take to arrive whole, from the connection or from the answer before it on."""
MOST_CONNECTIONS: Final = 64
"""Open at once. Each has one request under way at most, and so takes no more than one thread and one longest body."""
KEEP_ALIVE_SECONDS: Final = 5
MOST_HEADER_BYTES: Final = 16_384


@dataclass(frozen=True, slots=True)
class Border:
    """Lets a request through to `app` with its whole body, or refuses it: 401 without a known token, 413 when it is too long.

    A path in `open_paths` needs no token. `longest` says by path how many bytes a body may have where it is not SMALL_BODY_BYTES.
    `too_large` is the key of the title of that refusal. Without a token nothing of the body is kept, whatever its length.
    """

    app: ASGIApp
    knows: Callable[[str], bool]
    open_paths: frozenset[str] = frozenset()
    longest: Mapping[str, int] = field(default_factory=dict)
    too_large: str = "http.too_large"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, body = await self._judged(scope, receive)
        if status is not None:
            await self._refused(status)(scope, receive, send)
        else:
            await self.app(scope, _replayed(body, receive), send)

    def _refused(self, status: HTTPStatus) -> Response:
        return unknown_bearer() if status is HTTPStatus.UNAUTHORIZED else problem(status, words.text(self.too_large))

    async def _judged(self, scope: Scope, receive: Receive) -> tuple[HTTPStatus | None, bytes]:
        headers = Headers(scope=scope)
        if scope["path"] not in self.open_paths and not self.knows(bearer_in(headers)):
            return HTTPStatus.UNAUTHORIZED, b""
        longest = self.longest.get(scope["path"], SMALL_BODY_BYTES)
        if int(headers.get("content-length", "0")) > longest:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b""
        body = await _body(receive, longest)
        return (None, body) if body is not None else (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"")


def bearer_in(headers: Headers) -> str:
    """Return the bearer token of a request; empty when it has none."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    return bearer if scheme.lower() == "bearer" else ""


def problem(
    status: HTTPStatus, title: str, errors: Sequence[Mapping[str, Any]] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """Return a refusal as problem details (RFC 9457), with its errors if there are any; it never repeats what was sent."""
    logs.log("request_refused", status=status.value, reason=errors[0]["code"] if errors else status.name)
    content = {"type": "about:blank", "title": title, "status": status.value, **({"errors": list(errors)} if errors else {})}
    return JSONResponse(content, status_code=status, headers=headers, media_type=PROBLEM_TYPE)


def unknown_bearer() -> Response:
    """Return the refusal of a request without a bearer token that is known."""
    return problem(HTTPStatus.UNAUTHORIZED, words.text("http.unknown_token"), headers={"WWW-Authenticate": "Bearer"})


async def _body(receive: Receive, longest: int) -> bytes | None:
    """Return the whole body, or None as soon as it is too long, whatever the request says of its length."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
        if len(body) > longest:
            return None
    return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay


class TimedProtocol(H11Protocol):
    """uvicorn's protocol, that ends a connection whose request does not arrive in time, and has so many at once.

    When there are too many, the one that has waited longest for its request goes: who opens connections and says nothing cannot
    keep others out.
    """

    due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > MOST_CONNECTIONS:
            waiting = [(each.due.when(), each) for each in self.connections if isinstance(each, TimedProtocol) and each.due]
            min(waiting, key=lambda each: each[0])[1].transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait for the rest if there is any."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        self._rest()
        self._watch()

    def _watch(self) -> None:
        arrived = self.conn.their_state not in (h11.IDLE, h11.SEND_BODY)
        if arrived:
            self._rest()
        elif self.due is None:
            self.due = self.loop.call_later(ARRIVAL_SECONDS, self.transport.abort)

    def _rest(self) -> None:
        if self.due is not None:
            self.due.cancel()
            self.due = None


SERVER_OPTIONS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "http": TimedProtocol,
        "ws": "none",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "lifespan": "off",
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "h11_max_incomplete_event_size": MOST_HEADER_BYTES,
    }
)
"""For uvicorn: every API of ours is served like this."""
