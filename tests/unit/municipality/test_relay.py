from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nodes import VENLO, ObedientBroker, Town, a_town, example, together
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable
from structlog.testing import capture_logs

from signal_exchange.contracts.record_names import RecordName
from signal_exchange.municipality.sending.outbox import OUTBOX, RUNS, Outbox, Outgoing
from signal_exchange.municipality.sending.relay import LEASE_SECONDS, RelayLoop
from signal_exchange.municipality.store import TABLES
from signal_exchange.municipality.threads import Worker
from signal_exchange.participants.region import ALWAYS
from signal_exchange.privacy.register import sign_register
from signal_exchange.privacy.register_entries import MemberKey
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.runtime.faults import BrokerUnavailableError
from signal_exchange.stream.outbox import OutgoingRecord


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


def some(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [example(local_ref=f"A-{number}") for number in range(first, first + count)]


class DiesAfterNumbering(ObedientBroker):
    """A process that dies between numbering and sending."""

    def send(self, outgoing: Sequence[OutgoingRecord]) -> list[bool]:
        self.outgoing += outgoing
        raise KeyboardInterrupt


def test_a_relay_that_runs_signs_with_a_renewed_key_once_the_register_names_it(town: Town) -> None:
    relay, file = town.relay(), town.node.settings.keys_file
    old = town.node.identity.keys.signing
    assert old is not None
    renewed = SigningKey.generate("gm0983-2026-2")
    keys = {**json.loads(file.read_text(encoding="utf-8")), "next_signing": renewed.to_mapping()}
    written(file, json.dumps(keys))
    town.publish(example(local_ref="A-1"))
    relay.send_all()
    rename_in_register(town, renewed)
    town.publish(example(local_ref="A-2"))
    relay.send_all()
    relay.checkpoint()
    town.clock.pass_seconds(700)
    relay.send_all()  # what nobody confirmed goes again, the same bytes under the key of then
    signed = [dict(record.headers)["signing-key"].decode() for record in town.broker.outgoing]
    assert signed == [old.key_id, renewed.key_id, renewed.key_id, old.key_id, renewed.key_id]
    with capture_logs() as logged:
        written(file, "no JSON")
        relay.checkpoint()
    assert [entry["event"] for entry in logged if entry["log_level"] == "warning"] == ["keys_refused"]


def written(file: Path, text: str) -> None:
    """Replace a file of keys in one go, as the command does."""
    fresh = file.with_name("fresh")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o600)
    fresh.replace(file)


def rename_in_register(town: Town, key: SigningKey) -> None:
    """Name a further signing key of this municipality in the register, as the region does."""
    register, folder = town.node.identity.register, town.region.folder
    own = [replace(each, signing_keys=(*each.signing_keys, MemberKey(key.public, ALWAYS))) for each in register.municipalities]
    region = SigningKey.from_mapping(json.loads((folder / "region-secret.json").read_text(encoding="utf-8")))
    signed = sign_register(replace(register, serial=register.serial + 1, municipalities=tuple(own)), region)
    (folder / "register.json").write_bytes(signed)


def test_a_letter_is_what_was_signed_under_a_key_of_the_register(town: Town) -> None:
    town.publish(example())
    town.relay().send_all()
    (record,) = town.broker.outgoing
    headers = dict(record.headers)
    found = town.node.identity.register.signing_key(headers["signing-key"].decode(), town.clock())
    assert found is not None
    assert found[0] == VENLO
    assert found[1].verify(record.value or b"", headers["signature"])
    (sent,) = town.broker.records()
    assert record.key == sent["signal"]["signal_id"]
    assert sent["envelope"]["key_id"] == headers["signing-key"].decode()


def test_the_headers_are_those_of_the_profile_and_name_no_subject(town: Town) -> None:
    town.publish(example())
    town.relay().send_all()
    headers = {name: value.decode() for name, value in town.broker.outgoing[0].headers if name != "signature"}
    signal_id = town.broker.outgoing[0].key
    assert headers["ce_id"] == f"{signal_id}.1"
    assert headers["ce_source"] == "urn:nld:oin:00000099000000983000:systeem:signaalpunt"
    assert headers["ce_type"] == "nl.mensenhandelsignalen.signaal.gepubliceerd.v1"
    assert "ce_subject" not in headers


def test_numbers_run_from_one_without_gap_in_the_order_of_publishing(town: Town) -> None:
    town.publish(*some(7))
    town.relay().send_all()
    town.publish(*some(3, first=7))
    town.relay().send_all()
    assert town.broker.numbers() == list(range(1, 11))
    assert len({each["envelope"]["publisher_run"] for each in town.broker.records()}) == 1


def test_a_broker_that_is_down_costs_nothing_but_time(town: Town) -> None:
    town.publish(*some(3))
    town.broker.down = True
    with pytest.raises(BrokerUnavailableError):
        town.relay().send_all()
    assert town.relay().unsent() == 3
    town.publish(*some(2, first=3))
    town.broker.down = False
    assert town.relay().send_all() == 5
    assert town.broker.numbers() == [1, 2, 3, 4, 5]


