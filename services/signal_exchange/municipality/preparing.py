"""Makes what may leave of a checked record: the coded signal, the parts sealed per recipient group, and link tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol, cast

from signal_exchange.contracts.codec import MAX_RECORD_BYTES
from signal_exchange.contracts.faults import CannotEncode
from signal_exchange.domain.epochs import epoch_of
from signal_exchange.domain.signals import CodedSignal, groups_of_text, purposes
from signal_exchange.domain.times import local_day
from signal_exchange.municipality.causes import Cause
from signal_exchange.municipality.checking import Checked
from signal_exchange.municipality.envelopes import with_placeholder
from signal_exchange.municipality.refusals import TOO_LARGE, Refusal, unreadable
from signal_exchange.municipality.warned import Warned, of_cut, of_unlinked, tokens_pending
from signal_exchange.privacy.normalising import LinkValue, link_values, unlinked
from signal_exchange.privacy.register import NoSealingKey
from signal_exchange.privacy.sealing import TOKEN_SLOTS, LinkToken, encode_tokens, pad_summary
from signal_exchange.privacy.tokens import NoTokens
from signal_exchange.runtime.faults import Refused

HEADROOM_BYTES: Final = 512
"""Kept free for the number and the key id, which the record gets at its first send (R-VAL-15)."""
_SUBJECT_MAY_MISS: Final = ("sex", "nationality_group", "relation_to_offender")


class Tokens(Protocol):
    """Makes link tokens with both keepers: privacy.tokens.TokenMaker."""

    def tokens_for_many(self, records: Sequence[Sequence[LinkValue]], *, epoch: str) -> list[tuple[LinkToken, ...] | NoTokens]:
        """Return the tokens of each record, or why it has none."""


class Seals(Protocol):
    """Seals to a recipient group: stream.identity.Identity."""

    def sealed_part(self, group: str, plaintext: bytes, bound_to: str) -> dict[str, object]:
        """Return a SealedPart."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked record with the id and version under which it leaves. `own_ref` returns on the feedback."""

    checked: Checked
    signal_id: str
    version: int
    own_ref: bytes = field(repr=False)

    @property
    def bound_to(self) -> str:
        """Return what its sealed parts are bound to."""
        return f"{self.signal_id}.{self.version}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What leaves of one draft: the fields of SignalPublished without its envelope, and what the sender must hear.

    `tokens_epoch` is the epoch of its link tokens; None when they follow later.
    """

    draft: Draft
    fields: Mapping[str, Any] = field(repr=False)
    warnings: tuple[Warned, ...] = ()
    tokens_epoch: str | None = None


@dataclass(frozen=True, slots=True)
class Preparer:
    """Prepares drafts in bulk: the keepers are asked once for all of them, in full requests.

    `barred` is the municipality's own list of (type, value) that links nothing (R-LINK-07).
    """

    seals: Seals
    tokens: Tokens
    barred: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)

    def prepare(self, drafts: Sequence[Draft], at: datetime) -> list[Prepared | Refusal]:
        """Return for each draft what leaves of it; help is never late for the sake of a link, so tokens may be missing."""
        values = [link_values(draft.checked.record, barred=self.barred) for draft in drafts]
        wanted = [list(each[:TOKEN_SLOTS]) for each in values]
        epoch = epoch_of(local_day(at))
        answers = self.tokens.tokens_for_many(wanted, epoch=epoch) if any(wanted) else [()] * len(drafts)
        cut = [each[TOKEN_SLOTS:] for each in values]
        prepared = [self._prepared(*each) for each in zip(drafts, answers, cut, strict=True)]
        return [_of_epoch(each, epoch) for each in prepared]

    def _prepared(self, draft: Draft, answer: tuple[LinkToken, ...] | NoTokens, cut: Sequence[LinkValue]) -> Prepared | Refusal:
        pending = isinstance(answer, NoTokens)
        fields = {
            "own_ref": draft.own_ref,
            "tokens_pending": pending,
            "signal": completed(draft),
            "sealed": list(self._parts(draft, () if isinstance(answer, NoTokens) else answer)),
        }
        fault = _unfit(fields)
        warnings = [tokens_pending(answer.reason)] if isinstance(answer, NoTokens) else []
        silent = of_unlinked(unlinked(draft.checked.record, barred=self.barred))
        return fault or Prepared(draft, fields, (*warnings, *silent, *of_cut(cut)))

    def _parts(self, draft: Draft, tokens: Sequence[LinkToken]) -> Iterator[dict[str, object]]:
        signal = cast("CodedSignal", draft.checked.coded)
        if groups := tuple(groups_of_text(signal)):
            padded = pad_summary(draft.checked.summary)
            yield from (self._sealed(group, padded, draft) for group in groups)
        if "LINKING" in purposes(signal):
            yield self._sealed("linking", encode_tokens(tokens), draft)

    def _sealed(self, group: str, plaintext: bytes, draft: Draft) -> dict[str, object]:
        try:
            return self.seals.sealed_part(group, plaintext, draft.bound_to)
        except NoSealingKey:
            raise Refused(
                f"Het deelnemersregister heeft geen geldige sleutel van {group}: wat daarheen moet, vertrekt niet."
            ) from None


def _of_epoch(prepared: Prepared | Refusal, epoch: str) -> Prepared | Refusal:
    if isinstance(prepared, Refusal) or prepared.fields["tokens_pending"]:
        return prepared
    return replace(prepared, tokens_epoch=epoch)


def completed(draft: Draft) -> dict[str, Any]:
    """Return the coded signal under its own id and version, with every field that the schema has."""
    coded = draft.checked.coded
    return {
        **coded,
        "signal_id": draft.signal_id,
        "version": draft.version,
        "supersedes": draft.version - 1 or None,
        "estimated_victims": coded.get("estimated_victims"),
        "forms": {"secondary": [], **coded["forms"]},
        "subjects": [{**dict.fromkeys(_SUBJECT_MAY_MISS), **subject} for subject in coded["subjects"]],
        "places": list(coded.get("places", ())),
        "consent": {"given_by": None, "recorded_on": None, **coded["consent"]},
        "exchanges": [{"release_ref": None, **entry} for entry in coded["exchanges"]],
    }


def _unfit(fields: Mapping[str, Any]) -> Refusal | None:
    try:
        size = len(with_placeholder("SignalPublished", fields))
    except CannotEncode:
        return unreadable(Cause.TOO_BIG)
    return TOO_LARGE if size + HEADROOM_BYTES > MAX_RECORD_BYTES else None
