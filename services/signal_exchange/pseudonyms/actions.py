"""The acts of an operator of a keeper: epoch keys, who may ask, and how much."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from signal_exchange.domain.ids import MunicipalityCode
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.times import local_day
from signal_exchange.pseudonyms.epoch_keys import destroy_epoch_key, make_epoch_key
from signal_exchange.pseudonyms.keys import HeldKey, digest_of, read_bearers, write_digests
from signal_exchange.pseudonyms.store import CounterStore, DayCount, QuotaRaise, database_of
from signal_exchange.runtime.private_files import write_private
from signal_exchange.runtime.settings import KeeperSettings

TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class KeeperActions:
    """Everything that an operator of one keeper can see or do. `now` is the clock."""

    settings: KeeperSettings
    now: Callable[[], datetime]

    def make_key(self, epoch: str) -> HeldKey:
        """Make a new key for an epoch such as 2027H1; its public key goes to the participants' register.

        Raises:
            RefusedError: the epoch has a key already.
        """
        return make_epoch_key(self.settings.keys_file, epoch)

    def destroy_key(self, epoch: str, *, early: bool = False) -> None:
        """Destroy the key of an epoch: nobody can make its tokens any more.

        Raises:
            RefusedError: there is no such key, or tokens are still made with it and `early` does not say that they need not be.
        """
        destroy_epoch_key(self.settings.keys_file, epoch, local_day(self.now()), early=early)

    def admit(self, municipality: MunicipalityCode, token_file: Path) -> None:
        """Let a municipality ask this keeper, at once; its token goes to a private file, where one that stands is kept.

        Raises:
            RefusedError: the file holds something else than tokens by keeper.
        """
        held, keeper = _tokens_in(token_file), self.settings.keeper
        bearer = held.get(keeper) or secrets.token_urlsafe(TOKEN_BYTES)
        write_private(token_file, json.dumps({**held, keeper: bearer}))
        write_digests(self.settings.tokens_file, {**self._digests(), municipality: digest_of(bearer)})

    def remove(self, municipality: MunicipalityCode) -> None:
        """Let a municipality ask this keeper no more, at once. Twice is once."""
        left = {code: digest for code, digest in self._digests().items() if code != municipality}
        write_digests(self.settings.tokens_file, left)

    def raise_quota(self, raised: QuotaRaise) -> None:
        """Let a municipality ask more for a while.

        Raises:
            RefusedError: two people must approve it, and the days must follow each other.
        """
        self._counters.raise_quota(raised, self.now())

    def usage(self, first_day: date, last_day: date) -> tuple[DayCount, ...]:
        """Return the number of requests of each municipality, per day: for the audit."""
        return self._counters.counts(first_day, last_day)

    @property
    def _counters(self) -> CounterStore:
        return CounterStore(database_of(self.settings))

    def _digests(self) -> dict[MunicipalityCode, str]:
        file = self.settings.tokens_file
        return dict(read_bearers(file).digests) if file.exists() else {}


def _tokens_in(file: Path) -> dict[str, str]:
    try:
        held = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except ValueError:
        held = None
    if not isinstance(held, dict) or not all(isinstance(each, str) and each for each in held.values()):
        raise RefusedError("NO_TOKENS_BY_KEEPER", file=file.name)
    return held
