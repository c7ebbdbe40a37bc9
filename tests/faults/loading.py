"""Load from outside: a municipality's own system that delivers records over REST and tries again until it has an answer."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence

from signal_exchange.contracts.topics import municipality_principal
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.region.model import Arrival

ANSWER_SECONDS = 60.0
LONGEST_SECONDS = 180.0
PAUSE_SECONDS = 0.3


class Deliverer:
    """Delivers arrivals one by one, in their order, spread over `spread_seconds`."""

    def __init__(self, exchange: Exchange, spread_seconds: float) -> None:
        self._exchange, self._spread_seconds = exchange, spread_seconds

    def deliver(self, arrivals: Sequence[Arrival]) -> None:
        """Deliver every arrival; a refusal of a bad record is an answer too.

        Raises:
            AssertionError: a node did not answer in time.
        """
        began = time.monotonic()
        for place, arrival in enumerate(arrivals):
            until = began + self._spread_seconds * place / len(arrivals)
            time.sleep(max(0.0, until - time.monotonic()))
            _insist(lambda arrival=arrival: self._post(arrival))  # type: ignore[misc]  # bound now, called now

    def _post(self, arrival: Arrival) -> None:
        code = arrival.key.municipality
        name = municipality_principal(code)
        token = (self._exchange.region.process_folder(name) / "api-token").read_text(encoding="utf-8").strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._exchange.region.ports[name]}/v1/signalen",
            json.dumps([arrival.record]).encode(),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
            assert answer.status == 207


def _insist(post: Callable[[], None]) -> None:
    end = time.monotonic() + LONGEST_SECONDS
    while not _answers(post):
        assert time.monotonic() < end, f"no answer within {LONGEST_SECONDS:.0f} s"
        time.sleep(PAUSE_SECONDS)


def _answers(post: Callable[[], None]) -> bool:
    try:
        post()
    except OSError:  # refused, reset, timed out, or a 5xx answer: whoever delivers tries again
        return False
    return True
