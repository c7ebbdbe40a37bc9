"""Log-ins that went to an identity provider and are not back, and how often one address may try."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import Final

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.web.oidc.provider import LoginStarted

GOOD_FOR: Final = timedelta(minutes=10)
KEPT_FOR: Final = timedelta(hours=1)
"""A log-in that comes back too late is begun anew, and still ends at the page that was asked for."""
MOST_PENDING: Final = 10_000
TRIES_A_MINUTE: Final = 60
"""By one address, behind which a whole town hall may sit."""
TRIES_ALTOGETHER: Final = 600
"""By all of them: an address is as the proxy before us tells it."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A log-in that is on its way: at which provider it began, in which browser (a digest), and for which page."""

    provider: str
    started: LoginStarted
    browser: str = field(repr=False)
    back: str
    began_at: datetime

    def is_good(self, browser: str, now: datetime) -> bool:
        """Say whether an answer may still come, from this browser."""
        return hmac.compare_digest(self.browser, browser) and now - self.began_at < GOOD_FOR


class PendingLogIns:
    """The log-ins on their way, in the memory of this process: each is good for one answer, in the browser in which it began.

    Several at once are no trouble, as in several tabs. After a restart of the process a log-in begins anew.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now, self._lock = now, Lock()
        self._by_state: dict[str, Pending] = {}

    def keep(self, provider: str, started: LoginStarted, browser: str, back: str) -> None:
        """Keep one until its answer comes; the oldest go when there are too many."""
        now = self._now()
        with self._lock:
            young = {state: each for state, each in self._by_state.items() if now - each.began_at < KEPT_FOR}
            for state in list(young)[: max(0, len(young) - MOST_PENDING + 1)]:
                del young[state]
            self._by_state = young | {started.state: Pending(provider, started, _digest(browser), back, now)}

    def take(self, state: str, browser: str) -> Pending:
        """Return the log-in to which an answer belongs, once.

        Raises:
            RefusedError: there is none, it began in another browser, or it is too old.
        """
        with self._lock:
            found = self._by_state.get(state)
            if found is None or not found.is_good(_digest(browser), self._now()):
                raise RefusedError("LOGIN_ANSWER_OF_ANOTHER")
            del self._by_state[state]
        return found

    def asked_for(self, browser: str, otherwise: str) -> str:
        """Return the page for which this browser began a log-in last."""
        with self._lock:
            own = [each.back for each in self._by_state.values() if each.browser == _digest(browser)]
        return own[-1] if own else otherwise


class Turnstile:
    """Counts the tries of each address within a minute, and keeps none longer."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now, self._lock = now, Lock()
        self._minute, self._tries = now(), Counter[str]()

    def let_through(self, address: str) -> None:
        """Count one try.

        Raises:
            RefusedError: it is one too many.
        """
        with self._lock:
            if self._now() - self._minute >= timedelta(minutes=1):
                self._minute, self._tries = self._now(), Counter()
            self._tries[address] += 1
            if self._tries[address] > TRIES_A_MINUTE or self._tries.total() > TRIES_ALTOGETHER:
                raise RefusedError("LOGIN_TOO_OFTEN")


def _digest(browser: str) -> str:
    return sha256(browser.encode()).hexdigest()
