"""Postbox of an officer in one list: reports, questions about links and own drafts, the shortest time first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from signal_exchange.domain.people import Person
from signal_exchange.municipality.entering.acts import Entering
from signal_exchange.municipality.inbox.questions import CLOSED, Officers
from signal_exchange.municipality.reports.acts import Opened, Reports

PAGE: Final = 25
"""Rows of one page."""


class Kind(StrEnum):
    """Kind of list: everything that waits, one kind of it, or the reports that were closed."""

    ALL = "alles"
    REPORT = "meldingen"
    QUESTION = "koppelingen"
    DRAFT = "concepten"
    DONE = "afgehandeld"


@dataclass(frozen=True, slots=True)
class Item:
    """One row: its kind, the name by which it is opened, and until when it waits or, of a closed report, when it was closed.

    `opened` is there for a report, `form` for a draft: the code of its form of exploitation, if one was chosen.
    """

    kind: Kind
    name: str
    at: datetime
    number: str = ""
    form: str = ""
    opened: Opened | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Box:
    """One page of a list, with the number of rows of each kind."""

    rows: list[Item]
    counts: Mapping[Kind, int]
    page: int


@dataclass(frozen=True, slots=True)
class Postbox:
    """Postbox of the officers of one municipality, with the drafts of the one who looks."""

    reports: Reports
    officers: Officers
    entering: Entering

    def page(self, kind: Kind, number: int, who: Person) -> Box:
        """Return one page of a kind; counts and rows come from one look."""
        waiting = sorted([*self._reports(), *self._questions(), *self._drafts(who)], key=lambda each: (each.at, each.name))
        done = [Item(Kind.DONE, name, at) for name, at in sorted(self.reports.done(), key=lambda each: each[1], reverse=True)]
        lists = {each: [item for item in waiting if item.kind is each] for each in Kind} | {Kind.ALL: waiting, Kind.DONE: done}
        chosen = lists[kind]
        number = max(1, min(number, -(-len(chosen) // PAGE)))
        rows = [self._shown(each) for each in chosen[(number - 1) * PAGE : number * PAGE]]
        return Box(rows, {each: len(items) for each, items in lists.items()}, number)

    def _reports(self) -> Iterator[Item]:
        for name, due in self.reports.waiting():
            yield Item(Kind.REPORT, name, due)

    def _questions(self) -> Iterator[Item]:
        calendar = self.reports.calendar
        for each in self.officers.questions():
            if each["state"] != CLOSED and each["answer"] is None:
                due = calendar.deadline(each["asked_at"], calendar.policy.link_answer_wd)
                yield Item(Kind.QUESTION, each["question_id"], due, number=each["number"])

    def _drafts(self, who: Person) -> Iterator[Item]:
        for each in self.entering.drafts_of(who):
            form = (each.content["answers"].get("form") or [""])[-1]
            yield Item(Kind.DRAFT, each.name, each.ends_at, form=form)

    def _shown(self, item: Item) -> Item:
        if item.kind not in {Kind.REPORT, Kind.DONE}:
            return item
        return Item(item.kind, item.name, item.at, opened=self.reports.look(item.name))
