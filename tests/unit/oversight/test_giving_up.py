"""Overdue numbers are given up one by one, by range, or all of a run or municipality; first one may look (R-FLOW-01)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import minutes
from oversight_bench import a_checkpoint, a_fact
from oversight_desk import BY, Desk

from signal_exchange.cli import asking
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime import clock

WHY = (*BY, "--reason", "LOST_IN_RESTORE")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.take(a_fact(verdict="routed", sequence=3), a_checkpoint(7))
    monkeypatch.setattr(clock, "now", lambda: minutes(15))
    yield made
    made.database.close()


def discarded(desk: Desk) -> int:
    found = json.loads(desk.say("ledger", "conservation", "--json").stdout)
    return int(found["numbers"]["discarded"])


@pytest.mark.parametrize(
    ("words", "count"),
    [(("run", "1"), 1), (("run", "2", "5"), 3), (("run", "--all"), 6), (("--all",), 6), (("other", "--all"), 0)],
)
def test_a_dry_run_says_how_many_and_changes_nothing(desk: Desk, words: tuple[str, ...], count: int) -> None:
    found = desk.told("ledger", "give-up", "GM0983", *words, *WHY, "--dry-run")
    assert (found["count"], sum(each["count"] for each in found["ranges"]), found["dry_run"]) == (count, count, True)
    assert discarded(desk) == 0
    given_up = desk.told("ledger", "give-up", "GM0983", *words, *WHY, "--yes")
    assert (given_up["count"], discarded(desk)) == (count, count)


def test_a_dry_run_in_words_names_the_ranges(desk: Desk) -> None:
    said = desk.say("ledger", "give-up", "GM0983", "--all", *WHY, "--dry-run").stdout
    assert [line.split() for line in said.splitlines()][1] == ["run", "1", "7", "6"]
    assert "Geen enkel nummer" in desk.say("ledger", "give-up", "GM1507", "--all", *WHY, "--dry-run").stdout


def test_all_must_be_meant(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RefusedError, match=r"NOBODY_TO_ASK question=6 nummers van GM0983 opgeven\?"):
        desk.say("ledger", "give-up", "GM0983", "--all", *WHY)
    assert discarded(desk) == 0
    monkeypatch.setattr(asking, "_terminal", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: True)
    desk.say("ledger", "give-up", "GM0983", "--all", *WHY)
    assert discarded(desk) == 6


@pytest.mark.parametrize("words", [(), ("run",)])
def test_nobody_gives_up_every_number_without_saying_so(desk: Desk, words: tuple[str, ...]) -> None:
    with pytest.raises(RefusedError, match="NO_NUMBERS_CHOSEN field=everything"):
        desk.say("ledger", "give-up", "GM0983", *words, *WHY, "--yes")
