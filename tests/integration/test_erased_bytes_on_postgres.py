"""R-RET-03 on a real PostgreSQL: an erased byte stands in no file on its disk, tables, indexes and log, when a service is done.

The service enters with the rights that it has in production, and no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import a_referral
from erasing_services import Running, stories
from nodes import a_town, example
from postgres import PostgresCluster
from refusing import refused
from sqlalchemy import create_engine, make_url, text

from signal_exchange.domain.people import Person
from signal_exchange.municipality.node import TABLES_OF_NODE
from signal_exchange.municipality.store import SIGNALS
from signal_exchange.participants.container_files import databases_text
from signal_exchange.runtime import database as database_module
from signal_exchange.runtime import scrubbing
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import BytesKeptError
from signal_exchange.runtime.scrubbing import require_scrubbable, scrub
from signal_exchange.stream.scrubbing import is_owed

GRANTS = ("pg_checkpoint", "pg_read_all_stats", "pg_switch_wal", "pg_ls_waldir")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresCluster]:
    """Give a server as in production: it writes whole pages to its log, and keeps what it committed."""
    cluster = PostgresCluster(careless=False)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.mark.parametrize("name", sorted(stories()))
def test_no_file_holds_what_a_service_erased_when_its_receipt_leaves(server: PostgresCluster, name: str) -> None:
    story = stories()[name]
    running = Running(story.service(server.service_database()))
    running.take(*story.comes())
    marks = {**story.marks, **running.parks(next(iter(story.comes())))}
    server.ask("CHECKPOINT")  # so that heap and log both have it, and whole pages go to the log once more
    assert server.where(marks).keys() == marks.keys()
    running.take(story.erased())
    assert running.sender.receipts() == []
    running.scrubber.settle()
    running.starts_again()
    assert sorted(running.sender.receipts()) == ["outcomes", "signal-trace"]
    assert server.where(marks) == {}
    running.consumer.database.close()


def test_no_file_holds_the_record_or_the_key_that_a_municipality_erased(
    server: PostgresCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, own = server.service_database(), database_module._engine
    monkeypatch.setattr(database_module, "_engine", lambda asked: own(url if asked.startswith("sqlite") else asked))
    town = a_town(tmp_path)
    (result,) = town.publish(example(local_ref="A-1"))
    town.publish(example(local_ref="A-2"))
    [row] = [each for each in town.rows(SIGNALS) if each["signal_id"] == result.signal_id]
    marks = {name: row[name][:40] for name in ("wrapped_key", "ciphertext", "reference_mac", "content_mac")}
    server.ask("CHECKPOINT")
    assert server.where(marks).keys() == marks.keys()
    town.actions.erase("A-1", Person("officer"))
    with town.node.database.reading() as connection:
        assert not is_owed(connection)
    assert server.where(marks) == {}
    assert len(town.rows(SIGNALS)) == 1
    town.node.database.close()


def test_samples_of_content_never_come_into_the_servers_own_statistics(server: PostgresCluster) -> None:
    database = Database(server.service_database(), TABLES_OF_NODE)
    database.create_tables()
    with database.transaction() as connection:
        sampled = text(
            "SELECT count(*) FROM pg_attribute WHERE atttypid = 'bytea'::regtype AND attrelid = 'record_signals'::regclass"
        )
        assert connection.execute(sampled).scalar_one() == 4
        assert connection.execute(text(sampled.text + " AND attstattarget <> 0")).scalar_one() == 0
    database.close()


def test_while_somebody_sees_an_old_state_the_bytes_are_kept_and_no_receipt_leaves(
    server: PostgresCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrubbing, "SNAPSHOT_SECONDS", 0.2)
    story = stories()["worklist"]
    url = server.service_database()
    running = Running(story.service(url))
    running.take(*story.comes())
    admin = create_engine(server.url_of(str(make_url(url).database)))  # as a back-up of the whole server looks
    with admin.connect().execution_options(isolation_level="REPEATABLE READ") as looking:
        looking.execute(text("SELECT count(*) FROM pg_class"))
        running.take(story.erased())
        with pytest.raises(BytesKeptError, match=r"^OldSnapshot$"):
            running.scrubber.settle()
        running.take(a_referral(40))  # nothing else waits
        running.starts_again()
        assert running.sender.receipts() == []
    admin.dispose()
    running.scrubber.settle()
    assert server.where(story.marks) == {}
    running.consumer.database.close()


@pytest.mark.parametrize("grant", GRANTS)
def test_without_one_of_its_rights_a_service_is_refused_at_its_start_and_never_says_that_it_is_done(
    server: PostgresCluster, grant: str
) -> None:
    story = stories()["worklist"]
    running = Running(story.service(server.service_database(grant)))
    with refused(grant, "en"):
        require_scrubbable(running.consumer.database)
    running.take(*story.comes())
    running.take(story.erased())
    with pytest.raises(BytesKeptError, match=f"NotAllowed.*{grant}"):
        running.scrubber.settle()
    running.starts_again()
    assert running.sender.receipts() == []
    running.consumer.database.close()


def test_what_founding_writes_gives_each_service_what_it_needs(server: PostgresCluster, tmp_path: Path) -> None:
    file = tmp_path / "databases.sql"
    file.write_text(databases_text({"worklist-youth": "synthetic", "agenda": "synthetic"}), encoding="utf-8")
    server.run_file(file)
    for service in ("worklist-youth", "agenda"):
        database = Database(server.url_of(service, service), TABLES_OF_NODE)
        database.create_tables()
        require_scrubbable(database)
        scrub(database, TABLES_OF_NODE)
        database.close()


def test_a_server_that_uses_old_segments_of_its_log_again_is_refused(server: PostgresCluster) -> None:
    running = Running(stories()["worklist"].service(server.service_database()))
    require_scrubbable(running.consumer.database)
    server.ask("ALTER SYSTEM SET wal_keep_size = '64MB'")
    server.ask("SELECT pg_reload_conf()")
    try:
        with pytest.raises(BytesKeptError, match=r"^LogKept$"):
            scrub(running.consumer.database, running.consumer.tables)
    finally:
        server.ask("ALTER SYSTEM RESET wal_keep_size")
        server.ask("SELECT pg_reload_conf()")
    running.consumer.database.close()
