"""The words in which pages tell where a signal is and what comes next: an icon, a word and a date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from signal_exchange import words
from signal_exchange.municipality.inbox.listing import Listed
from signal_exchange.municipality.inbox.standing import Place
from signal_exchange.municipality.publishing.wording import label
from signal_exchange.municipality.store import WITHDRAWN
from signal_exchange.web.rendering import day


@dataclass(frozen=True, slots=True)
class _Look:
    """Look of a place: tone, icon, and the key of its word."""

    tone: str
    icon: str
    key: str


PLACES: Final = {
    Place.UNSENT: _Look("", icon="hourglass", key="municipality.place.UNSENT"),
    Place.SENT: _Look("", icon="send", key="municipality.place.SENT"),
    Place.PARKED: _Look("warn", icon="player-pause", key="municipality.place.PARKED"),
    Place.UNDERWAY: _Look("", icon="route", key="municipality.place.UNDERWAY"),
    Place.CARE: _Look("info", icon="clipboard-list", key="municipality.place.CARE"),
    Place.CARE_SEEN: _Look("info", icon="eye", key="municipality.place.CARE_SEEN"),
    Place.CARE_TAKEN: _Look("ok", icon="heart-handshake", key="municipality.place.CARE_TAKEN"),
    Place.TABLE: _Look("info", icon="calendar-event", key="municipality.place.TABLE"),
    Place.TABLE_AGAIN: _Look("info", icon="calendar-event", key="municipality.place.TABLE_AGAIN"),
    Place.TABLE_DECIDED: _Look("ok", icon="gavel", key="municipality.place.TABLE_DECIDED"),
    Place.OURS: _Look("warn", icon="user-exclamation", key="municipality.place.OURS"),
    Place.OURS_MORE_INFO: _Look("warn", icon="message-question", key="municipality.place.OURS_MORE_INFO"),
    Place.OURS_ADVISED: _Look("warn", icon="message-check", key="municipality.place.OURS_ADVISED"),
    Place.OURS_ACTION: _Look("warn", icon="gavel", key="municipality.place.OURS_ACTION"),
    Place.ENDED: _Look("ok", icon="circle-check", key="municipality.place.ENDED"),
}
"""How each place shows."""
_NEXT: Final = {
    Place.UNSENT: "municipality.next.UNSENT",
    Place.SENT: "municipality.next.SENT",
    Place.PARKED: "municipality.next.PARKED",
    Place.UNDERWAY: "municipality.next.UNDERWAY",
    Place.ENDED: "municipality.next.ENDED",
}
_NEXT_BY: Final = {
    Place.CARE: "municipality.next.CARE",
    Place.CARE_SEEN: "municipality.next.CARE_SEEN",
    Place.CARE_TAKEN: "municipality.next.CARE_TAKEN",
    Place.TABLE: "municipality.next.TABLE",
    Place.TABLE_AGAIN: "municipality.next.TABLE_AGAIN",
    Place.TABLE_DECIDED: "municipality.next.TABLE_DECIDED",
    Place.OURS: "municipality.next.OURS",
    Place.OURS_MORE_INFO: "municipality.next.OURS_MORE_INFO",
    Place.OURS_ADVISED: "municipality.next.OURS_ADVISED",
    Place.OURS_ACTION: "municipality.next.OURS_ACTION",
}
"""What comes next where there is a day by which it should."""


@dataclass(frozen=True, slots=True)
class Badge:
    """An icon and a word, in a tone."""

    tone: str
    icon: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """A signal in words: where it is, what comes next, and whether that is late."""

    signal: Listed
    badges: tuple[Badge, ...]
    next: str


def told(signal: Listed, today: date) -> Told:
    """Return a signal in words on a day."""
    return Told(signal, tuple(_badges(signal, today)), next_step(signal, today))


def _badges(signal: Listed, today: date) -> list[Badge]:
    if signal.state == WITHDRAWN:
        return [Badge("", icon="arrow-back-up", text=label("signal_state", WITHDRAWN).capitalize())]
    look = PLACES[signal.place]
    ended = signal.outcome if signal.place is Place.ENDED else None
    text = label("outcome", ended).capitalize() if ended else words.text(look.key)
    late = Badge("danger", icon="clock-exclamation", text=words.text("municipality.place.late"))
    asked = Badge("warn", icon="link", text=words.text("municipality.place.question"))
    also = [*([late] if signal.is_late(today) else []), *([asked] if signal.has_question else [])]
    return [Badge(look.tone, look.icon, text), *also]


def next_step(signal: Listed, today: date) -> str:
    """Return the next step of a signal, by whom and until when."""
    if signal.state == WITHDRAWN:
        return words.text("municipality.next.withdrawn")
    if signal.next_date is None or signal.place not in _NEXT_BY:
        return words.text(_NEXT.get(signal.place, "municipality.next.UNDERWAY"))
    said = words.text("municipality.next.by", said=words.text(_NEXT_BY[signal.place]), day=day(signal.next_date))
    return f"{said} {words.text('municipality.next.late')}" if signal.is_late(today) else said
