"""The acts of a municipality without a command line: a screen stands on the same object as commands and the REST API."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nodes import Town, a_town, example, lines_of, together

from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.publishing.file_publication import FilePublication
from signal_exchange.municipality.publishing.importing import Source, source_of
from signal_exchange.municipality.publishing.submissions import Outcome
from signal_exchange.municipality.publishing.tally import Tally

OFFICER = Person("officer")


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


@pytest.fixture
def actions(town: Town) -> MunicipalityActions:
    return town.actions


def a_file(*records: object) -> Source:
    return source_of(io.BytesIO("".join(json.dumps(each) + "\n" for each in records).encode()))


@contextmanager
def opened(actions: MunicipalityActions, source: Source, rejects: Path) -> Iterator[FilePublication]:
    with actions.publication(source, rejects, Tally()) as publication:
        yield publication
        publication.rejects.finish()


def test_a_file_gives_its_results_its_tally_and_its_rejects_as_values(actions: MunicipalityActions, tmp_path: Path) -> None:
    source, rejects = a_file(example(local_ref="A-1"), example(local_ref="A-2", sector="CRI_THEFT"), 7), tmp_path / "rejects"
    with opened(actions, source, rejects) as publication:
        outcomes = [result.outcome for result in publication.results(source.lines, changes=False)]
    assert outcomes == [Outcome.PUBLISHED, Outcome.REFUSED, Outcome.REFUSED]
    summary = publication.tally.summary(actions.unsent())
    named = ("rows", "published", "refused", "waiting", "rejects")
    assert {name: summary[name] for name in named} == dict(zip(named, (3, 1, 2, 1, str(rejects)), strict=True))
    assert len(rejects.read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize("meant", [True, False])
def test_r_val_16_what_changes_a_signal_waits_for_the_word_of_a_person(
    actions: MunicipalityActions, tmp_path: Path, *, meant: bool
) -> None:
    list(actions.publish(lines_of(example(local_ref="A-1")), changes=True))
    source = a_file(example(local_ref="A-1", estimated_victims=7), example(local_ref="A-2"))
    with opened(actions, source, tmp_path / "rejects") as publication:
        list(publication.results(source.lines, changes=False))
        assert ([result.line.number for result in publication.asking], publication.tally.rows) == ([1], 1)
        settled = list(publication.settle(publication.asking if meant else []))
    assert [result.outcome for result in settled] == [Outcome.NEW_VERSION if meant else Outcome.REFUSED]
    assert (publication.tally.rows, publication.tally.to_confirm) == (2, 0 if meant else 1)


def test_one_object_serves_several_threads_and_twice_is_once(actions: MunicipalityActions, town: Town) -> None:
    list(actions.publish(lines_of(example(local_ref="A-1")), changes=True))
    acts = (lambda: actions.withdraw("A-1", "MISTAKE"), lambda: actions.erase("A-1", OFFICER), actions.outbox)
    first = actions.withdraw("A-1", "MISTAKE")
    assert [each.already for each in together(*[acts[0]] * 2)] == [True, True]  # type: ignore[attr-defined]  # what withdrawing gives
    assert (first.already, len(town.waiting())) == (False, 2)
    together(acts[2], acts[1])
    with pytest.raises(RefusedError, match="SIGNAL_UNKNOWN"):
        actions.trace("A-1")
