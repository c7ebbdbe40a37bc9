"""One set of pages: what the kit must know of the service whose pages it serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from fastapi import APIRouter

from signal_exchange.domain.people import Person
from signal_exchange.runtime.database import Database
from signal_exchange.web.forms import Form
from signal_exchange.web.sittings import Limits


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One item of the main menu: an icon, the key of its text, and the address of its page."""

    icon: str
    key: str
    href: str


class Entrance(Protocol):
    """The entrance for people: the routes of a log-in."""

    def router(self) -> APIRouter:
        """Return the routes of the log-in."""

    def end_elsewhere(self, person: Person, id_token: str) -> str:
        """Return the address at which who gave a log-in ends it too; empty where it is none of this entrance, or ends here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The pages of one service. `menu` gives a person's main menu, `known` the person as the people list has them now, if at all.

    `database` keeps who is logged in: None where nobody logs in. `templates` are the packages that have some besides the kit.

    `home` is the address of the page after the log-in. `practice` marks a demo, in which nothing is real. `secure` says that
    browsers reach it by https. `forms_to` are the origins of other sites to which a form of this one may go, `start` the origin
    of a start page from which people of a practice environment come in. `longest` says by path how many bytes a form may have
    where a file comes with it.

    `rescue` keeps what a form says that came in after its log-in ended, as a draft of who typed it, and gives the address of the
    page that has it again after the next log-in, or nothing.
    """

    name: str
    database: Database | None
    routers: Sequence[APIRouter]
    templates: Sequence[str]
    menu: Callable[[Person], Sequence[MenuItem]]
    home: str
    now: Callable[[], datetime]
    known: Callable[[Person], Person | None] = lambda person: person
    rescue: Callable[[Person, str, Form], str] = lambda _person, _path, _form: ""
    entrances: Sequence[Entrance] = ()
    organisation: str = ""
    product: str = "Signaalpunt"
    region: str = "Noord- en Midden-Limburg tegen mensenhandel"
    practice: bool = False
    secure: bool = True
    forms_to: Sequence[str] = ()
    start: str = ""
    limits: Limits = field(default_factory=Limits)
    longest: Mapping[str, int] = field(default_factory=dict)

    @property
    def cookie(self) -> str:
        """Return the name of the cookie. Sites on other ports of one host share a browser's cookies, so each has its own name."""
        return f"__Host-sitting-{self.name}" if self.secure else f"sitting-{self.name}"
