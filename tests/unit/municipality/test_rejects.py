from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import stat
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from municipal_files import Run, csv_of, written
from nodes import ObedientBroker, ObedientKeepers, Town, example
from refusing import refused

from signal_exchange.municipality import node
from signal_exchange.municipality.publishing import reject_file
from signal_exchange.municipality.publishing.importing import Line
from signal_exchange.municipality.publishing.old_reject_files import REJECTS_DAYS, end_old_rejects
from signal_exchange.municipality.publishing.publisher import CHUNK_RECORDS
from signal_exchange.municipality.publishing.stopping import Stopping
from signal_exchange.privacy.normalising import LinkValue
from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import StoreUnavailableError


def a_list(folder: Path, *references: str, name: str = "lijst.csv", **changed: Any) -> Path:
    """Write a table of records."""
    file = folder / name
    file.write_text(csv_of(*(example(local_ref=each, **changed) for each in references), delimiter=";"), encoding="utf-8")
    return file


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith((".lijst", "lijst.csv.")))


def test_nothing_is_sent_when_the_reject_file_has_no_place(
    tmp_path: Path, run: Run, broker: ObedientBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = a_list(tmp_path, "A-1")
    for place in (tmp_path / "no such folder" / "r.csv", Path("/dev/full"), tmp_path):
        with refused(r"geweigerde rijen .* niets gepubliceerd; kies een andere plaats"):
            run("publish", file, "--rejects", place)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with refused("No space left"):
        run("publish", file)
    assert broker.outgoing == []
    assert left_in(tmp_path) == []


def test_a_folder_that_cannot_keep_room_free_is_used_all_the_same(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_here(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", not_here)
    run("publish", a_list(tmp_path, "A-1", sector="CRI_THEFT"))
    assert left_in(tmp_path) == ["lijst.csv.rejects.csv"]


def test_a_reject_file_takes_no_more_room_than_it_holds_and_is_private(tmp_path: Path, run: Run) -> None:
    run("publish", a_list(tmp_path, "A-1", sector="CRI_THEFT"))
    found = (tmp_path / "lijst.csv.rejects.csv").stat()
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert found.st_size < reject_file.ROOM_BYTES
    assert found.st_blocks * 512 < reject_file.ROOM_BYTES


def test_a_file_of_somebody_else_is_never_taken_away(tmp_path: Path, run: Run) -> None:
    other = tmp_path / "lijst.csv.rejects.csv"
    other.write_text("mijn eigen lijst\n", encoding="utf-8")
    assert run("publish", a_list(tmp_path, "A-1")).exit_code == 0
    assert other.read_text(encoding="utf-8") == "mijn eigen lijst\n"


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_reject_file_ends_after_thirty_days(kind: str, tmp_path: Path, run: Run, town: Town) -> None:
    bad = example(local_ref="A-1", sector="CRI_THEFT")
    file = a_list(tmp_path, "A-1", sector="CRI_THEFT") if kind == "csv" else written(tmp_path / "lijst.jsonl", bad)
    run("publish", file)
    path = tmp_path / f"{file.name}.rejects.{kind}"
    notes = town.node.settings.data_dir / "rejects"
    assert [stat.S_IMODE(each.stat().st_mode) for each in notes.iterdir()] == [0o600]
    assert end_old_rejects(town.node.settings.data_dir, clock.now() + timedelta(days=REJECTS_DAYS - 1)) == 0
    assert path.exists()
    assert end_old_rejects(town.node.settings.data_dir, clock.now() + timedelta(days=REJECTS_DAYS + 1)) == 1
    assert not path.exists()
    assert list(notes.iterdir()) == []


def test_publish_ends_old_reject_files_of_other_inputs(
    tmp_path: Path, run: Run, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("publish", a_list(tmp_path, "A-1", sector="CRI_THEFT"))
    later = clock.now() + timedelta(days=REJECTS_DAYS + 1)
    with monkeypatch.context() as then:
        then.setattr(clock, "now", lambda: later)
        run(
            "publish",
            written(tmp_path / "b.jsonl", example(local_ref="B-1", observed={"from": "2026-11-20", "to": "2026-11-20"})),
        )
    assert left_in(tmp_path) == []
    assert town.node.settings.data_dir.exists()


def test_what_a_killed_command_left_ends_with_it(tmp_path: Path, run: Run, town: Town) -> None:
    run("publish", a_list(tmp_path, "A-1", sector="CRI_THEFT"))
    (tmp_path / ".lijst.csv.rejects.csv.abcd1234").write_text("geweigerd;x\n", encoding="utf-8")
    end_old_rejects(town.node.settings.data_dir, clock.now() + timedelta(days=REJECTS_DAYS + 1))
    assert left_in(tmp_path) == []


def test_what_a_killed_command_left_goes_at_the_next_one_and_what_another_writes_stays(tmp_path: Path, run: Run) -> None:
    killed, writing, young = (tmp_path / f".lijst.csv.rejects.csv.{name}" for name in ("killed__", "writing_", "young___"))
    for left in (killed, writing, young):
        left.write_text("geweigerd;x\n", encoding="utf-8")
    for left in (killed, writing):
        os.utime(left, (0, 0))
    with writing.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        run("publish", a_list(tmp_path, "A-1"))
    assert left_in(tmp_path) == [writing.name, young.name]


def test_a_file_that_came_in_the_place_of_an_old_reject_file_stays(tmp_path: Path, run: Run, town: Town) -> None:
    run("publish", a_list(tmp_path, "A-1", sector="CRI_THEFT"))
    path = tmp_path / "lijst.csv.rejects.csv"
    path.write_text("mijn eigen lijst\n", encoding="utf-8")
    notes = town.node.settings.data_dir / "rejects"
    (notes / "broken.json").write_text("{", encoding="utf-8")
    assert end_old_rejects(town.node.settings.data_dir, clock.now() + timedelta(days=REJECTS_DAYS + 1)) == 0
    assert path.exists()


class Interrupting(ObedientKeepers):
    """Keepers that somebody presses Ctrl-C at."""

    times = 1

    def tokens_for_many(self, records: Sequence[Sequence[LinkValue]], *, epoch: str) -> Any:
        while self.times:
            self.times -= 1
            os.kill(os.getpid(), signal.SIGINT)
        return super().tokens_for_many(records, epoch=epoch)


def test_ctrl_c_finishes_what_is_in_hand_and_says_how_far_it_came(
    tmp_path: Path, run: Run, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "keeper_tokens", lambda *_, **__: nullcontext(Interrupting()))
    count = CHUNK_RECORDS + 50
    file = a_list(tmp_path, *(f"A-{number}" for number in range(count)))
    result = run("publish", file, "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 130
    in_hand = CHUNK_RECORDS + 1
    assert (found["rows"], found["published"], found["not_read"]) == (count, in_hand, count - in_hand)
    assert found["interrupted_after"] == in_hand + 1, "the header is row 1"
    assert len(town.waiting()) == in_hand
    assert "wordt afgemaakt" in result.stderr
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    monkeypatch.setattr(node, "keeper_tokens", lambda *_, **__: nullcontext(ObedientKeepers()))
    assert json.loads(run("publish", file, "--json").stdout)["published"] == count - in_hand


def test_ctrl_c_is_only_noted_where_it_comes_and_told_between_two_lines() -> None:
    told: list[str] = []
    with Stopping(lambda: told.append("told")) as stopping:
        lines = stopping.lines(iter([Line(1, "a"), Line(2, "b")]))
        next(lines)
        os.kill(os.getpid(), signal.SIGINT)
        assert (stopping.asked, told) == (True, []), "it may come in the middle of an import or a write"
        assert list(lines) == []
    assert told == ["told"]


def test_a_second_ctrl_c_ends_at_once_and_every_row_is_accounted_for(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice = Interrupting()
    twice.times = 2
    monkeypatch.setattr(node, "keeper_tokens", lambda *_, **__: nullcontext(twice))
    result = run("publish", a_list(tmp_path, "A-1", "A-2"))
    assert result.exit_code == 130
    assert "2 rijen: 0 gepubliceerd, 0 nieuwe versie, 0 ongewijzigd, 0 geweigerd, 2 niet gelezen." in result.output


def test_a_reject_file_that_is_interrupted_while_it_is_published_keeps_what_was_not_read(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = CHUNK_RECORDS + 3
    run("publish", a_list(tmp_path, *(f"A-{number}" for number in range(count)), sector="CRI_THEFT"))
    path = tmp_path / "lijst.csv.rejects.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("CRI_THEFT", "SEX_HOME_HOTEL", count - 1), encoding="utf-8")
    mended = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([mended[0], mended[-1], *mended[1:-1]]), encoding="utf-8")
    before = path.read_bytes()
    monkeypatch.setattr(node, "keeper_tokens", lambda *_, **__: nullcontext(Interrupting()))
    interrupted = json.loads(run("publish", path, "--json").stdout)
    assert (interrupted["refused"], interrupted["not_read"]) == (1, 2)
    assert path.read_bytes() == before
    path.write_bytes(before.replace(b"CRI_THEFT", b"SEX_HOME_HOTEL"))
    monkeypatch.setattr(node, "keeper_tokens", lambda *_, **__: nullcontext(ObedientKeepers()))
    assert run("publish", path).exit_code == 0
    assert not path.exists()


def test_a_store_that_goes_away_is_told_after_what_was_done(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away(ObedientKeepers):
        def tokens_for_many(self, records: Sequence[Sequence[LinkValue]], *, epoch: str) -> Any:
            if len(records) < CHUNK_RECORDS:
                raise StoreUnavailableError("OperationalError")
            return super().tokens_for_many(records, epoch=epoch)

    monkeypatch.setattr(node, "keeper_tokens", lambda *_, **__: nullcontext(Away()))
    told: list[str] = []
    monkeypatch.setattr("typer.echo", lambda text, **_: told.append(str(text)))
    with pytest.raises(AssertionError, match="OperationalError"):
        run("publish", a_list(tmp_path, *(f"A-{number}" for number in range(CHUNK_RECORDS + 7))))
    assert f"{CHUNK_RECORDS + 7} rijen: {CHUNK_RECORDS} gepubliceerd" in " ".join(told)
    assert "7 niet gelezen" in " ".join(told)


def test_a_disk_that_is_full_after_all_is_told_after_what_was_done(
    tmp_path: Path, run: Run, broker: ObedientBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    file = written(tmp_path / "lijst.jsonl", example(local_ref="A-1"), {}, example(local_ref="A-2"))
    monkeypatch.setattr(reject_file, "_json_line", full)
    told: list[str] = []
    monkeypatch.setattr("typer.echo", lambda text, **_: told.append(str(text)))
    with refused("No space left"):
        run("publish", file)
    assert "3 rijen: 1 gepubliceerd" in " ".join(told)
    assert len(broker.records("SignalPublished")) == 2, "the whole chunk was kept, and publishing again tells of it"
