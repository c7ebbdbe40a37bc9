"""The store of linking: signals, their tokens, answers and links. What belongs to a value is found by an index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, or_, select

from signal_exchange.domain.links.sharing import Holder
from signal_exchange.domain.links.states import CANDIDATE, Answer
from signal_exchange.linking.records import Link, Signal, TokenUse, Value
from signal_exchange.linking.tables import ANSWERS, LINKS, MEMBERSHIPS, SIGNALS, TOKENS
from signal_exchange.runtime.database import add_once, put_newer

_SIGNAL = tuple(SIGNALS.c[each.name] for each in fields(Signal))
_LINK = tuple(LINKS.c[each.name] for each in fields(Link))
_HOLDERS = (
    select(TOKENS.c.appended_at, TOKENS.c.signal_id)
    .distinct()
    .where(TOKENS.c.token == bindparam("token"), TOKENS.c.type == bindparam("type"), TOKENS.c.epoch == bindparam("epoch"))
    .order_by(TOKENS.c.appended_at, TOKENS.c.signal_id)
    .limit(bindparam("most"))
)


class LinkingStore:
    """The rows of linking in one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def signals(self, ids: Iterable[str]) -> dict[str, Signal]:
        """Return the known ones among these signals."""
        rows = self._connection.execute(select(*_SIGNAL).where(SIGNALS.c.signal_id.in_(set(ids))))
        return {row.signal_id: Signal(*row) for row in rows}

    def owners(self, signal_ids: Collection[str]) -> dict[str, str]:
        """Return the municipality of each of these signals that is known."""
        return {signal_id: signal.municipality for signal_id, signal in self.signals(signal_ids).items()}

    def put_signals(self, signals: Iterable[Signal]) -> None:
        """Write the latest state of signals; an older revision never wins."""
        put_newer(self._connection, SIGNALS, [asdict(each) for each in signals], guard="revision")

    def add_tokens(self, token_uses: Iterable[TokenUse]) -> None:
        """Keep tokens, each once."""
        add_once(self._connection, TOKENS, [_token_row(each) for each in token_uses])

    def forget(self, signal_ids: Collection[str], link_ids: Collection[str]) -> None:
        """Delete every token of signals that are erased, and every answer about their links."""
        if signal_ids:
            self._connection.execute(delete(TOKENS).where(TOKENS.c.signal_id.in_(signal_ids)))
            self._connection.execute(delete(ANSWERS).where(ANSWERS.c.link_id.in_(link_ids)))

    def forget_tokens_before(self, epoch: str) -> int:
        """Delete the tokens of every epoch before this one, and return how many those were; what links remember of them stays."""
        return self._connection.execute(delete(TOKENS).where(TOKENS.c.epoch < epoch)).rowcount

    def members(self, signal_ids: Collection[str]) -> set[str]:
        """Return those of these signals that were ever told a cluster, or that they are in none."""
        found = select(MEMBERSHIPS.c.signal_id).where(MEMBERSHIPS.c.signal_id.in_(signal_ids))
        return set(self._connection.execute(found).scalars())

    def forget_signals(self, signal_ids: Collection[str]) -> None:
        """Delete the last rows of erased signals: their own, their place in no cluster, and their links."""
        for table in (SIGNALS, MEMBERSHIPS):
            self._connection.execute(delete(table).where(table.c.signal_id.in_(signal_ids)))
        self._connection.execute(delete(LINKS).where(or_(LINKS.c.signal_a.in_(signal_ids), LINKS.c.signal_b.in_(signal_ids))))

    def holders(self, value: Value, most: int) -> list[Holder]:
        """Return the first signals that hold or held a value, by append time of their first version."""
        rows = self._connection.execute(_HOLDERS, {**value._asdict(), "most": most})
        return [Holder(*row) for row in rows]

    def token_uses(self, signal_ids: Iterable[str]) -> dict[str, list[TokenUse]]:
        """Return every token of these signals, also those of earlier versions."""
        found: dict[str, list[TokenUse]] = defaultdict(list)
        for row in self._connection.execute(select(TOKENS).where(TOKENS.c.signal_id.in_(set(signal_ids)))):
            value = Value(row.type, row.epoch, row.token)
            found[row.signal_id].append(TokenUse(row.signal_id, row.version, row.carrier, value, row.appended_at, row.since))
        return found

    def add_answers(self, link_id_and_answers: Iterable[tuple[str, Answer]]) -> None:
        """Keep answers, each once."""
        add_once(self._connection, ANSWERS, [_answer_row(link_id, answer) for link_id, answer in link_id_and_answers])

    def answers(self, link_ids: Iterable[str]) -> dict[str, list[Answer]]:
        """Return the answers to each of these links."""
        found: dict[str, list[Answer]] = defaultdict(list)
        for row in self._connection.execute(select(ANSWERS).where(ANSWERS.c.link_id.in_(set(link_ids)))):
            found[row.link_id].append(_answer(row))
        return found

    def links(self, link_ids: Iterable[str]) -> dict[str, Link]:
        """Return the known ones among these links."""
        return self._links(select(*_LINK).where(LINKS.c.link_id.in_(set(link_ids))))

    def links_of(self, signal_ids: Collection[str]) -> dict[str, Link]:
        """Return every link with one of these signals."""
        return self._links(select(*_LINK).where(or_(LINKS.c.signal_a.in_(signal_ids), LINKS.c.signal_b.in_(signal_ids))))

    def links_due(self, now: datetime, today: date) -> dict[str, Link]:
        """Return the candidates that the passing of time changes: overdue, or of an epoch that is gone."""
        late = LINKS.c.overdue.is_(False) & (LINKS.c.answer_by <= now)
        return self._links(select(*_LINK).where(LINKS.c.state == CANDIDATE, or_(late, LINKS.c.last_day < today.isoformat())))

    def all_links(self) -> list[Link]:
        """Return every link, oldest first."""
        return sorted(self._links(select(*_LINK)).values(), key=lambda link: (link.found_at, link.link_id))

    def put_links(self, links: Sequence[Link]) -> None:
        """Write links."""
        put_newer(self._connection, LINKS, [asdict(each) for each in links], guard="revision")

    def _links(self, chosen: Select[Any]) -> dict[str, Link]:
        return {row.link_id: Link.of(dict(row._mapping)) for row in self._connection.execute(chosen)}  # noqa: SLF001 - SQLAlchemy's public name starts with a line


def _token_row(use: TokenUse) -> dict[str, Any]:
    names = ("signal_id", "version", "carrier", "appended_at", "since")
    return {**{name: getattr(use, name) for name in names}, **use.value._asdict()}


def _answer_row(link_id: str, answer: Answer) -> dict[str, Any]:
    plain = {name: getattr(answer, name) for name in ("answer_id", "kind", "by_role", "municipality")}
    return {**plain, "link_id": link_id, "key_types": sorted(answer.key_types), "answered_at": answer.at}


def _answer(row: Row[Any]) -> Answer:
    return Answer(row.answer_id, row.kind, row.by_role, row.municipality, frozenset(row.key_types), row.answered_at)
