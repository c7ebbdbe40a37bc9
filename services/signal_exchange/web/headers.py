"""The headers of every page: nothing comes from elsewhere, runs inline, stays in a browser or shows in a frame."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
"""Content-Security-Policy of each page; where its forms may go besides stands at the end."""
HEADERS: Final = MappingProxyType(
    {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }
)
NO_STORE: Final = "no-store"


class SafeHeaders:
    """Adds HEADERS to every answer, and lets a browser keep only what says that it may be kept."""

    def __init__(self, app: ASGIApp, forms_to: Sequence[str] = ()) -> None:
        self.app, self._policy = app, " ".join((_POLICY, *forms_to))
        # Another site is told from which one a form comes, and nothing more; without that it is told "null".
        self._referrer = "strict-origin" if forms_to else "same-origin"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.update({"Content-Security-Policy": self._policy, "Referrer-Policy": self._referrer})
                headers.setdefault("Cache-Control", NO_STORE)
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)
