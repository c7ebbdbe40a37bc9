"""R-RET-03: no receipt leaves before the erased bytes did, whatever ends in between, and nothing else waits for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import RUN, a_message, a_referral, an_identity, erases, minutes
from erasing_services import Marks, Running, stories
from link_records import LATER, linking
from sqlalchemy import MetaData

from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import BytesKeptError
from signal_exchange.runtime.scrubbing import scrub
from signal_exchange.stream import scrubbing
from signal_exchange.stream.parking import RETRY_READER
from signal_exchange.stream.work import Work

pytestmark = pytest.mark.sqlite
NAMES = sorted(stories())


def left(folder: Path, marks: Marks) -> set[str]:
    """Give which marks stand in any file of the store."""
    content = b"".join(file.read_bytes() for file in folder.iterdir())
    return {name for name, mark in marks.items() if mark in content}


def url_in(folder: Path) -> str:
    return f"sqlite+pysqlite:///{folder / 'store.sqlite'}"


@pytest.mark.parametrize("name", NAMES)
def test_the_bytes_go_first_and_the_receipt_after_them(tmp_path: Path, name: str) -> None:
    story = stories()[name]
    running = Running(story.service(url_in(tmp_path)))
    running.take(*story.comes())
    marks = {**story.marks, **running.parks(next(iter(story.comes())))}
    assert left(tmp_path, marks) == set(marks)
    running.take(story.erased())
    assert (running.owes(), running.sender.receipts()) == (True, [])
    running.starts_again()  # a crash here must not let it go either
    assert running.sender.receipts() == []
    running.scrubber.settle()
    assert left(tmp_path, marks) == set()
    running.starts_again()
    assert sorted(running.sender.receipts()) == ["outcomes", "signal-trace"]
    assert (running.owes(), running.waiting()) == (False, 0)
    running.consumer.database.close()


def kept(_database: Database, _tables: MetaData) -> None:
    raise BytesKeptError("OldSnapshot")


def test_while_the_bytes_cannot_go_the_receipt_stays_and_all_else_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    story = stories()["worklist"]
    running = Running(story.service(url_in(tmp_path)))
    running.take(*story.comes())
    running.take(story.erased())
    monkeypatch.setattr(scrubbing, "scrub", kept)
    running.scrubber.look()
    said = capsys.readouterr()
    assert "erased_bytes_kept" in said.out + said.err
    assert "OldSnapshot" in said.out + said.err
    before = len(running.sender.sent)
    running.take(a_referral(30))
    running.starts_again()
    assert len(running.sender.sent) > before
    assert running.sender.receipts() == []
    monkeypatch.undo()
    running.scrubber.look()
    running.starts_again()
    assert running.sender.receipts() != []


def test_what_is_erased_while_the_bytes_of_another_go_waits_for_its_own_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = stories()["worklist"]
    running = Running(story.service(url_in(tmp_path)))
    running.take(a_referral(2), a_referral(3))
    running.take(story.erased())

    def late(database: Database, tables: MetaData) -> None:
        scrub(database, tables)
        running.take(erases(a_referral(2), revision=50))

    monkeypatch.setattr(scrubbing, "scrub", late)
    running.scrubber.settle()
    running.starts_again()
    assert sorted(running.sender.receipts()) == ["outcomes", "signal-trace"]
    assert running.owes()
    monkeypatch.undo()
    running.scrubber.settle()
    running.starts_again()
    assert len(running.sender.receipts()) == 4


def test_nothing_is_done_where_nothing_is_owed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running(stories()["worklist"].service(url_in(tmp_path)))
    monkeypatch.setattr(scrubbing, "scrub", kept)
    running.scrubber.settle()
    assert not running.owes()


def test_the_bytes_of_what_a_person_drops_leave_too(tmp_path: Path) -> None:
    running = Running(stories()["worklist"].service(url_in(tmp_path)))
    marks = running.parks(a_referral(1))
    [parked_id] = running.consumer.parked()
    own = {"parked_id": parked_id, "service": "worklist", "action": "DISCARD", "reason": "OTHER"}
    fields = {**own, "request_id": RUN, "at": minutes(5)}
    running.take(a_message("RetryRequest", fields, topic="retry.worklist", reader=RETRY_READER, at=minutes(5)))
    assert left(tmp_path, marks) == set(marks)
    running.scrubber.settle()
    assert left(tmp_path, marks) == set()


def test_the_bytes_of_link_tokens_whose_time_is_over_leave_too(tmp_path: Path) -> None:
    story = stories()["linking"]
    running = Running(story.service(url_in(tmp_path)))
    running.take(*story.comes())
    later = linking(url_in(tmp_path), LATER.replace(year=LATER.year + 3))
    with later.database.batch() as connection:
        later.handle.recheck(Work("linking", connection, an_identity().parking_seal("linking")))  # type: ignore[attr-defined]  # linking's own
    running.scrubber.settle()
    assert left(tmp_path, story.marks) == set()
