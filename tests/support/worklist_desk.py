"""The screens of a worklist with two coordinators, its consumer, and a clock that the test moves."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import httpx2
from builders import START, Consuming, a_register, an_identity, minutes
from people import acting_in
from visiting import Browser

from signal_exchange.domain.people import Person
from signal_exchange.web.app import pages_app
from signal_exchange.web.login import PRACTICE_ISSUER, PracticeEntrance
from signal_exchange.web.site import Site
from signal_exchange.worklist.actions import WorklistActions
from signal_exchange.worklist.composition import ROLES, rules
from signal_exchange.worklist.handler import WorklistHandler
from signal_exchange.worklist.pages import listing, referral
from signal_exchange.worklist.pages.site import menu
from signal_exchange.worklist.pages.telling import HOME
from signal_exchange.worklist.store import TABLES


class Desk:
    """The site of one service on a real store. `first` and `second` are the browsers of its coordinators zc-1 and zc-2."""

    def __init__(self, folder: Path, service: str = "worklist") -> None:
        role = ROLES[service]
        handler = WorklistHandler(role, rules().calendar, an_identity().sealed_part, a_register)
        self.consumer = Consuming(service, TABLES, handler, f"sqlite+pysqlite:///{folder}/{service}.sqlite")
        self.at = minutes(60)
        own = [Person(name, PRACTICE_ISSUER, name, role, service) for name in ("zc-1", "zc-2")]
        stranger = Person("af-1", PRACTICE_ISSUER, "af-1", "ATTENTION_OFFICER", "GM0983")
        self.actions = WorklistActions(acting_in(self.consumer, "care", "youth"), rules(), role, lambda: self.at)
        self.site = Site(
            name=service,
            database=self.consumer.database,
            templates=("signal_exchange.worklist",),
            routers=[listing.router(self.actions), referral.router(self.actions)],
            menu=menu,
            home=HOME,
            now=lambda: START,  # nobody is logged out when the test moves the clock of the worklist
            entrances=[PracticeEntrance([*own, stranger])],
            practice=True,
            secure=False,
        )
        self.first, self.second = self.browser("zc-1"), self.browser("zc-2")

    def browser(self, subject: str) -> Browser:
        """Give the browser of somebody who logged in."""
        browser = Browser(pages_app(self.site))
        browser.become(subject)
        return browser

    def text(self, query: str = "") -> str:
        """Give the page of the list, or with /ID that of a referral, as its reader has it."""
        return read(self.first.get(f"{HOME}{query}"))

    def take(self, named: str, step: str, **fields: str) -> httpx2.Response:
        """Take a step as the page of the referral shows it now."""
        return self.send(named, step, hidden(self.first.get(f"{HOME}/{named}")), **fields)

    def send(self, named: str, step: str, carried: dict[str, str], **fields: str) -> httpx2.Response:
        """Send the form of a step with what its page carried."""
        return self.first.post(f"{HOME}/{named}/{step}", data={**carried, **fields})


def read(answer: httpx2.Response) -> str:
    """Give the text of a page with one blank between its words."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def hidden(answer: httpx2.Response) -> dict[str, str]:
    """Give the hidden fields of the forms of a page."""
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', answer.text))
