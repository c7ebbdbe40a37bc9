"""A back-up is whole or no back-up; a restore puts all of it back and lets the service catch up with what came since."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backups import BACKUP_KEY, EXCHANGE, LOGS, MAKING, OPENING, RESTORE_KEY
from builders import ONE, START, TWO, Consuming, a_referral, a_register, an_identity
from refusing import refused
from replays import MemoryReplay, Part

from signal_exchange.contracts.codec import decode_as
from signal_exchange.contracts.records import PARKED_RECORD, ParkedRecord
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.people import Person
from signal_exchange.people.actions import NewPerson, PeopleActions
from signal_exchange.privacy.backup_files import open_backup, write_backup
from signal_exchange.privacy.backup_keys import BackupKey, RestoreKey, new_backup_keys
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.recovery.backing_up import Making, Opening, back_up
from signal_exchange.recovery.backup_log import BackupLog
from signal_exchange.recovery.rebuilding import Plan
from signal_exchange.recovery.restoring import restore
from signal_exchange.runtime import clock
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.messages import Unreadable
from signal_exchange.stream.scrubbing import is_owed
from signal_exchange.stream.seen_register import SEEN_TABLE
from signal_exchange.stream.work import Work
from signal_exchange.web.sittings import SITTINGS, Limits, Sittings
from signal_exchange.worklist.handler import WorklistHandler
from signal_exchange.worklist.rebuilding import KEYED, take
from signal_exchange.worklist.store import REFERRALS, TABLES

SOURCES = ("referrals", "retry.worklist")


def quiet(_done: int, _all: int) -> None:
    pass


class Worklist:
    """A worklist with its topic."""

    def __init__(self, folder: Path, name: str = "worklist") -> None:
        folder.mkdir(exist_ok=True)
        self.file = folder / f"{name}.backup"
        handler = WorklistHandler("CARE_COORDINATOR", WorkingCalendar(frozenset()), an_identity().sealed_part, a_register)
        self.consumer = Consuming("worklist", TABLES, handler, f"sqlite+pysqlite:///{folder / name}.sqlite")
        spec = ConsumerSpec(
            name=name,
            reader="worklist",
            sources=SOURCES,
            database=self.consumer.database,
            outbox=self.consumer.outbox,
            handle=handler,
            seal=an_identity().parking_seal("worklist"),
        )
        self.plan, self.topics = Plan(spec, take=take), MemoryReplay()

    def came(self, *numbers: int, **changed: object) -> None:
        self.consumer.take(*(self.topics.add(a_referral(number, **changed)) for number in numbers))  # type: ignore[arg-type]  # keywords of a referral
        self.topics.commit()

    def handle_the_rest(self) -> None:
        """Handle what is not committed, as the service does when it starts."""
        first = self.topics.done[Part("referrals", 0)]
        values = [record.value for record in self.topics.topics["referrals"][first:]]
        known = {message.incoming.value: message for message in (a_referral(number) for number in range(1, 9))}
        self.consumer.take(*(known[value] for value in values))

    def backed_up(self) -> Path:
        back_up(self.plan, self.file, self.topics.committed(SOURCES), quiet, MAKING)
        return self.file

    def restored(self, file: Path, *, over: bool = True, opening: Opening = OPENING) -> Any:
        return restore(self.plan, file, self.topics, quiet, opening, replace=over)

    def rows(self) -> dict[str, Any]:
        return {**self.consumer.everything(*LOGS), "outbox": self.consumer.rows(self.consumer.outbox)}

    def log(self) -> list[tuple[str, str | None]]:
        with self.consumer.database.reading() as connection:
            return [(row["what"], row["reason"]) for row in BackupLog(connection).rows()]


def test_a_restore_gives_every_row_back_and_the_group_begins_where_it_was(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(1, 2)
    before, file = kept.rows(), kept.backed_up()
    kept.came(3)
    after = kept.rows()
    restored = kept.restored(file)
    assert (kept.rows(), restored.rows["record_referrals"]) == (before, 2)
    assert kept.topics.committed(SOURCES) == {Part("referrals", 0): 2, Part("retry.worklist", 0): 0}
    kept.handle_the_rest()
    assert kept.consumer.everything(*LOGS) == {name: rows for name, rows in after.items() if name != "outbox"}


def test_a_back_up_is_for_its_owner_only_and_leaves_no_half_file(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(1)
    file = kept.backed_up()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with refused("bestaat al"):
        kept.backed_up()

    def breaks(_done: int, _all: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(kept.plan, tmp_path / "second", {}, breaks, MAKING)
    assert not list(tmp_path.glob("second*"))


DAMAGED = "beschadigd of veranderd: er is niets veranderd"


@pytest.mark.parametrize("damage", ["cut", "flipped", "longer", "no back-up", "empty", "gone"])
def test_a_damaged_back_up_is_refused_in_one_sentence_and_nothing_changes(tmp_path: Path, damage: str) -> None:
    kept = Worklist(tmp_path)
    kept.came(*range(1, 9))
    file = kept.backed_up()
    content = file.read_bytes()
    middle = len(content) // 2
    damaged = {
        "cut": content[:middle],
        "flipped": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        "longer": content + b"x",
        "no back-up": b"This is no back-up at all.",
        "empty": b"",
    }
    file.write_bytes(damaged[damage]) if damage in damaged else file.unlink()
    before, log = kept.rows(), kept.log()
    with refused(DAMAGED if damage in damaged else "is er niet"):
        kept.restored(file)
    assert (kept.rows(), kept.log()) == (before, log)


def test_what_is_no_file_is_refused_as_well(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    with refused("niet te lezen: er is niets veranderd"):
        kept.restored(tmp_path)


def test_what_was_sealed_by_somebody_else_to_this_organisation_is_refused(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(1)
    forger = BackupKey(BACKUP_KEY.sealing, SigningKey.generate("forger"))
    back_up(kept.plan, kept.file, {}, quiet, Making(forger, EXCHANGE))
    before = kept.rows()
    with refused(DAMAGED):
        kept.restored(kept.file)
    assert kept.rows() == before


def test_what_is_genuine_and_not_what_it_says_is_refused(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(1)
    content = open_backup(kept.backed_up().read_bytes(), RESTORE_KEY)
    for number, change in enumerate(("UPDATE record_referrals SET state = 'SEEN'", "UPDATE manifest SET content = '{}'", "")):
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as store:
            store.deserialize(content.content)
            store.execute(change)
            changed = store.serialize() if change else b"no database"
        file = tmp_path / f"changed-{number}"
        with file.open("wb") as out:
            write_backup(out, changed, content.about, BACKUP_KEY)
        with refused(DAMAGED):
            kept.restored(file)


def test_a_back_up_of_another_exchange_or_for_another_key_is_refused(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(1)
    file, before = kept.backed_up(), kept.rows()
    with refused("van een andere uitwisseling: er is niets veranderd"):
        kept.restored(file, opening=Opening(RESTORE_KEY, "another exchange"))
    another = RestoreKey(new_backup_keys("another")[1].sealing, RESTORE_KEY.signing)
    with refused("sleutel opent deze reservekopie niet: er is niets veranderd"):
        kept.restored(file, opening=Opening(another, EXCHANGE))
    assert kept.rows() == before


def test_nothing_of_the_store_stands_in_the_file_in_the_clear(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(*range(1, 9))
    content = kept.backed_up().read_bytes()
    assert b"SQLite" not in content
    assert b"LAB_AGRICULTURE" not in content


@pytest.mark.parametrize(("days", "too_old"), [(7.0, False), (7.01, True)])
def test_one_of_more_than_seven_days_goes_back_only_with_a_reason_which_stays_in_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, days: float, too_old: bool
) -> None:
    kept = Worklist(tmp_path)
    kept.came(1)
    file = kept.backed_up()
    [made_at] = [row["made_at"] for row in kept.consumer.rows(kept.plan.spec.outbox.metadata.tables["record_backups"])]
    monkeypatch.setattr(clock, "now", lambda: made_at + timedelta(days=days))
    if too_old:
        with refused(r"ouder dan 7 dagen: er is niets veranderd\. Zij gaat alleen met een reden terug"):
            kept.restored(file)
        assert kept.log() == [("MADE", None)]
    kept.restored(file, opening=replace(OPENING, older="the disk of this week is lost" if too_old else None))
    assert kept.log() == [("MADE", None), ("RESTORED", "the disk of this week is lost" if too_old else None)]


def test_one_that_is_not_the_newest_that_the_store_knows_goes_back_only_with_a_reason(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(1)
    first = kept.backed_up()
    kept.file = tmp_path / "second.backup"
    second = kept.backed_up()
    with refused("ouder dan de laatste"):
        kept.restored(first)
    kept.restored(second)
    kept.restored(first, opening=replace(OPENING, older="the second has a mistake"))
    assert kept.log() == [("MADE", None), ("MADE", None), ("RESTORED", None), ("RESTORED", "the second has a mistake")]
    with refused("ouder dan de laatste"):  # what was known of the second is not lost with the first
        kept.restored(first)


def test_a_store_that_was_lost_knows_no_newer_one_and_is_empty_for_a_restore(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(1)
    file = kept.backed_up()
    new = Worklist(tmp_path / "new")
    new.plan, new.topics = replace(new.plan, spec=replace(new.plan.spec, name="worklist")), kept.topics
    new.restored(file, over=False)
    assert new.rows() == kept.rows()
    assert new.log() == [("RESTORED", None)]


def people_in(kept: Worklist) -> dict[str, Any]:
    found = kept.consumer.everything()
    return {name: found[name] for name in ("record_people", "record_deputies", "record_person_tokens", "record_audit")}


def test_a_restore_gives_nobody_access_back_and_takes_nothing_out_of_the_audit_log(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(1)
    people = PeopleActions(kept.consumer.database, "worklist", lambda: START)
    admin = people.add_first(NewPerson("os", "root", "admin", "ORGANISATION_ADMIN", "care", START.date())).person()
    people.add(NewPerson("os", "noor", "noor", "CARE_COORDINATOR", "care", START.date()), admin)
    file = kept.backed_up()
    before = people_in(kept)
    people.make_token("noor", admin)
    people.stop("noor", admin)
    after = people_in(kept)
    assert before != after
    kept.restored(file)
    assert people_in(kept) == after
    assert people.find("os", "noor") is None
    new = Worklist(tmp_path / "new")
    new.topics = kept.topics
    new.restored(file, over=False)
    assert people_in(new) == before


def test_a_store_of_which_only_the_people_are_known_is_empty_for_a_restore(tmp_path: Path) -> None:
    kept, new = Worklist(tmp_path), Worklist(tmp_path / "new")
    kept.came(1)
    new.topics = kept.topics
    people = PeopleActions(new.consumer.database, "worklist", lambda: START)
    people.add_first(NewPerson("os", "root", "admin", "ORGANISATION_ADMIN", "care", START.date()))
    new.restored(kept.backed_up(), over=False)
    assert new.consumer.rows(REFERRALS) == kept.consumer.rows(REFERRALS)
    assert not people.is_empty()


def test_a_log_in_comes_back_with_no_restore(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(1)
    sittings = Sittings(kept.consumer.database, Limits(), lambda: START)
    before = sittings.begin(Person("noor"))
    file = kept.backed_up()
    ended = sittings.find(before)
    assert ended is not None
    sittings.end(ended)
    since = sittings.begin(Person("noor"))
    kept.restored(file)
    assert [sittings.find(token) is not None for token in (before, since)] == [False, True]


def test_what_the_topic_has_no_more_stays_out_whatever_the_back_up_says(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(1, 2)
    kept.consumer.parks(a_referral(1))
    file = kept.backed_up()
    records = kept.topics.topics["referrals"]
    kept.topics.topics["referrals"] = [each for each in records if each.key != ONE.encode()]  # Kafka forgot the tombstone too
    spec = replace(kept.plan.spec, unseal=an_identity("parking:worklist").opened)
    plan = replace(kept.plan, spec=spec, keyed={"referrals": KEYED})
    assert restore(plan, file, kept.topics, quiet, OPENING, replace=True).left_out == 1
    rows = kept.rows()
    assert {each["signal_id"] for name in ("projection_referrals", "record_referrals") for each in rows[name]} == {TWO}
    assert kept.consumer.parked() == []
    with kept.consumer.database.reading() as connection:
        assert is_owed(connection)


def test_a_back_up_of_another_service_or_of_other_tables_is_refused(tmp_path: Path) -> None:
    kept, other = Worklist(tmp_path), Worklist(tmp_path, "worklist-youth")
    kept.came(1)
    file = kept.backed_up()
    with refused(r"van worklist, niet van worklist-youth"):
        other.restored(file)
    with kept.consumer.database.transaction() as store:
        store.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with refused(r"versie 0001; dit programma heeft 9999"):
        kept.restored(file)
    with refused("is er niet"):
        kept.restored(tmp_path / "nothing")


def test_a_store_that_holds_something_and_a_service_that_runs_are_not_restored_by_mistake(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(1)
    file = kept.backed_up()
    with refused("niet leeg"):
        kept.restored(file, over=False)
    kept.topics.runs = True
    with refused("draait nog"):
        kept.restored(file)


def test_who_must_not_handle_its_sources_again_sends_no_old_state_and_stays_where_it_is(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(1)
    file = kept.backed_up()
    kept.came(2)
    done = dict(kept.topics.done)
    plan = replace(kept.plan, handled_again=False, own=("referrals",), sources=())
    restored = restore(plan, file, kept.topics, quiet, OPENING, replace=True)
    assert (kept.rows()["outbox"], kept.topics.done) == ([], done)
    assert restored.rebuilt["projection_referrals"] == 2


def broken_off(kept: Worklist, file: Path) -> None:
    def breaks(_connection: object) -> None:
        raise KeyboardInterrupt

    plan = replace(kept.plan, handled_again=False, own=("referrals",), sources=(), finish=breaks)
    with pytest.raises(KeyboardInterrupt):
        restore(plan, file, kept.topics, quiet, OPENING, replace=True)


def test_a_restore_that_is_broken_off_while_it_rebuilds_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(1)
    file = kept.backed_up()
    kept.came(2)
    before = kept.rows()
    broken_off(kept, file)
    assert kept.rows() == before


def test_after_a_restore_that_is_broken_off_no_letter_gets_a_number_before_those_that_wait(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(1)
    file = kept.backed_up()
    kept.came(2, 3, 4)
    waiting = [row["number"] for row in kept.rows()["outbox"]]
    broken_off(kept, file)
    kept.came(5)
    later = [row["number"] for row in kept.rows()["outbox"] if row["number"] not in waiting]
    assert later
    assert min(later) > max(waiting)


@pytest.mark.parametrize(("state", "kept_after"), [("DISCARDED", 1), ("RESOLVED", 0)])
def test_what_a_person_dropped_since_the_back_up_is_not_parked_again(tmp_path: Path, state: str, kept_after: int) -> None:
    kept = Worklist(tmp_path)
    kept.came(1)
    file = kept.backed_up()
    work = Work("worklist", None, an_identity().parking_seal("worklist"))  # type: ignore[arg-type]  # writes nothing
    work.park(Unreadable(a_referral(2).incoming, "UNKNOWN_CODE"))
    [parked] = [record for record in work.outgoing if record.topic == "parked"]
    fields: ParkedRecord = {**decode_as(parked.value, PARKED_RECORD), "state": state, "revision": 2}
    work.send("parked", parked.key, PARKED_RECORD, fields, event_id="x", at=fields["parked_at"])
    kept.topics.send([record for record in work.outgoing if record.topic == "parked"])
    kept.restored(file)
    assert len(kept.rows()["projection_parked"]) == kept_after


def test_a_manifest_tells_whose_it_is_and_where_the_group_was(tmp_path: Path) -> None:
    kept = Worklist(tmp_path)
    kept.came(1, 2)
    opened = open_backup(kept.backed_up().read_bytes(), RESTORE_KEY)
    with closing(sqlite3.connect(":memory:")) as store:
        store.deserialize(opened.content)
        [(content,)] = store.execute("SELECT content FROM manifest")
    manifest = json.loads(content)
    assert (manifest["service"], manifest["revision"], manifest["offsets"]["referrals"]) == ("worklist", "0001", {"0": 2})
    assert set(manifest["hashes"]) == set(TABLES.tables) - {SEEN_TABLE, SITTINGS.name}
    assert (opened.about.service, opened.about.backup_id) == ("worklist", manifest["backup_id"])
