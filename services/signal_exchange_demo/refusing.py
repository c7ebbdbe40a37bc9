"""Refusals of the demo, which is for developers: their sentences are English, and stand where they are raised."""

from __future__ import annotations

from signal_exchange.domain.refusals import RefusedError


class DemoError(RefusedError):
    """The demo cannot do what was asked of it."""

    def __init__(self, text: str) -> None:
        super().__init__("SAID", text=text)

    def __str__(self) -> str:
        """Return the sentence."""
        return str(self.facts["text"])
