"""Whatever happens to signals, each open one has an owner and a date, and oversight knows both (R-FLOW-02, promise 3).

A walk goes through the real handlers and the real commands of routing, both worklists and the agenda; after each step what
oversight holds is compared with what the lists of the people themselves say.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from oversight_bench import open_clocks
from routing_bench import Bench
from senders import AT, Sender, a_region, coded_example
from typer.testing import CliRunner

from signal_exchange.agenda import commands as agenda_commands
from signal_exchange.agenda.composition import calendar
from signal_exchange.agenda.composition import consumer_spec as agenda_spec
from signal_exchange.agenda.handler import chain_director_in
from signal_exchange.agenda.listing import MeetingTable
from signal_exchange.agenda.store import AgendaStore
from signal_exchange.contracts.codec import decode
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.times import local_day
from signal_exchange.oversight.composition import consumer_spec as oversight_spec
from signal_exchange.oversight.figures import Figures, figures
from signal_exchange.oversight.store import Clock, OversightStore
from signal_exchange.participants.region import Region
from signal_exchange.runtime import clock
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.outbox import Outbox, OutgoingRecord
from signal_exchange.stream.work import Work
from signal_exchange.worklist import commands as worklist_commands
from signal_exchange.worklist.composition import ROLES
from signal_exchange.worklist.composition import consumer_spec as worklist_spec
from signal_exchange.worklist.listing import rows_of

WORKLISTS = {"worklist": worklist_commands.app, "worklist-youth": worklist_commands.youth_app}
READERS = {
    "referrals": ("worklist",),
    "referrals-youth": ("worklist-youth",),
    "agenda-items": ("agenda",),
    "signal-trace": ("oversight",),
}
VIEW = {"worklist-youth": "worklist"}
BY = ("--by", "somebody")
MEETING = ("--motivation", "Voldoende aanwijzingen.", "--seat", "RIEC", *BY)


class Walk:
    """An exchange in one thread: what one part tells reaches the others before the next step."""

    def __init__(self, region: Region, folder: Path) -> None:
        self.region, self.folder, self.now = region, folder, AT
        self.routing = Bench(region, folder / "routing.sqlite")
        self.parts: dict[str, ConsumerSpec] = {
            **{name: worklist_spec(name, self._settings(name)) for name in WORKLISTS},
            "agenda": agenda_spec(self._settings("agenda")),
            "oversight": oversight_spec(self._settings("oversight")),
        }
        for spec in self.parts.values():
            spec.database.create_tables()
        self.senders: dict[str, Sender] = {}
        self.signals: list[dict[str, Any]] = []
        self.offset = 0

    def _environment(self, name: str) -> dict[str, str]:
        return {**self.region.environment(name, "127.0.0.1:1"), "SIGNAL_EXCHANGE_DATA_DIR": str(self.folder)}

    def _settings(self, name: str) -> ServiceSettings:
        fields = {key.removeprefix("SIGNAL_EXCHANGE_").lower(): value for key, value in self._environment(name).items()}
        return ServiceSettings(**fields)  # type: ignore[arg-type]  # the texts of an environment

    def close(self) -> None:
        self.routing.database.close()
        for spec in self.parts.values():
            spec.database.close()

    def comes_in(self, message: Message) -> None:
        self.deliver(self.routing.run(message))

    def deliver(self, outgoing: Iterable[OutgoingRecord]) -> None:
        waiting = deque(outgoing)
        while waiting:
            record = waiting.popleft()
            if record.topic == "outcomes":
                waiting += self.routing.run(self._message(record, "routing"))
            for name in READERS.get(record.topic, ()):
                waiting += self._taken(name, self._message(record, VIEW.get(name, name)))

    def _message(self, record: OutgoingRecord, view: str) -> Message:
        self.offset += 1
        incoming = Incoming(record.topic, 0, self.offset, record.key.encode(), record.value, {}, self.now)
        decoded = decode(record.value, view)
        return Message(decoded.record, decoded.fields, incoming)

    def _taken(self, name: str, message: Message) -> Sequence[OutgoingRecord]:
        spec = self.parts[name]
        with spec.database.batch() as connection:
            work = Work(name, connection, spec.seal)
            spec.handle([message], work)
        return work.outgoing

    def say(self, name: str, *words: str) -> None:
        """Run a command of a service; what is refused changes nothing."""
        app = WORKLISTS.get(name, agenda_commands.app)
        said = CliRunner().invoke(app, list(words), env=self._environment(name))
        assert said.exit_code == 0 or isinstance(said.exception, RefusedError), said.output + repr(said.exception)
        spec = self.parts[name]
        with spec.database.transaction() as connection:
            outbox = Outbox(connection, spec.outbox)
            waiting = outbox.waiting(1000)
            outbox.remove([each.number for each in waiting])
        self.deliver([each.record for each in waiting])

    # What may happen.

    def publish(self, name: str) -> None:
        signal = {**coded_example(name), "signal_id": str(uuid.uuid4())}
        self.signals.append(signal)
        sender = self.senders.setdefault(signal["municipality"], Sender.of(self.region, signal["municipality"]))
        self.comes_in(sender.published(signal, at=self.now))

    def correct(self, which: int, without: str | None) -> None:
        if not self.signals:
            return
        signal = self.signals[which % len(self.signals)]
        kept = [each for each in signal["exchanges"] if each["purpose"] != without]
        version = signal["version"] + 1
        signal |= {"version": version, "supersedes": version - 1, "exchanges": kept}
        self.comes_in(self.senders[signal["municipality"]].published(signal, at=self.now))

    def withdraw(self, which: int) -> None:
        if self.signals:
            signal = self.signals[which % len(self.signals)]
            signal["version"] += 1
            self.comes_in(self.senders[signal["municipality"]].withdrawn(signal, signal["version"], at=self.now))

    def step(self, which: int, words: Sequence[str]) -> None:
        if self.signals:
            signal_id = self.signals[which % len(self.signals)]["signal_id"]
            dated = [word.replace("TODAY", local_day(self.now).isoformat()) for word in words[1:]]
            for name in WORKLISTS:
                self.say(name, words[0], signal_id, *dated, *BY)

    def decide(self, which: int, words: Sequence[str], due_days: int) -> None:
        if self.signals:
            day = (local_day(self.now) + timedelta(days=due_days)).isoformat()
            signal_id = self.signals[which % len(self.signals)]["signal_id"]
            self.say("agenda", words[0], signal_id, *(word.replace("LATER", day) for word in words[1:]))

    def freeze(self) -> None:
        week = f"{local_day(self.now).isocalendar().year}-W{local_day(self.now).isocalendar().week:02}"
        self.say("agenda", "freeze", week, *BY)

    def later(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    # What must hold.

    def figures(self, at: datetime) -> Figures:
        with self.parts["oversight"].database.reading() as connection:
            return figures(OversightStore(connection), at)

    def clocks(self) -> dict[tuple[str, str], Clock]:
        with self.parts["oversight"].database.reading() as connection:
            return {(each.signal_id, each.keeper): each for each in open_clocks(connection)}

    def due(self) -> Iterator[tuple[str, str, str, str]]:
        """Give signal, keeper, owner and date of all that waits on somebody's list."""
        for name in WORKLISTS:
            with self.parts[name].database.reading() as connection:
                listed = rows_of(connection, self.now)
            for row in listed:
                if row.open:
                    assert row.due_by is not None
                    yield row.signal_id, f"{name}/CARE_COORDINATOR", ROLES[name], local_day(row.due_by).isoformat()
        with self.parts["agenda"].database.reading() as connection:
            waiting = MeetingTable.of(AgendaStore(connection), calendar()).waiting
        for placed in waiting:
            keeper = chain_director_in(placed.week, calendar())
            assert keeper is not None
            for item in placed.members:
                yield item.signal_id, "agenda/SCREENING_AGENDA", keeper.owner_role, keeper.next_date

    def check(self) -> None:
        clocks = self.clocks()
        opened = {each.signal_id for each in self.routing.stored() if each.state == "ROUTED"}
        for signal_id, keeper, owner, date in self.due():
            if signal_id in opened:
                known = clocks[signal_id, keeper]
                assert (known.owner_role, known.next_date) == (owner, date), keeper
        assert [each for each in self.figures(self.now + timedelta(hours=1)).late if each.next_date is None] == []
        kept = {each.signal_id for each in clocks.values() if each.owner_role and each.next_date}
        ended = {each.signal_id for each in clocks.values() if each.stage == "OUTCOME"}
        assert opened <= kept | ended


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Region:
    return a_region(tmp_path_factory.mktemp("region"))