def test_a_crash_between_numbering_and_sending_sends_the_same_bytes(town: Town) -> None:
    town.publish(*some(3))
    dying = DiesAfterNumbering()
    obedient, town.broker = town.broker, dying
    with pytest.raises(KeyboardInterrupt):
        town.relay().send_due()
    town.broker = obedient
    town.relay().send_all()
    assert [record.value for record in obedient.outgoing] == [record.value for record in dying.outgoing]
    assert [record.headers for record in obedient.outgoing] == [record.headers for record in dying.outgoing]


def test_a_dead_process_keeps_its_rows_no_longer_than_its_lease(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    town.publish(*some(2))
    with monkeypatch.context() as patched:
        patched.setattr(ObedientBroker, "send", die)
        patched.setattr(Outbox, "settle", die)
        with pytest.raises(KeyboardInterrupt):
            town.relay().send_due()
    assert town.relay().send_all() == 0, "the rows are still another's"
    town.clock.pass_seconds(LEASE_SECONDS)
    assert town.relay().send_all() == 2
    assert town.broker.numbers() == [1, 2]


def test_a_row_that_was_not_acknowledged_stays_with_its_number(town: Town) -> None:
    results = town.publish(*some(3))
    town.broker.refused = {f"{results[1].signal_id}.1"}
    assert town.relay().send_due() == 2
    assert town.broker.numbers() == [1, 3]
    town.broker.refused = set()
    town.relay().send_all()
    assert town.broker.numbers() == [1, 3, 2]


class AccountsAtOnce(ObedientBroker):
    """An exchange that accounts for what it gets before its acknowledgement is noted, while an officer publishes again."""

    def __init__(self, town: Town) -> None:
        super().__init__()
        self.town, self.once = town, True

    def send(self, outgoing: Sequence[OutgoingRecord]) -> list[bool]:
        if self.once:
            self.once = False
            with self.town.node.database.transaction() as connection:
                connection.execute(OUTBOX.delete())
            self.town.publish(example(local_ref="A-9"))
            self.town.publish(example(local_ref="A-9", estimated_victims=3))
        return super().send(outgoing)


@pytest.mark.sqlite
@pytest.mark.parametrize("refused", [False, True], ids=["acknowledged", "not acknowledged"])
def test_a_new_signal_that_gets_the_row_of_one_in_flight_is_not_taken_for_it(town: Town, *, refused: bool) -> None:
    (first,) = town.publish(example(local_ref="A-1"))
    [before] = town.rows(OUTBOX)
    town.broker = AccountsAtOnce(town)
    town.broker.refused = {f"{first.signal_id}.1"} if refused else set()
    town.relay().send_due()
    fresh, second = town.rows(OUTBOX)
    assert (fresh["number"], second["version"]) == (before["number"], 2), "SQLite gives a number again"
    assert (fresh["sent_at"], fresh["attempts"]) == (None, 0)
    town.relay().send_all()
    sent = [(each["signal"]["signal_id"], each["signal"]["version"]) for each in town.broker.records()]
    assert sent[-2:] == [(fresh["signal_id"], 1), (fresh["signal_id"], 2)]


def test_a_later_version_waits_until_the_earlier_one_was_acknowledged(town: Town) -> None:
    (first,) = town.publish(example())
    town.publish(example(estimated_victims=3))
    town.publish(example(local_ref="A-2"))
    town.broker.refused = {f"{first.signal_id}.1"}
    town.relay().send_all()
    town.broker.refused = set()
    town.relay().send_all()
    sent = [(each["signal"]["signal_id"] == first.signal_id, each["signal"]["version"]) for each in town.broker.records()]
    assert sent == [(False, 1), (True, 1), (True, 2)]


def test_two_processes_of_one_node_neither_number_nor_send_a_row_twice(town: Town) -> None:
    town.publish(*some(300))
    lock = threading.Lock()

    class Slow(ObedientBroker):
        def send(self, outgoing: Sequence[OutgoingRecord]) -> list[bool]:
            with lock:
                return super().send(outgoing)

    town.broker = Slow()
    together(*(town.relay(batch_rows=20).send_all for _ in range(3)))
    assert sorted(town.broker.numbers()) == list(range(1, 301))


def test_a_process_that_saw_no_numbering_takes_the_one_that_another_began_meanwhile(town: Town) -> None:
    first, second = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
    with town.node.database.transaction() as connection:
        assert Outbox(connection).begin_first_run(first, town.clock()) == first
    with town.node.database.transaction() as connection:
        assert Outbox(connection).begin_first_run(second, town.clock()) == first
        assert Outbox(connection).begin_run(second, town.clock()) == second


def test_a_row_stays_until_it_is_confirmed_and_is_sent_again_with_the_same_bytes(town: Town) -> None:
    town.publish(*some(2))
    town.relay().send_all()
    assert len(town.waiting()) == 2
    town.clock.pass_seconds(599)
    assert town.relay().send_all() == 0
    town.clock.pass_seconds(1)
    assert town.relay().send_due() == 2
    values = [record.value for record in town.broker.outgoing]
    assert values[:2] == values[2:]
    assert [row.attempts for row in town.waiting()] == [2, 2]


def test_a_checkpoint_is_signed_unnumbered_and_tells_the_highest_number(town: Town) -> None:
    town.publish(*some(4))
    town.relay().send_all()
    town.relay().checkpoint()
    record = town.broker.outgoing[-1]
    (checkpoint,) = town.broker.records("Checkpoint")
    run = checkpoint["envelope"]["publisher_run"]
    assert (checkpoint["highest"], checkpoint["envelope"]["sequence"], checkpoint["municipality"]) == (4, 0, VENLO)
    assert record.key == run
    assert dict(record.headers)["ce_id"].decode() == f"{run}.4"
    found = town.node.identity.register.signing_key(checkpoint["envelope"]["key_id"], town.clock())
    assert found is not None
    assert found[1].verify(record.value or b"", dict(record.headers)["signature"])


def test_there_is_no_checkpoint_before_the_first_number_and_at_the_end_only_for_a_new_one(town: Town) -> None:
    relay = town.relay()
    relay.checkpoint()
    town.publish(example())
    relay.send_all()
    relay.checkpoint(again=False)
    relay.checkpoint(again=False)
    assert [each["highest"] for each in town.broker.records("Checkpoint")] == [1]
    relay.checkpoint()
    assert [each["highest"] for each in town.broker.records("Checkpoint")] == [1, 1]


def test_a_run_that_a_restore_left_behind_gets_its_last_checkpoint(town: Town) -> None:
    town.publish(example())
    town.relay().send_all()
    with town.node.database.transaction() as connection:
        Outbox(connection).begin_run("00000000-0000-4000-8000-000000000002", town.clock())
    town.relay().checkpoint()
    assert [each["highest"] for each in town.broker.records("Checkpoint")] == [1]
    town.relay().checkpoint()
    assert len(town.broker.records("Checkpoint")) == 1


def turns(count: int) -> Any:
    left = iter(range(count))
    return lambda _seconds: next(left, None) is None


def test_the_loop_relays_with_checkpoints_in_time_and_at_an_orderly_stop(town: Town) -> None:
    town.publish(*some(2))
    loop = RelayLoop(town.relay(), relay_seconds=0.1, checkpoint_seconds=900)
    loop.run(turns(3))
    assert [each["highest"] for each in town.broker.records("Checkpoint")] == [2]
    town.publish(*some(1, first=2))
    town.clock.pass_seconds(10)
    loop.run(turns(0))
    assert [each["highest"] for each in town.broker.records("Checkpoint")] == [2, 3]
    town.clock.pass_seconds(900)
    loop.run(turns(1))
    assert [each["highest"] for each in town.broker.records("Checkpoint")] == [2, 3, 3]


def test_each_batch_of_a_long_queue_is_a_sign_of_life_and_a_stop_may_come_between(town: Town) -> None:
    town.publish(*some(5))
    sent: list[int] = []

    def wait(_seconds: float) -> bool:
        sent.append(5 - town.relay().unsent())
        return len(sent) > 7

    RelayLoop(replace(town.relay(), batch_rows=1), relay_seconds=0.1, checkpoint_seconds=900).run(wait)
    assert sent[:6] == [0, 1, 2, 3, 4, 5]


def test_a_worker_counts_how_often_its_function_waited() -> None:
    with Worker("relay", lambda wait: [wait(0.0) for _ in range(3)].clear()) as worker:
        pass
    assert worker.signs == 3


def test_the_loop_outlives_a_broker_that_is_down_and_does_not_wait_for_it_at_a_stop(town: Town) -> None:
    town.publish(example())
    town.broker.down = True
    loop = RelayLoop(town.relay(), relay_seconds=0.1, checkpoint_seconds=900)
    loop.run(turns(3))
    assert town.relay().unsent() == 1
    town.broker.down = False
    loop.run(turns(1))
    assert town.relay().unsent() == 0


def test_what_is_in_the_outbox_is_only_what_may_leave(town: Town) -> None:
    town.publish(example())
    (before,) = town.rows(OUTBOX)
    assert b"Testescu" not in before["fields"]
    assert before["value"] is None
    town.relay().send_all()
    (after,) = town.rows(OUTBOX)
    assert after["fields"] is None, "from now on only the signed bytes count"
    assert town.rows(RUNS)[0]["next_sequence"] == 2


def test_an_outbox_takes_only_what_can_be_written_down_as_it_is(town: Town) -> None:
    strange = Outgoing("one", 1, RecordName("SignalPublished"), {"signal": {"a", "set"}}, "")
    with town.node.database.transaction() as connection, pytest.raises(TypeError):
        Outbox(connection).add([strange], town.clock())


def test_the_tables_are_made_on_postgresql_too() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy does not type it
    assert all(str(CreateTable(table).compile(dialect=dialect)) for table in TABLES.tables.values())
