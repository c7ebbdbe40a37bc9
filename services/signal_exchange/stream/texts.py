"""Free text: on its way out it passes the leak guard or it does not go (R-LEAK-01); sealed text opens for who is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signal_exchange.contracts.reference import load_code_lists
from signal_exchange.privacy.leak_guard import GuardUnavailable, check_text
from signal_exchange.privacy.sealing import CannotOpen, unpad_summary
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.identity import Identity

NO_SUMMARY = "Bij deze levering hoort geen samenvatting."
LONGEST = 1_000
"""Code points (R-AGENDA-07)."""


def guarded(text: str) -> str:
    """Return a text that names nobody.

    Raises:
        Refused: it is empty or too long, the guard found something, or the guard gave no answer. The kinds are named, never
            the words.
    """
    if not 0 < len(text.strip()) <= len(text) <= LONGEST:
        raise Refused(f"Schrijf een tekst van 1 tot {LONGEST} tekens.")
    kinds = _kinds(text)
    if kinds:
        raise Refused(f"In de tekst staat mogelijk iets dat een persoon aanwijst ({', '.join(kinds)}). Haal dat eruit.")
    return text


def _kinds(text: str) -> list[str]:
    try:
        found = {finding.type for finding in check_text(text)}
    except GuardUnavailable:
        raise Refused("De lekcontrole geeft geen antwoord: er is niets verstuurd. Probeer het later opnieuw.") from None
    return [load_code_lists().label_nl("leak_type", kind) for kind in sorted(found)]


def opener(by: str | None) -> str:
    """Return who opens a summary.

    Raises:
        Refused: nobody is named.
    """
    if by is None or not by.strip():
        raise Refused("Zeg met --by wie de samenvatting opent: dat wordt vastgelegd.")
    return by


def opened_summary(identity: Identity, part: Mapping[str, Any] | None, signal_id: str, version: int) -> str | None:
    """Return the summary of a signal; None when it was sealed without a text.

    Raises:
        Refused: there is none, or this service's keys do not open it.
    """
    if part is None:
        raise Refused(NO_SUMMARY)
    try:
        return unpad_summary(identity.opened(part, f"{signal_id}.{version}"))
    except CannotOpen:
        raise Refused("De samenvatting kan met de sleutels van deze dienst niet worden geopend.") from None
