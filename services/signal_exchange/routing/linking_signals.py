"""What linking gets of each signal: its sealed tokens, passed on unopened, and the coded minimum about its persons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from signal_exchange.domain.persons import age_class
from signal_exchange.domain.times import local_day
from signal_exchange.stream.work import Work


def pass_tokens_on(accepted: Mapping[str, Any], signal: Mapping[str, Any], *, work: Work, at: datetime | None = None) -> None:
    """Send the state of a signal to linking, also of one that does not link: its victims are persons too (R-STAT-01).

    `at` is the append time of what brought the tokens; else that of the version.
    """
    is_open = accepted["state"] == "ROUTED"
    tokens = _tokens(accepted, signal) if is_open else None
    at = at or accepted["appended_at"]
    fields = {
        **{name: accepted[name] for name in ("signal_id", "version", "revision", "municipality")},
        "status": "OPEN" if is_open else "WITHDRAWN",
        "publish_day": local_day(accepted["first_published_at"]).isoformat(),
        "appended_at": accepted["first_published_at"],
        "stated_at": at,
        "tokens_at": at if tokens is not None else None,
        "form": signal["forms"]["primary"],
        "subjects": [_subject(each) for each in signal["subjects"]],
        "tokens": tokens,
    }
    signal_id = accepted["signal_id"]
    work.send("link-tokens", signal_id, "LinkTokens", fields, event_id=f"{signal_id}.{accepted['revision']}", at=at)


def _tokens(accepted: Mapping[str, Any], signal: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if all(entry["purpose"] != "LINKING" for entry in signal["exchanges"]):
        return None
    return next((part for part in accepted["sealed"] if part["group"] == "linking"), None)


def _subject(subject: Mapping[str, Any]) -> dict[str, Any]:
    return {"ref": subject["ref"], "role": subject["role"], "age_class": age_class(subject["age_band"])}
