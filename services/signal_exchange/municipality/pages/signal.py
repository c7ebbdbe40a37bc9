"""The pages of one own signal: its trace, the outcome first, and each of its versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from fastapi import APIRouter
from fastapi.responses import Response

from signal_exchange import words
from signal_exchange.cli.describing import described
from signal_exchange.domain.destinations import groups_of_text
from signal_exchange.domain.signals.coded_types import CodedSignal
from signal_exchange.domain.times import local_day
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.inbox.looking import Kept, OwnSignal, Version, version_of
from signal_exchange.municipality.pages import tracing
from signal_exchange.municipality.pages.wording import told
from signal_exchange.municipality.publishing.wording import label
from signal_exchange.people.access import Act, require
from signal_exchange.web.rendering import full_day, page
from signal_exchange.web.visits import Visitor, own_path

SIGNALS: Final = "/signalen"


def router(actions: MunicipalityActions) -> APIRouter:
    """Return the routes of one signal."""
    found = APIRouter()

    @found.get(SIGNALS + "/{signal_id}")
    def trace(visit: Visitor, signal_id: str, terug: str = SIGNALS) -> Response:
        """Show where a signal is and what came back, the outcome first."""
        require(visit.person, Act.MUNICIPALITY_TRACE)
        own, told_of = actions.signal(signal_id), actions.trace(signal_id)
        return page(visit, "municipality/signal.html.j2", back=own_path(terug, SIGNALS), **_facts(actions, own, told_of))

    @found.get(SIGNALS + "/{signal_id}/versies/{number}")
    def version(visit: Visitor, signal_id: str, number: int) -> Response:
        """Show one version as it left, and the words that stayed."""
        require(visit.person, Act.MUNICIPALITY_TRACE)
        own = actions.signal(signal_id)
        chosen = version_of(own, number)
        leaves: Any = any(groups_of_text(cast("CodedSignal", chosen.coded)))
        return page(visit, "municipality/version.html.j2", own=own, version=chosen, coded=_left(chosen), text_leaves=leaves)

    return found


def _facts(actions: MunicipalityActions, own: OwnSignal, trace: Mapping[str, Any]) -> dict[str, Any]:
    today = local_day(actions.now())
    return {
        "own": own,
        "told": told(own.listed, today),
        "outcome": _outcome(own, trace),
        "said": tracing.last_said(trace),
        "receivers": tracing.receivers(trace),
        "events": tracing.events(trace),
        "looked": tracing.looked(trace),
        "taken_back": tracing.taken_back(trace) if not own.listed.is_open else [],
        "coded": list(_left(own.versions[0])) if own.versions else [],
        "kept": _kept(own.kept),
        "questions": [each for each in actions.questions() if each["signal_id"] == own.listed.signal_id],
    }


def _outcome(own: OwnSignal, trace: Mapping[str, Any]) -> str:
    """Return the last outcome in words; empty while there is none."""
    told_of = [each["outcome"] for each in trace["outcomes"] if each["outcome"]]
    code = own.listed.outcome or (told_of[-1] if told_of else None)
    return label("outcome", code).capitalize() if code else ""


def _left(version: Version) -> list[tuple[str, str]]:
    return [(word.capitalize(), said) for word, said in described(version.coded)]


def _kept(kept: Kept) -> str:
    if kept.until is None:
        return words.text("municipality.page.kept.open")
    named_class = label("retention_class", kept.retention_class)
    return words.text("municipality.page.kept.until", day=full_day(kept.until), kind=named_class)
