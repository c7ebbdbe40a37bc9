"""The promises of the audit log: whole or seen to be broken, of ids and codes only, read under the eyes of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusing import refused
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from signal_exchange.domain.people import Person, Role
from signal_exchange.people.access import Act
from signal_exchange.people.audit import AuditLog, Entry, Intact, Wanted
from signal_exchange.people.audit_actions import AuditActions
from signal_exchange.people.tables import AUDIT, AUDIT_MONTHS
from signal_exchange.people.watching import watched
from signal_exchange.runtime.database import Database, row_of
from signal_exchange.worklist.store import TABLES

NOON = datetime(2026, 11, 18, 11, 0, tzinfo=UTC)
NOOR = Person("noor", role=Role.CARE_COORDINATOR, person_id="0" * 8)
OFFICER = Person("officer", role=Role.PRIVACY_OFFICER, person_id="1" * 8)
SIGNAL = "00000001-0000-4000-8000-000000000001"
ALL = Wanted()


@pytest.fixture
def database() -> Iterator[Database]:
    opened = Database("sqlite+pysqlite:///:memory:", TABLES)
    opened.create_tables()
    yield opened
    opened.close()


def write(connection: Connection, at: datetime, person: Person = NOOR, act: Act = Act.WORKLIST_ACCEPT) -> None:
    AuditLog(connection).add(act, person, at, about=SIGNAL if act is Act.WORKLIST_ACCEPT else "")


def filled(database: Database, *moments: datetime) -> Database:
    """Write an entry at each moment."""
    for at in moments:
        with database.transaction() as connection:
            write(connection, at)
    return database


def entries(database: Database, wanted: Wanted = ALL) -> list[Entry]:
    with database.reading() as connection:
        return AuditLog(connection).entries(wanted, page_size=1_000)


def intact(database: Database) -> Intact:
    with database.reading() as connection:
        return AuditLog(connection).intact()


def months(count: int, each: int) -> list[datetime]:
    """Give so many moments in each of so many months on end."""
    starts = [datetime(2026 + month // 12, month % 12 + 1, 10, tzinfo=UTC) for month in range(count)]
    return [start + timedelta(hours=hour) for start in starts for hour in range(each)]


def test_an_entry_says_who_did_what_about_which_id_in_which_role_and_how_it_went(database: Database) -> None:
    with database.transaction() as connection:
        AuditLog(connection).add(Act.WORKLIST_REJECT, NOOR, NOON, about=SIGNAL, why="OUTSIDE_REGION")
    [entry] = entries(database)
    said = (entry.month, entry.number, entry.at, entry.who, entry.role, entry.act, entry.action, entry.about)
    assert said == ("2026-11", 1, NOON, NOOR.person_id, "CARE_COORDINATOR", "worklist.reject", "UPDATE", SIGNAL)
    assert (entry.why, entry.result, entry.previous, len(entry.hash)) == ("OUTSIDE_REGION", "DONE", "", 64)


def test_a_person_whom_no_list_knows_leaves_no_name(database: Database) -> None:
    with database.transaction() as connection:
        write(connection, NOON, Person("A Name", role=Role.CARE_COORDINATOR))
    assert [each.who for each in entries(database)] == ["UNLISTED"]


@pytest.mark.parametrize(
    "given", [{"about": "A Name"}, {"about": "VEN-2026-0311"}, {"about": "123456789 x"}, {"why": "a reason"}, {"result": "no"}]
)
def test_what_may_be_a_text_comes_into_no_entry(database: Database, given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="opaque"), database.transaction() as connection:
        AuditLog(connection).add(Act.WORKLIST_SEE, NOOR, NOON, **given)
    assert entries(database) == []


def test_a_log_as_it_was_written_is_intact_until_its_last_entry(database: Database) -> None:
    assert intact(database) == Intact(None)
    filled(database, *months(14, 3))
    assert intact(database) == Intact(months(14, 3)[-1])
    numbers = [(each.month, each.number) for each in reversed(entries(database))]
    assert numbers[:4] == [("2026-01", 1), ("2026-01", 2), ("2026-01", 3), ("2026-02", 1)]
    assert all(one.previous == before.hash for one, before in zip(entries(database), entries(database)[1:], strict=False))


def test_a_month_begins_in_amsterdam_and_a_clock_that_goes_back_begins_none(database: Database) -> None:
    midnight = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    filled(database, midnight - timedelta(milliseconds=1), midnight, midnight - timedelta(hours=1))
    assert [(each.month, each.number) for each in reversed(entries(database))] == [("2026-11", 1), ("2026-12", 1), ("2026-12", 2)]
    assert intact(database).broken_at is None


Tamper = Callable[[Connection, Entry, Entry], None]


def is_entry(entry: Entry) -> ColumnElement[bool]:
    return (AUDIT.c.month == entry.month) & (AUDIT.c.number == entry.number)


def set_to(**values: object) -> Tamper:
    return lambda connection, one, _: _set(connection, one, values)


def later(milliseconds: int) -> Tamper:
    return lambda connection, one, _: _set(connection, one, {"at": one.at + timedelta(milliseconds=milliseconds)})


def _set(connection: Connection, entry: Entry, values: dict[str, object]) -> None:
    connection.execute(update(AUDIT).where(is_entry(entry)).values(values))


def remove(connection: Connection, one: Entry, _: Entry) -> None:
    connection.execute(delete(AUDIT).where(is_entry(one)))


def swap(connection: Connection, one: Entry, other: Entry) -> None:
    rows = {each: dict(connection.execute(select(AUDIT).where(is_entry(each))).mappings().one()) for each in (one, other)}
    for here, there in ((one, other), (other, one)):
        _set(connection, here, {**rows[there], "month": here.month, "number": here.number})


WAYS: Sequence[Tamper] = (
    set_to(who="f" * 8),
    set_to(role="X"),
    set_to(act="x.y"),
    set_to(action="X"),
    set_to(about=""),
    set_to(why="X"),
    set_to(result="X"),
    set_to(hash="0" * 64),
    set_to(previous="0" * 64),
    later(1),
    later(10**9),
    remove,
    swap,
)


@given(
    each=st.integers(1, 4),
    of=st.integers(1, 4),
    chosen=st.tuples(st.integers(0, 15), st.integers(0, 15)),
    how=st.sampled_from(WAYS),
)
def test_whatever_is_changed_removed_or_swapped_is_found(each: int, of: int, chosen: tuple[int, int], how: Tamper) -> None:
    database = Database("sqlite+pysqlite:///:memory:", TABLES)
    database.create_tables()
    filled(database, *months(of, each))
    written = entries(database)[::-1]
    one, other = (written[index % len(written)] for index in chosen)
    with database.transaction() as connection:
        how(connection, one, other)
    changed = entries(database)[::-1] != written
    found = intact(database).broken_at
    assert (found is not None) == changed
    if found is not None and how is not swap:
        assert found == (one.month, one.number)
    database.close()


def test_an_entry_that_is_written_anew_with_a_right_hash_is_found_at_the_next_one(database: Database) -> None:
    filled(database, *months(1, 3))
    other = Database("sqlite+pysqlite:///:memory:", TABLES)
    other.create_tables()
    with other.transaction() as connection:
        write(connection, months(1, 3)[0])
        AuditLog(connection).add(Act.WORKLIST_REJECT, NOOR, months(1, 3)[1], about=SIGNAL)
    forged = entries(other)[0]
    other.close()
    for values, of in ((row_of(forged), 2), ({"previous": forged.hash}, 3)):
        with database.transaction() as connection:
            connection.execute(update(AUDIT).where(AUDIT.c.number == of).values(values))
        assert intact(database).broken_at == ("2026-01", 3)


def test_the_end_of_a_month_cannot_be_taken_away_and_neither_can_a_whole_one(database: Database) -> None:
    filled(database, *months(3, 2))
    for month, found in (("2026-03", ("2026-03", 1)), ("2026-01", ("2026-01", 1))):
        with database.transaction() as connection:
            connection.execute(delete(AUDIT).where(AUDIT.c.month == month))
        assert intact(database).broken_at == found


def test_an_entry_of_a_month_that_nobody_knows_of_is_found(database: Database) -> None:
    filled(database, *months(2, 1))
    with database.transaction() as connection:
        AuditLog(connection).end_months("2026-02", NOON)
        forged = {**dict(connection.execute(select(AUDIT)).mappings().one()), "month": "2026-01", "number": 3}
        connection.execute(insert(AUDIT).values(forged))
    assert intact(database).broken_at == ("2026-01", 3)


def test_a_month_ends_whole_and_the_next_one_can_be_checked_still(database: Database) -> None:
    filled(database, *months(3, 2))
    with database.transaction() as connection:
        assert AuditLog(connection).end_months("2026-03", NOON) == ["2026-01", "2026-02"]
        assert AuditLog(connection).end_months("2026-03", NOON) == []
    assert {each.month for each in entries(database)} == {"2026-03"}
    assert intact(database).broken_at is None
    filled(database, *months(4, 1)[-1:])
    assert intact(database) == Intact(months(4, 1)[-1])
    with database.transaction() as connection:
        connection.execute(update(AUDIT).where(AUDIT.c.month == "2026-03", AUDIT.c.number == 1).values(previous=""))
    assert intact(database).broken_at == ("2026-03", 1)


def test_what_several_write_at_once_is_one_chain(tmp_path: Path) -> None:
    database = Database(f"sqlite+pysqlite:///{tmp_path / 'worklist.sqlite'}", TABLES)
    database.create_tables()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda at: filled(database, at), months(1, 20)))
    assert sorted(each.number for each in entries(database)) == list(range(1, 21))
    assert intact(database).broken_at is None
    database.close()


def test_an_act_that_is_undone_leaves_no_entry_and_a_refused_one_leaves_its_refusal(database: Database) -> None:
    def act(person: Person) -> None:
        with watched(database, Act.WORKLIST_ACCEPT, person, NOON) as doing, database.transaction() as connection:
            doing.about = SIGNAL
            doing.enter(connection)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        act(NOOR)
    assert entries(database) == []
    with refused("mag u niet"):
        act(OFFICER)
    assert [(each.who, each.action, each.result) for each in entries(database)] == [(OFFICER.person_id, "DENIED", "NOT_ALLOWED")]


def numbers_of(found: Sequence[Entry]) -> list[int]:
    return [each.number for each in found]


@pytest.fixture
def actions(database: Database) -> AuditActions:
    return AuditActions(database, lambda: NOON)


def test_the_privacy_officer_reads_all_and_that_is_kept_as_well(database: Database, actions: AuditActions) -> None:
    filled(database, NOON, NOON)
    assert numbers_of(actions.read(OFFICER, ALL).entries) == [2, 1]
    found = actions.read(OFFICER, Wanted(action="READ"))
    assert [(each.who, each.act) for each in found.entries] == [(OFFICER.person_id, "audit.read")]
    assert numbers_of(actions.export(OFFICER, ALL).entries) == [4, 3, 2, 1]
    assert actions.check(OFFICER) == Intact(NOON)
    assert [each.act for each in entries(database)[:2]] == ["audit.check", "audit.export"]


def test_others_read_their_own_entries_whatever_they_ask_for(database: Database, actions: AuditActions) -> None:
    filled(database, NOON)
    with database.transaction() as connection:
        write(connection, NOON, OFFICER, Act.AUDIT_CHECK)
    for wanted in (ALL, Wanted(who=OFFICER.person_id)):
        assert {each.who for each in actions.read(NOOR, wanted).entries} == {NOOR.person_id}
    for attempt in (lambda: actions.export(NOOR, ALL), lambda: actions.check(NOOR), lambda: actions.end_old_months(NOOR)):
        with refused("mag u niet"):
            attempt()


def test_the_log_is_searched_by_id_person_kind_and_days_page_by_page(database: Database, actions: AuditActions) -> None:
    filled(database, *(NOON + timedelta(days=day) for day in range(4)))
    with database.transaction() as connection:
        write(connection, NOON + timedelta(days=4), OFFICER, Act.AUDIT_CHECK)
    at = date(2026, 11, 18)
    wanted = {
        Wanted(about=SIGNAL): [4, 3, 2, 1],
        Wanted(who=OFFICER.person_id): [5],
        Wanted(action="UPDATE", first_day=at + timedelta(days=2)): [4, 3],
        Wanted(first_day=at + timedelta(days=1), last_day=at + timedelta(days=2)): [3, 2],
        Wanted(about="no id but a text", last_day=at): [],
    }
    assert {each: numbers_of(entries(database, each)) for each in wanted} == wanted
    page = actions.read(OFFICER, Wanted(about=SIGNAL), page=2, page_size=3)
    assert (numbers_of(page.entries), page.count) == ([1], 4)
    assert actions.read(OFFICER, Wanted(about="no id but a text")).count == 0
    assert [each.about for each in entries(database)[:2]] == ["", SIGNAL]


def test_r_ret_02_months_end_after_sixty(database: Database) -> None:
    old = AuditActions(database, lambda: datetime(2031, 3, 1, tzinfo=UTC))
    filled(database, *months(3, 1))
    assert old.end_old_months(OFFICER) == ["2026-01", "2026-02"]
    assert old.end_old_months(OFFICER) == []
    assert [(each.month, each.act, each.about) for each in entries(database)] == [
        ("2031-03", "audit.end_months", "2026-03"),
        ("2031-03", "audit.end_months", "2026-03"),
        ("2026-03", "worklist.accept", SIGNAL),
    ]
    with database.reading() as connection:
        assert len(connection.execute(select(AUDIT_MONTHS)).all()) == 4
    assert intact(database).broken_at is None
