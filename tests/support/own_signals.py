"""A municipality's own signals in tests: what the exchange tells of them, and a browser at its screens."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from node_views import a_step, a_view, hear
from nodes import NOW, Town, example
from visiting import Browser

from signal_exchange.domain.people import Person, Role
from signal_exchange.municipality.pages.site import site_of
from signal_exchange.web.app import pages_app
from signal_exchange.web.login import PRACTICE_ISSUER, PracticeEntrance

LATER = NOW + timedelta(hours=1)
CARE, TABLE, US = "CARE_COORDINATOR", "SCREENING_AGENDA", "ATTENTION_OFFICER"
ROUTED = a_step("ROUTED", destination=CARE, verdict="SEND")
DUE = a_step("STORED", LATER, service="worklist", destination=CARE, verdict="SEND", owner_role=CARE, next_date="2026-11-24")
OFFICER = Person("Iris Voorbeeld", PRACTICE_ISSUER, "iris", Role.ATTENTION_OFFICER, "GM0983")
OUTSIDER = Person("Mila Voorbeeld", PRACTICE_ISSUER, "mila", Role.CARE_COORDINATOR, "worklist")


def an_answer(
    destination: str, owner: str | None, until: str | None, service: str = "worklist", at: datetime | None = None
) -> Any:
    """Give the step of a receiver that did something with a signal, and who has it afterwards."""
    moment = at or LATER + timedelta(hours=1)
    return a_step("OUTCOME", moment, service=service, destination=destination, owner_role=owner, next_date=until)


def published(town: Town, **changed: Any) -> str:
    """Publish one signal and give its id."""
    [result] = town.publish(example(**changed))
    return str(result.signal_id)


def heard(town: Town, signal_id: str, *steps: dict[str, Any], outcomes: list[dict[str, Any]] | None = None, **view: Any) -> None:
    """Let the exchange take a signal, and tell these steps of it."""
    town.relay().send_all()
    mine = [each for each in town.waiting() if each.signal_id == signal_id]
    numbers = [(str(each.publisher_run), each.sequence or 0, "routed") for each in mine]
    hear(town, a_view(signal_id, *numbers, steps=list(steps), outcomes=outcomes or [], **view))


def at_the_screens(town: Town, who: Person = OFFICER) -> Browser:
    """Give a browser at the screens of a town, in which somebody is logged in."""
    entrance = PracticeEntrance([OFFICER, OUTSIDER])
    site = replace(site_of(town.actions), entrances=[entrance], known=lambda person: person, practice=True, secure=False)
    browser = Browser(pages_app(site))
    browser.become(who.subject)
    return browser
