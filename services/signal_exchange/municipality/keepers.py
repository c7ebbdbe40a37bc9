"""The two keepers as this node asks them: with its own bearer tokens, and with a rest after one did not answer."""

from __future__ import annotations

import json
import ssl
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import httpx

from signal_exchange.municipality.preparing import Tokens
from signal_exchange.privacy.keeper_client import NoTokens
from signal_exchange.privacy.normalising import LinkValue
from signal_exchange.privacy.register import Register
from signal_exchange.privacy.sealing import LinkToken
from signal_exchange.privacy.tokens import TokenMaker, keeper_clients
from signal_exchange.runtime.faults import Refused

REST_SECONDS: Final = 30.0

Answer = tuple[LinkToken, ...] | NoTokens


class RestingTokens:
    """Asks nothing for a while after a keeper did not answer, so that a long file does not wait for it chunk after chunk."""

    def __init__(self, tokens: Tokens, now: Callable[[], datetime], rest_seconds: float = REST_SECONDS) -> None:
        self._tokens, self._now, self._rest = tokens, now, timedelta(seconds=rest_seconds)
        self._resting: tuple[datetime, NoTokens] | None = None

    def tokens_for_many(self, records: Sequence[Sequence[LinkValue]], *, epoch: str) -> list[Answer]:
        """Return the tokens of each record, or why it has none."""
        if self._resting is not None and self._now() < self._resting[0]:
            return [self._resting[1] if values else () for values in records]
        answers = self._tokens.tokens_for_many(records, epoch=epoch)
        refusal = next((answer for answer in answers if isinstance(answer, NoTokens)), None)
        self._resting = (self._now() + self._rest, refusal) if refusal else None
        return answers


@contextmanager
def keeper_tokens(
    register: Register,
    bearers: Mapping[str, str],
    *,
    seconds: float,
    now: Callable[[], datetime],
    ca_file: Path | None = None,
) -> Iterator[RestingTokens]:
    """Give what makes link tokens with both keepers of the register, each of which may take so many seconds.

    `ca_file` holds the certificates to trust for them; None: those that this machine trusts.

    Raises:
        RegisterInvalid: the register does not name two keepers with addresses and keys of their own.
    """
    trusted = ssl.create_default_context(cafile=ca_file)
    with httpx.Client(timeout=seconds, trust_env=False, verify=trusted) as http:
        yield RestingTokens(TokenMaker(*keeper_clients(register, bearers, http)), now)


def read_bearers(path: Path | None) -> dict[str, str]:
    """Return this municipality's bearer token per keeper, from a JSON file with the keepers' names.

    Raises:
        Refused: others may read the file, or it holds something else.
    """
    if path is None:
        return {}
    require_private(path)
    try:
        bearers = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(bearer) for name, bearer in bearers.items()}
    except (AttributeError, ValueError):
        raise Refused(f"Het bestand {path.name} bevat geen bearer-token per sleutelbewaarder.") from None


def require_private(path: Path) -> None:
    """Refuse a secret that others may read.

    Raises:
        Refused: the file's mode is wider than 600.
    """
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Refused(f"Anderen mogen het bestand {path.name} lezen: geef het modus 600.")
