"""A browser without script, that asks an application in this process."""

from __future__ import annotations

import asyncio
import re

import httpx2
from starlette.types import ASGIApp


class _InProcess(httpx2.BaseTransport):
    def __init__(self, app: ASGIApp) -> None:
        self._app = httpx2.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return asyncio.run(self._handled(request))

    async def _handled(self, request: httpx2.Request) -> httpx2.Response:
        sent = httpx2.Request(request.method, request.url, headers=request.headers, content=request.read())
        answer = await self._app.handle_async_request(sent)
        return httpx2.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


class Browser(httpx2.Client):
    """Keeps cookies, follows no redirect by itself, and sends forms as the page that it saw last would."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(transport=_InProcess(app), base_url="http://testserver")

    def become(self, subject: str, back: str = "") -> httpx2.Response:
        """Log in as a person of the practice environment."""
        return self.post("/oefenen/word", data={"wie": subject, "terug": back})

    def csrf(self, path: str) -> str:
        """Return the token that the forms of a page carry."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(path).text)
        assert found, f"{path} has no form"
        return found[1]

    def submit(self, path: str, seen: str, **fields: str | list[str]) -> httpx2.Response:
        """Send a form to a path, as the page `seen` would."""
        return self.post(path, data={"csrf": self.csrf(seen), **fields})
