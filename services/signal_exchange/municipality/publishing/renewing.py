"""Makes link tokens that are due: those that a keeper could not make before, and those of a new epoch (R-LINK-01).

They travel as TokensRenewed: no new version, and nothing is routed again.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from signal_exchange.contracts import cloud_events
from signal_exchange.contracts.records import TOKENS_RENEWED_BODY, TokensRenewedBody
from signal_exchange.domain.links.epochs import epoch_of
from signal_exchange.domain.times import local_day
from signal_exchange.municipality.publishing.preparing import Preparer
from signal_exchange.municipality.sending.outbox import Outbox, Outgoing
from signal_exchange.municipality.store import Due, Vault
from signal_exchange.privacy.keeper_client import NoTokens
from signal_exchange.privacy.normalising import LinkValue, link_values
from signal_exchange.privacy.register import NoSealingKeyError
from signal_exchange.privacy.sealing import TOKEN_SLOTS, LinkToken, encode_tokens
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.runtime import logs
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import WorldUnavailableError
from signal_exchange.stream.setting_aside import NO_SEALING_KEY

CHUNK_SIGNALS: Final = 100
"""How many signals are looked at together: their values share requests to the keepers."""
_Made = tuple[Due, Sequence[LinkToken]]


@dataclass(frozen=True, slots=True)
class Renewed:
    """Number of signals with new tokens, and the reason why others wait: a keeper's, NO_SEALING_KEY, or None when none does."""

    count: int
    waits: str | None = None


@dataclass(frozen=True, slots=True)
class Renewer:
    """Renews the tokens of one municipality's signals. `now` is its clock."""

    municipality: str
    vault_key: VaultKey
    database: Database
    preparer: Preparer
    now: Callable[[], datetime]

    def renew(self) -> Renewed:
        """Make every token that is due, until a keeper does not answer or the register lacks linking's key.

        Raises:
            StoreUnavailableError: the database does not answer; what was renewed before holds.
        """
        epoch, count = epoch_of(local_day(self.now())), 0
        while due := self._due(epoch):
            made, refusal = self._made(due, epoch)
            try:
                count += self._keep(made, epoch)
            except NoSealingKeyError as fault:
                logs.warn("sealing_key_missing", reason=str(fault))
                return Renewed(count, NO_SEALING_KEY)
            if refusal is not None:
                logs.warn("tokens_pending", reason=refusal.reason.value, count=len(due) - len(made))
                return Renewed(count, refusal.reason.value)
        return Renewed(count)

    def _due(self, epoch: str) -> list[Due]:
        with self.database.reading() as connection:
            return Vault(connection).tokens_due(epoch, CHUNK_SIGNALS)

    def _made(self, due: Sequence[Due], epoch: str) -> tuple[list[_Made], NoTokens | None]:
        wanted = [self._values(each) for each in due]
        answers = self.preparer.tokens.tokens_for_many(wanted, epoch=epoch) if any(wanted) else [()] * len(due)
        refusal = next((answer for answer in answers if isinstance(answer, NoTokens)), None)
        both = zip(due, answers, strict=True)
        return [(each, answer) for each, answer in both if not isinstance(answer, NoTokens)], refusal

    def _values(self, due: Due) -> list[LinkValue]:
        record: dict[str, Any] = json.loads(self.vault_key.decrypt(due.signal_id, due.encrypted))
        return list(link_values(record, barred=self.preparer.barred)[:TOKEN_SLOTS])

    def _keep(self, made: Sequence[_Made], epoch: str) -> int:
        """Send the tokens of each signal that is still as it was, in one transaction; return how many those were."""
        at = self.now()
        with self.database.transaction() as connection:
            renewed = Vault(connection).tokens_renewed([due for due, _ in made], epoch)
            outgoing = [self._outgoing(due, tokens) for due, tokens in made if tokens and due.signal_id in renewed]
            Outbox(connection).add(outgoing, at)
        if outgoing:
            logs.log("tokens_renewed", count=len(outgoing))
        return len(outgoing)

    def _outgoing(self, due: Due, tokens: Sequence[LinkToken]) -> Outgoing[TokensRenewedBody]:
        renewal_id = str(uuid.uuid4())
        fields = TokensRenewedBody(
            renewal_id=renewal_id,
            signal_id=due.signal_id,
            version=due.version,
            municipality=self.municipality,
            tokens=self.preparer.seal_to("linking", encode_tokens(tokens), f"{due.signal_id}.{due.version}"),
        )
        return Outgoing(due.signal_id, due.version, TOKENS_RENEWED_BODY, fields, cloud_events.new_traceparent(), renewal_id)


@dataclass(frozen=True, slots=True)
class RenewLoop:
    """Renews every `renew_seconds`, until it is told to stop."""

    renewer: Renewer
    renew_seconds: float

    def run(self, wait: Callable[[float], bool]) -> None:
        """Renew until `wait`, which waits so many seconds, says that it is time to stop."""
        while not wait(self.renew_seconds):
            try:
                self.renewer.renew()
            except WorldUnavailableError as fault:
                logs.warn("world_unavailable", step="store", reason=type(fault).__name__)
