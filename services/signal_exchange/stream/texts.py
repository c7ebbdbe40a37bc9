"""Free text of a person on its way to somebody else: it passes the leak guard or it does not go (R-LEAK-01)."""

from __future__ import annotations

from signal_exchange.contracts.reference import load_code_lists
from signal_exchange.privacy.leak_guard import GuardUnavailable, check_text
from signal_exchange.runtime.faults import Refused

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