Act = Callable[[Walk], None]
WISHES = (
    ("seen",), ("accept", "--planned", "2027-01-04"), ("reject", "--reason", "INSUFFICIENT_DATA"),
    ("reject", "--reason", "PERSON_DECLINES"), ("in-care", "--first-contact", "TODAY"), ("progress",),
    ("complete", "--result", "CARE_STARTED_COMPLETED"), ("withdraw", "--reason", "MISTAKE"),
    ("advise", "Vraag eerst toestemming."),
)  # fmt: skip
OWNED = ("--owner", "CHAIN_DIRECTOR", "--organisation", "regio", "--due", "LATER", *MEETING)
DECISIONS = (
    ("decide", "--decision", "DEFER", *MEETING), ("decide", "--decision", "ENRICH", *OWNED),
    ("decide", "--decision", "CASE_ADMIN", *OWNED), ("decide", "--decision", "NO_TRAFFICKING", *MEETING),
    ("follow-up", "--next", "LATER", *BY), ("follow-up", *BY),
)  # fmt: skip
which = st.integers(0, 2)
acts: st.SearchStrategy[tuple[str, tuple[Any, ...]]] = st.one_of(
    st.tuples(st.just("publish"), st.tuples(st.sampled_from(["01_sexual", "02_labour", "05_minor", "06_anonymous_tip"]))),
    st.tuples(st.just("correct"), st.tuples(which, st.sampled_from([None, "CARE_REFERRAL", "SCREENING"]))),
    st.tuples(st.just("withdraw"), st.tuples(which)),
    st.tuples(st.just("step"), st.tuples(which, st.sampled_from(WISHES))),
    st.tuples(st.just("decide"), st.tuples(which, st.sampled_from(DECISIONS), st.integers(1, 30))),
    st.tuples(st.just("freeze"), st.tuples()),
    st.tuples(st.just("later"), st.tuples(st.sampled_from([1, 24, 7 * 24]))),
)
SEXUAL, LABOUR = ("publish", ("01_sexual",)), ("publish", ("02_labour",))


