"""Two nodes, routing, linking and feedback together, without a broker: from two reports of one person to one person, and back."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from nodes import NOW, ObedientKeepers, Town, example, settings_of
from senders import SIX, identity_in
from sqlalchemy import MetaData, select

from signal_exchange.contracts.codec import decode, encode
from signal_exchange.contracts.topics import catalogue, feedback_topic
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.links.states import COMPARE, CONFIRM
from signal_exchange.domain.people import Person
from signal_exchange.feedback.handler import FeedbackHandler
from signal_exchange.feedback.store import TABLES as FEEDBACK
from signal_exchange.linking.handler import LinkingHandler
from signal_exchange.linking.tables import FACTS, LINKS
from signal_exchange.linking.tables import TABLES as LINKING
from signal_exchange.municipality.inbox.handler import ParkInVault
from signal_exchange.municipality.node import node_of
from signal_exchange.participants.region import init_region
from signal_exchange.privacy.keeper_client import NoTokens, Reason
from signal_exchange.reference.loading import load_code_lists
from signal_exchange.routing.composition import handler_of as routing_handler
from signal_exchange.routing.tables import TABLES as ROUTING
from signal_exchange.runtime.database import Database
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.outbox import OutgoingRecord
from signal_exchange.stream.work import Work

VENLO, WEERT = "GM0983", "GM0988"


@dataclass
class Part:
    """One consumer: what it reads, as which reader, and its work on one record."""

    sources: Sequence[str]
    reader: str
    take: Callable[[Message], list[OutgoingRecord]]


@dataclass
class Together:
    """The parts of an exchange in one process; each record goes at once, and twice, to whoever reads it."""

    folder: Path
    parts: list[Part] = field(default_factory=list)
    towns: dict[str, Town] = field(default_factory=dict)
    databases: dict[str, Database] = field(default_factory=dict)
    records: int = 0

    def add(self, name: str, tables: MetaData, handle: Callable[[Sequence[Message], Work], None]) -> None:
        """Add a service with a store of its own."""
        database = self.databases[name] = Database(f"sqlite+pysqlite:///{self.folder / name}.sqlite", tables)
        database.create_tables()
        seal = identity_in(self.towns[VENLO].region, name).parking_seal(name)

        def take(message: Message) -> list[OutgoingRecord]:
            with database.batch() as connection:
                work = Work(name, connection, seal)
                handle([message], work)
                assert work.parked == []
                return list(work.outgoing)

        self.parts.append(Part(catalogue(()).sources_of(name), name, take))

    def add_town(self, town: Town) -> None:
        """Add a node, which hears of its own signals."""
        code = town.node.settings.municipality
        self.towns[code] = town

        def take(message: Message) -> list[OutgoingRecord]:
            with town.node.database.transaction() as connection:
                seal, park = town.node.identity.parking_seal("municipality"), ParkInVault(town.node.vault_key)
                town.node.inbox()([message], Work("municipality", connection, seal, park))
            return []

        self.parts.append(Part([feedback_topic(code)], "municipality", take))

    def settle(self, *outgoing: OutgoingRecord) -> None:
        """Send what the nodes have, and pass every record on until nothing is left."""
        waiting = list(outgoing)
        for town in self.towns.values():
            town.relay().send_all()
            waiting += town.broker.outgoing
            town.broker.outgoing = []
        while waiting:
            record = waiting.pop(0)
            for part in (each for each in self.parts if record.topic in each.sources and record.value is not None):
                message = self._message(record, part.reader)
                waiting += part.take(message)
                again = part.take(message)  # delivered twice
                assert {each.topic for each in again} <= {"signal-trace"}

    def _message(self, record: OutgoingRecord, reader: str) -> Message:
        self.records += 1
        at, headers = NOW + timedelta(seconds=self.records), dict(record.headers)
        incoming = Incoming(record.topic, 0, self.records, record.key.encode(), record.value, headers, at)
        decoded = decode(record.value, reader)
        return Message(decoded.record, decoded.fields, incoming)

    def link(self) -> dict[str, Any]:
        """Give the only link."""
        with self.databases["linking"].reading() as connection:
            [row] = connection.execute(select(LINKS)).all()
        return dict(row._mapping)

    def persons(self) -> list[str]:
        """Give the municipality of every person that counts."""
        with self.databases["linking"].reading() as connection:
            rows = connection.execute(select(FACTS.c.municipality).where(FACTS.c.counted))
            return sorted(rows.scalars())

    def chain_director(self, kind: str) -> None:
        """Let the chain director decide about the link."""
        link_id, answer_id = self.link()["link_id"], str(uuid.uuid4())
        answer = {"answer_id": answer_id, "link_id": link_id, "kind": kind, "by_role": "CHAIN_DIRECTOR", "municipality": None}
        answer |= {"signal_id": None, "key_types": ["NAME_DOB"], "answered_at": NOW + timedelta(seconds=self.records)}
        self.settle(OutgoingRecord("link-answers", link_id, encode("LinkAnswer", answer), []))

    def both(self, kind: str) -> None:
        """Let both officers answer."""
        for town in self.towns.values():
            [question] = town.actions.questions()
            town.actions.answer(question["question_id"], kind, Person("officer"))
            self.settle()

    def states(self) -> list[str]:
        """Give the state of the question at each node."""
        return [question["state"] for town in self.towns.values() for question in town.actions.questions()]


@pytest.fixture
def together(tmp_path: Path) -> Together:
    region = init_region(tmp_path / "region", SIX, NOW.date())
    whole = Together(tmp_path)
    for code in (VENLO, WEERT):
        whole.add_town(Town(region, node_of(settings_of(region, code))))
    routing, linking = identity_in(region, "routing"), identity_in(region, "linking")
    whole.add("routing", ROUTING, routing_handler(routing))
    ids = linking.secret_ids("linking")
    judge = LinkingHandler(
        WorkingCalendar(),
        load_code_lists(),
        linking.opened,
        linking.sealed_part,
        lambda: ids,
        lambda: routing.register,
        lambda: NOW,
    )
    whole.add("linking", LINKING, judge)
    whole.add("feedback", FEEDBACK, FeedbackHandler(routing.current_register))
    return whole


def record_of(code: str) -> dict[str, Any]:
    """Give a report of the same person by this municipality, and of nothing else that is the same."""
    record = copy.deepcopy(example("01_sexual", municipality=code, local_ref=f"{code}-1", plates=[], places=[]))
    record["subjects"][0]["phone"] = None
    return record


def test_one_person_in_two_municipalities_is_one_person_once_both_confirm_and_two_after_the_undo(together: Together) -> None:
    venlo, weert = together.towns.values()
    venlo.publish(record_of(VENLO))
    weert.keepers.refusal = NoTokens(Reason.TIMEOUT, "keeper-a")
    weert.publish(record_of(WEERT))
    together.settle()
    assert (together.persons(), together.states()) == ([VENLO, WEERT], [])

    weert.keepers = ObedientKeepers()
    renewed = replace(weert.node.renewer(weert.keepers), now=weert.clock).renew()
    together.settle()
    assert (renewed.count, together.link()["state"], together.states()) == (1, "CANDIDATE", [])

    together.chain_director("RELEASE")
    assert together.states() == ["ASKED", "ASKED"]
    together.both(COMPARE)
    assert together.states() == ["COMPARING", "COMPARING"]
    together.both(CONFIRM)
    assert (together.states(), together.link()["state"], together.persons()) == (["CLOSED"] * 2, "CONFIRMED", [VENLO])
    assert [town.waiting() for town in together.towns.values()] == [[], []]

    together.chain_director("UNDO")
    assert (together.link()["state"], together.persons()) == ("REVOKED", [VENLO, WEERT])
