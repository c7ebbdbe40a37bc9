"""Deciding about many parked records at once: by what they have in common, after a look, and never about all by mistake."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from builders import START, minutes
from hypothesis import given
from hypothesis import strategies as st
from oversight_bench import a_parked_record
from oversight_desk import BY, Desk

from signal_exchange.cli import asking
from signal_exchange.contracts.records import OversightParkedRecord
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.times import AMSTERDAM
from signal_exchange.oversight.choosing import ParkedChoice, Record

RETRY, DISCARD = ("retry", *BY, "--reason", "CAUSE_GONE"), ("discard", *BY, "--reason", "FORGED")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.take(
        a_parked_record("a", reason="SCHEMA_INVALID", parked_at=minutes(1)),
        a_parked_record("b", reason="SENDER_HELD", municipality="GM0983", attributed=True, parked_at=minutes(2)),
        a_parked_record("c", reason="SENDER_HELD", municipality="GM1507", attributed=True, parked_at=minutes(3)),
        a_parked_record("d", reason="SCHEMA_INVALID", service="agenda", parked_at=minutes(4)),
        a_parked_record("e", "RESOLVED", 2, reason="SCHEMA_INVALID", parked_at=minutes(5)),
    )
    yield made
    made.database.close()


def asked(desk: Desk) -> list[tuple[str, str]]:
    return [(topic, str(fields["parked_id"])) for topic, fields in desk.requests()]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("--all",), "abcd"),
        (("--parked-as", "SENDER_HELD"), "bc"),
        (("--sender", "GM0983"), "b"),
        (("--sender", "none"), "ad"),
        (("--service", "agenda"), "d"),
        (("--parked-as", "SCHEMA_INVALID", "--service", "routing"), "a"),
        (("--since", minutes(2).isoformat(timespec="seconds")), "bcd"),
        (("--until", minutes(2).isoformat(timespec="seconds")), "a"),
        (("--since", minutes(2).isoformat(timespec="seconds"), "--until", minutes(4).isoformat(timespec="seconds")), "bc"),
        (("--parked-as", "TOO_LARGE"), ""),
        (("a", "d"), "ad"),
        (("a", "d", "--service", "agenda"), "d"),
    ],
)
def test_what_the_filters_leave_is_decided_about_and_nothing_else(desk: Desk, words: tuple[str, ...], meant: str) -> None:
    before = desk.told("parked", *DISCARD, *words, "--dry-run")
    assert (before["count"], before["decided"], asked(desk)) == (len(meant), 0, [])
    assert before["first"] == list(meant)
    found = desk.told("parked", *DISCARD, *words, "--yes")
    assert found["decided"] == len(meant)
    assert sorted(parked_id for _, parked_id in asked(desk)) == list(meant)
    assert all(topic == ("retry.agenda" if parked_id == "d" else "retry.routing") for topic, parked_id in asked(desk))


@pytest.mark.parametrize("action", [RETRY, DISCARD])
def test_nobody_decides_about_every_record_without_saying_so(desk: Desk, action: tuple[str, ...]) -> None:
    with pytest.raises(RefusedError, match="NO_RECORDS_CHOSEN field=everything"):
        desk.say("parked", *action, "--yes")
    assert asked(desk) == []


def test_without_a_terminal_it_must_be_said_that_it_is_meant(desk: Desk) -> None:
    with pytest.raises(RefusedError, match=r"NOBODY_TO_ASK question=2 records voorgoed laten vervallen\?"):
        desk.say("parked", *DISCARD, "--parked-as", "SENDER_HELD")
    assert asked(desk) == []


@pytest.mark.parametrize("answer", [True, False])
def test_in_a_terminal_it_is_asked(desk: Desk, monkeypatch: pytest.MonkeyPatch, *, answer: bool) -> None:
    questions: list[str] = []

    def confirm(question: str, **_: Any) -> None:
        questions.append(question)
        if not answer:
            raise typer.Abort

    monkeypatch.setattr(asking, "_terminal", lambda: True)
    monkeypatch.setattr(typer, "confirm", confirm)
    desk.say("parked", *RETRY, "--all")
    assert questions == ["4 records opnieuw laten proberen?"]
    assert len(asked(desk)) == (4 if answer else 0)


def test_a_dry_run_in_words_shows_how_many_and_a_few(desk: Desk) -> None:
    said = desk.say("parked", *RETRY, "--all", "--dry-run").stdout
    assert "SENDER_HELD" in said
    assert "GM1507" in said
    assert "Geen record" in desk.say("parked", *RETRY, "--parked-as", "TOO_LARGE", "--dry-run").stdout


def test_the_list_takes_the_same_filters(desk: Desk) -> None:
    assert [row["parked_id"] for row in desk.told("parked", "list", "--parked-as", "SCHEMA_INVALID", "--all")] == ["a", "d", "e"]
    assert [row["parked_id"] for row in desk.told("parked", "list", "--sender", "GM1507")] == ["c"]


def test_thousands_are_decided_about_part_by_part(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take(*[a_parked_record(f"parked-{number:04d}") for number in range(1_201)])
    said = desk.say("parked", *DISCARD, "--all", "--yes").stdout
    assert said.startswith("1201 records")
    assert [each["count"] for each in desk.told("parked", *DISCARD, "--all", "--dry-run")["by"]] == [1_201], (
        "until they are dropped"
    )
    desk.database.close()


def test_a_moment_without_a_zone_is_one_in_amsterdam() -> None:
    record: OversightParkedRecord = a_parked_record(parked_at=START).fields
    naive = START.astimezone(AMSTERDAM).replace(tzinfo=None)
    assert ParkedChoice(since=naive).among([record]) == [record]
    assert ParkedChoice(since=naive + timedelta(seconds=1)).among([record]) == []


RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "parked_id": st.sampled_from("abc"),
            "service": st.sampled_from(["routing", "agenda"]),
            "reason": st.sampled_from("XY"),
            "municipality": st.sampled_from([None, "GM0983"]),
            "parked_at": st.integers(0, 5).map(minutes),
        }
    )
)


@given(records=RECORDS, service=st.sampled_from([None, "routing"]), reason=st.sampled_from([None, "X"]), since=st.integers(0, 5))
def test_two_filters_leave_what_each_of_them_leaves(
    records: list[Record], service: str | None, reason: str | None, since: int
) -> None:
    both = ParkedChoice(service=service, parked_as=reason, since=minutes(since)).among(records)
    one_by_one = list(records)
    for choice in (ParkedChoice(service=service), ParkedChoice(parked_as=reason), ParkedChoice(since=minutes(since))):
        one_by_one = choice.among(one_by_one)
    assert both == one_by_one
