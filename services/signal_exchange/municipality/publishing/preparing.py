"""Makes what may leave of a checked record: the coded signal, the parts sealed per recipient group, and link tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol, cast

from signal_exchange.contracts.codec import MAX_RECORD_BYTES
from signal_exchange.contracts.faults import CannotEncodeError
from signal_exchange.contracts.records import SealedPart, SignalPublishedBody
from signal_exchange.domain.destinations import LINKING, groups_of_text
from signal_exchange.domain.links.epochs import epoch_of
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.signals.coded import purposes
from signal_exchange.domain.signals.coded_types import CodedSignal
from signal_exchange.domain.signals.drafts import with_every_field
from signal_exchange.domain.times import local_day
from signal_exchange.municipality.publishing.causes import Cause
from signal_exchange.municipality.publishing.field_faults import TOO_LARGE, FieldFault, unreadable
from signal_exchange.municipality.publishing.field_warnings import FieldWarning, of_cut, of_unlinked, tokens_pending
from signal_exchange.municipality.publishing.submissions import Submission
from signal_exchange.municipality.sending.envelopes import with_placeholder
from signal_exchange.privacy.keeper_client import NoTokens
from signal_exchange.privacy.normalising import LinkValue, link_values, unlinked
from signal_exchange.privacy.register import NoSealingKeyError
from signal_exchange.privacy.sealing import TOKEN_SLOTS, LinkToken, encode_tokens, pad_summary
from signal_exchange.stream.outcomes import SealTo

HEADROOM_BYTES: Final = 512
"""Kept free for the number and the key id, which the record gets at its first send (R-VAL-15)."""


Answer = tuple[LinkToken, ...] | NoTokens
"""The link tokens of one record, or why it has none."""


class Tokens(Protocol):
    """Makes link tokens with both keepers: privacy.tokens.TokenMaker."""

    def tokens_for_many(self, records: Sequence[Sequence[LinkValue]], *, epoch: str) -> list[Answer]:
        """Return the tokens of each record, or why it has none."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A submission that is ready to leave: the fields of SignalPublished without its envelope, and the warnings for its sender.

    `tokens_epoch` is the epoch of its link tokens; None when they follow later.
    """

    fields: SignalPublishedBody = field(repr=False)
    warnings: tuple[FieldWarning, ...] = ()
    tokens_epoch: str | None = None


@dataclass(frozen=True, slots=True)
class Preparer:
    """Prepares submissions in bulk: the keepers are asked once for all of them, in full requests.

    `barred` is the municipality's own list of (type, value) that links nothing (R-LINK-07).
    """

    seal_to: SealTo
    tokens: Tokens
    barred: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)

    def prepare(self, submitted: Sequence[Submission], at: datetime) -> list[Prepared | FieldFault]:
        """Return for each submission what leaves of it; help is never late for the sake of a link, so tokens may be missing."""
        values = [link_values(each.checked.record, barred=self.barred) for each in submitted]
        wanted = [list(each[:TOKEN_SLOTS]) for each in values]
        epoch = epoch_of(local_day(at))
        answers = self.tokens.tokens_for_many(wanted, epoch=epoch) if any(wanted) else [()] * len(submitted)
        cut = [of_cut(each[TOKEN_SLOTS:]) for each in values]
        return [self._prepared(*each, epoch) for each in zip(submitted, answers, cut, strict=True)]

    def _prepared(self, leaving: Submission, answer: Answer, cut: Iterable[FieldWarning], epoch: str) -> Prepared | FieldFault:
        pending = isinstance(answer, NoTokens)
        fields = SignalPublishedBody(
            own_ref=leaving.reference,
            tokens_pending=pending,
            signal=completed(leaving),
            sealed=list(self._parts(leaving, () if isinstance(answer, NoTokens) else answer)),
        )
        warnings = [tokens_pending(answer.reason)] if isinstance(answer, NoTokens) else []
        silent = of_unlinked(unlinked(leaving.checked.record, barred=self.barred))
        return _unfit(fields) or Prepared(fields, (*warnings, *silent, *cut), None if pending else epoch)

    def _parts(self, leaving: Submission, tokens: Sequence[LinkToken]) -> Iterator[SealedPart]:
        signal = cast("CodedSignal", leaving.checked.coded)
        if groups := tuple(groups_of_text(signal)):
            padded = pad_summary(leaving.checked.summary)
            yield from (self._sealed(group, padded, leaving) for group in groups)
        if "LINKING" in purposes(signal):
            yield self._sealed(LINKING, encode_tokens(tokens), leaving)

    def _sealed(self, group: str, plaintext: bytes, leaving: Submission) -> SealedPart:
        try:
            return self.seal_to(group, plaintext, leaving.bound_to)
        except NoSealingKeyError:
            raise RefusedError("NOTHING_LEAVES_WITHOUT_KEY", group=group) from None


def completed(leaving: Submission) -> CodedSignal:
    """Return the coded signal under its own id and version, with every field that the schema has."""
    numbered = {"signal_id": leaving.signal_id, "version": leaving.version, "supersedes": leaving.version - 1 or None}
    return cast("CodedSignal", with_every_field({**leaving.checked.coded, **numbered}))


def _unfit(fields: SignalPublishedBody) -> FieldFault | None:
    try:
        size = len(with_placeholder("SignalPublished", fields))
    except CannotEncodeError:
        return unreadable(Cause.TOO_BIG)
    return TOO_LARGE if size + HEADROOM_BYTES > MAX_RECORD_BYTES else None
