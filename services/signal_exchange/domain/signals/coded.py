"""The parts of a coded signal that the rules read: victims, minors, purposes, and the urgency that they raise."""

from typing import Final, Literal, get_args

from signal_exchange.domain.signals.coded_types import CodedSignal, Exchange, Subject

VICTIM: Final = "VICTIM"
SUSPECT: Final = "SUSPECT"
ANONYMOUS_TIP: Final = "ANONYMOUS_TIP"

Urgency = Literal["ACUTE", "URGENT", "REGULAR", "MONITOR"]
URGENCIES: Final[tuple[str, ...]] = get_args(Urgency)
"""The urgencies from the highest to the lowest rank."""

MINOR_BANDS: Final = frozenset({"AGE_0_11", "AGE_12_15", "AGE_16_17", "AGE_UNKNOWN_MAYBE_MINOR"})
"""Age bands that are handled as a minor; in doubt a person is one (R-VAL-07)."""


def victims(signal: CodedSignal) -> list[Subject]:
    """Give the subjects that are possible victims."""
    return [subject for subject in signal["subjects"] if subject["role"] == VICTIM]


def has_minor_victim(signal: CodedSignal) -> bool:
    """Say whether a possible victim is a minor on the publish day (R-ROUTE-04)."""
    return any(subject["is_minor"] for subject in victims(signal))


def has_minor_subject(signal: CodedSignal) -> bool:
    """Say whether a possible victim or suspect is a minor: that shields the agenda (R-ROUTE-10)."""
    return any(subject["is_minor"] for subject in signal["subjects"] if subject["role"] in {VICTIM, SUSPECT})


def purposes(signal: CodedSignal) -> frozenset[str]:
    """Give the purposes for which the signal may be exchanged (R-ROUTE-02)."""
    return frozenset(filter(None, (entry.get("purpose") for entry in signal["exchanges"])))


def exchange_for(signal: CodedSignal, purpose: str) -> Exchange | None:
    """Give the entry with the legal basis of one purpose; None when there is none."""
    return next((entry for entry in signal["exchanges"] if entry.get("purpose") == purpose), None)


def raised_urgency(urgency: str, *, any_minor_victim: bool) -> str:
    """Raise the urgency to URGENT for a minor victim; the signal keeps its own (R-ROUTE-07, R-ROUTE-10)."""
    return "URGENT" if any_minor_victim and urgency in {"REGULAR", "MONITOR"} else urgency


def needs_alert_entry(signal: CodedSignal) -> bool:
    """Say whether the signal must carry an ACUTE_ALERT entry (R-VAL-19)."""
    minor = has_minor_victim(signal)
    urgency = raised_urgency(signal["urgency"], any_minor_victim=minor)
    return urgency == "ACUTE" or (urgency == "URGENT" and minor)
