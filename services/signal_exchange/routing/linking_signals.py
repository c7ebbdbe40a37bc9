"""The record that linking gets of each signal: its sealed tokens, passed on unopened, and the coded minimum about its persons."""

from __future__ import annotations

from datetime import datetime

from signal_exchange.contracts.records import LINK_TOKENS, AcceptedSignal, LinkSubject, LinkTokens, SealedPart
from signal_exchange.domain.figures.persons import age_class
from signal_exchange.domain.signals.coded_types import CodedSignal, Subject
from signal_exchange.domain.times import local_day
from signal_exchange.routing.erasures import Erasure
from signal_exchange.stream.erasing import ERASED
from signal_exchange.stream.work import Work


def pass_tokens_on(accepted: AcceptedSignal, signal: CodedSignal, *, work: Work, at: datetime | None = None) -> None:
    """Send the state of a signal to linking, also of one that does not link: its victims are persons too (R-STAT-01).

    `at` is the append time of what brought the tokens; else that of the version.
    """
    is_open = accepted["state"] == "ROUTED"
    tokens = _tokens(accepted, signal) if is_open else None
    at = at or accepted["appended_at"]
    fields = LinkTokens(
        signal_id=accepted["signal_id"],
        version=accepted["version"],
        revision=accepted["revision"],
        municipality=accepted["municipality"],
        status="OPEN" if is_open else "WITHDRAWN",
        publish_day=local_day(accepted["first_published_at"]).isoformat(),
        appended_at=accepted["first_published_at"],
        stated_at=at,
        tokens_at=at if tokens is not None else None,
        form=signal["forms"]["primary"],
        subjects=[_subject(each) for each in signal["subjects"]],
        tokens=tokens,
        word=None,
    )
    signal_id = accepted["signal_id"]
    work.send("link-tokens", signal_id, LINK_TOKENS, fields, event_id=f"{signal_id}.{accepted['revision']}", at=at)


def erased_tokens(erasure: Erasure) -> LinkTokens:
    """Return the record that asks linking to erase a signal: nothing of it but the word on which that rests."""
    at = erasure.erased_at
    return LinkTokens(
        signal_id=erasure.signal_id,
        version=erasure.version,
        revision=erasure.revision,
        municipality=erasure.municipality,
        status=ERASED,
        publish_day=local_day(at).isoformat(),
        appended_at=at,
        stated_at=at,
        tokens_at=None,
        form=None,
        subjects=[],
        tokens=None,
        word=erasure.word,
    )


def _tokens(accepted: AcceptedSignal, signal: CodedSignal) -> SealedPart | None:
    if all(entry["purpose"] != "LINKING" for entry in signal["exchanges"]):
        return None
    return next((part for part in accepted["sealed"] if part["group"] == "linking"), None)


def _subject(subject: Subject) -> LinkSubject:
    return LinkSubject(ref=subject["ref"], role=subject["role"], age_class=age_class(subject["age_band"]))
