"""Free text: on its way out it passes the leak guard or it does not go (R-LEAK-01); sealed text opens for who is named."""

from __future__ import annotations

from signal_exchange.contracts.records import SealedPart
from signal_exchange.domain.refusals import Coded, RefusedError
from signal_exchange.privacy.leak_guard import GuardUnavailableError, check_text
from signal_exchange.privacy.sealing import CannotOpenError, unpad_summary
from signal_exchange.stream.identity import Identity

LONGEST = 1_000
"""Code points (R-AGENDA-07)."""


def guarded(text: str) -> str:
    """Return a text that names nobody.

    Raises:
        RefusedError: it is empty or too long, the guard found something, or the guard gave no answer. The kinds are named, never
            the words.
    """
    if not 0 < len(text.strip()) <= len(text) <= LONGEST:
        raise RefusedError("TEXT_LENGTH", longest=LONGEST)
    kinds = _kinds(text)
    if kinds:
        raise RefusedError("TEXT_POINTS_AT_PERSON", kinds=kinds)
    return text


def _kinds(text: str) -> list[Coded]:
    try:
        found = {finding.type for finding in check_text(text)}
    except GuardUnavailableError:
        raise RefusedError("LEAK_GUARD_SILENT") from None
    return [Coded("leak_type", kind) for kind in sorted(found)]


def opened_summary(identity: Identity, part: SealedPart | None, signal_id: str, version: int) -> str | None:
    """Return the summary of a signal; None when it was sealed without a text.

    Raises:
        RefusedError: there is none, or this service's keys do not open it.
    """
    if part is None:
        raise RefusedError("NO_SUMMARY")
    try:
        return unpad_summary(identity.opened(part, f"{signal_id}.{version}"))
    except CannotOpenError:
        raise RefusedError("SUMMARY_CANNOT_BE_OPENED") from None
