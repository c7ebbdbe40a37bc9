"""The two keepers as this node asks them: with its own bearer tokens, and with a rest after one did not answer."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import httpx2

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.publishing.preparing import Answer, Tokens
from signal_exchange.privacy.keeper_client import NoTokens
from signal_exchange.privacy.normalising import LinkValue
from signal_exchange.privacy.register import Register
from signal_exchange.privacy.tokens import TokenMaker, keeper_clients
from signal_exchange.runtime.private_files import require_private

REST_SECONDS: Final = 30.0


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
    """Give the maker of link tokens with both keepers of the register, each of which may take so many seconds.

    `ca_file` holds the certificates to trust for them; None: those that this machine trusts.

    Raises:
        RegisterInvalidError: the register does not name two keepers with addresses and keys of their own.
    """
    trusted = ssl.create_default_context(cafile=ca_file)
    with httpx2.Client(timeout=seconds, trust_env=False, verify=trusted) as http:
        yield RestingTokens(TokenMaker(*keeper_clients(register, bearers, http)), now)


def read_bearers(path: Path | None) -> dict[str, str]:
    """Return this municipality's bearer token per keeper, from a JSON file with the keepers' names.

    Raises:
        RefusedError: others may read the file, or it holds something else.
    """
    if path is None:
        return {}
    require_private(path)
    try:
        bearers = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(bearer) for name, bearer in bearers.items()}
    except (AttributeError, ValueError):
        raise RefusedError("NO_KEEPER_TOKENS", file=path.name) from None