def after(*named: str) -> list[tuple[str, tuple[Any, ...]]]:
    """Give the acts of a care coordinator, one after the other, by the first word of their command."""
    return [("step", (0, next(each for each in WISHES if each[0] == name))) for name in named]


@pytest.mark.timeout(400)
@example([SEXUAL, ("step", (0, ("reject", "--reason", "PERSON_DECLINES"))), ("correct", (0, "SCREENING"))])
@example([SEXUAL, *after("seen", "accept", "in-care", "progress"), ("later", (24,)), *after("progress", "complete")])
@example([SEXUAL, *after("accept"), ("correct", (0, "CARE_REFERRAL")), *after("withdraw")])
@example([SEXUAL, *after("reject"), ("correct", (0, None)), *after("accept"), ("correct", (0, "CARE_REFERRAL"))])
@example([LABOUR, ("correct", (0, "SCREENING")), *after("advise"), ("correct", (0, None)), ("later", (24,))])
@example(
    [SEXUAL, ("later", (7 * 24,)), ("decide", (0, DECISIONS[0], 1)), ("correct", (0, None)), ("later", (7 * 24,)), ("freeze", ())]
)
@example(
    [
        SEXUAL,
        ("decide", (0, DECISIONS[1], 9)),
        ("correct", (0, None)),
        ("decide", (0, DECISIONS[2], 9)),
        ("decide", (0, DECISIONS[5], 9)),
    ]
)
@example([SEXUAL, ("decide", (0, DECISIONS[1], 1)), ("correct", (0, None)), ("decide", (0, DECISIONS[4], 1))])
@example([SEXUAL, ("later", (7 * 24,)), ("later", (7 * 24,)), ("freeze", ())])
@example([("publish", ("06_anonymous_tip",)), ("withdraw", (0,)), ("correct", (0, None))])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(acts, min_size=2, max_size=9).map(lambda drawn: [SEXUAL, *drawn]))
def test_r_flow_02_every_open_signal_has_an_owner_and_a_date_whatever_happens_to_it(
    region: Region, monkeypatch: pytest.MonkeyPatch, walked: list[tuple[str, tuple[Any, ...]]]
) -> None:
    with TemporaryDirectory() as folder:
        walk = Walk(region, Path(folder))
        monkeypatch.setattr(clock, "now", lambda: walk.now)
        try:
            for name, arguments in walked:
                getattr(walk, name)(*arguments)
                walk.check()
        finally:
            walk.close()
