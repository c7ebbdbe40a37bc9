from __future__ import annotations

import json
from pathlib import Path

import pytest
from builders import ROERMOND, VENLO, WEERT, Consuming, an_environment, an_observation
from hypothesis import given, settings
from hypothesis import strategies as st
from people import acting_in
from sqlalchemy import event
from typer.testing import CliRunner

from signal_exchange import words
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.statistics.actions import StatisticsActions
from signal_exchange.statistics.commands import app
from signal_exchange.statistics.composition import consumer_spec
from signal_exchange.statistics.handler import handle
from signal_exchange.statistics.store import OBSERVATIONS, TABLES, StatisticsStore
from signal_exchange.stream.messages import Message

ALWAYS = ("0000", "9999")


def statistics(url: str = "sqlite+pysqlite:///:memory:") -> Consuming:
    return Consuming("statistics", TABLES, handle, url)


def counts(consumer: Consuming, since: str = "0000", until: str = "9999") -> list[tuple[str, str, int]]:
    with consumer.database.reading() as connection:
        found = StatisticsStore(connection).report_counts(since, until)
    return [(each.municipality, each.form, each.reports) for each in found]


def test_same_signal_twice_is_one_item() -> None:
    consumer = statistics()
    consumer.take(an_observation(), an_observation())
    consumer.take(an_observation())
    assert counts(consumer) == [(VENLO, "LABOUR", 1)]


def test_r_stat_01_reports_are_counted_by_municipality_and_primary_form() -> None:
    # The worked example: s1 Venlo, s2 Weert, s3 and s4 Venlo, s5 Roermond, s6 Weert withdrawn.
    consumer = statistics()
    places = (VENLO, WEERT, VENLO, VENLO, ROERMOND, WEERT)
    consumer.take(*(an_observation(number, municipality=code) for number, code in enumerate(places, start=1)))
    consumer.take(an_observation(6, municipality=WEERT, revision=2, counted=False))
    assert counts(consumer) == [(ROERMOND, "LABOUR", 1), (VENLO, "LABOUR", 3), (WEERT, "LABOUR", 1)]


def test_r_stat_01_the_classes_are_those_of_the_latest_version() -> None:
    consumer = statistics()
    consumer.take(an_observation(form="SEXUAL", revision=4))
    consumer.take(an_observation(form="LABOUR", revision=2))
    assert counts(consumer) == [(VENLO, "SEXUAL", 1)]


def test_within_one_batch_the_newest_revision_wins_whatever_the_order() -> None:
    consumer = statistics()
    consumer.take(an_observation(form="SEXUAL", revision=3), an_observation(form="LABOUR", revision=1))
    assert counts(consumer) == [(VENLO, "SEXUAL", 1)]


def test_r_stat_01_reports_belong_to_the_publishing_day_of_version_1() -> None:
    consumer = statistics()
    consumer.take(an_observation(1, publish_day="2026-12-31"), an_observation(2, publish_day="2027-01-01"))
    assert counts(consumer, "2026-01-01", "2026-12-31") == [(VENLO, "LABOUR", 1)]
    assert counts(consumer, "2027-01-01", "2027-01-01") == [(VENLO, "LABOUR", 1)]


def test_nothing_leaves_statistics() -> None:
    assert statistics().take(an_observation()) == []


def test_a_batch_takes_one_statement() -> None:
    consumer, statements = statistics(), list[str]()
    event.listen(consumer.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    consumer.take(*(an_observation(number) for number in range(500)))
    assert len([each for each in statements if not each.startswith("BEGIN")]) == 1


observations = st.lists(
    st.builds(
        lambda number, revision: an_observation(number, revision=revision, form="SEXUAL" if revision % 2 else "LABOUR"),
        st.integers(1, 3),
        st.integers(1, 4),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(observations, st.data())
def test_any_order_and_repetition_of_the_same_records_ends_in_the_same_store(
    messages: list[Message], data: st.DataObject
) -> None:
    once, again = statistics(), statistics()
    once.take(*messages)
    for message in [*data.draw(st.permutations(messages)), *data.draw(st.permutations(messages))]:
        again.take(message)
    assert once.rows(OBSERVATIONS) == again.rows(OBSERVATIONS)


def told(folder: Path, *words: str) -> str:
    result = CliRunner().invoke(app, list(words), env=an_environment(folder, "statistics"))
    assert result.exit_code == 0, result.output
    return result.output


def test_raw_counts_say_that_they_are_raw_and_not_for_publication(tmp_path: Path) -> None:
    consumer = statistics(f"sqlite+pysqlite:///{tmp_path / 'statistics.sqlite'}")
    consumer.take(an_observation(1), an_observation(2), an_observation(3, municipality=WEERT, form="SEXUAL"))
    lines = told(tmp_path, "list").splitlines()
    assert lines[0] == words.text("statistics.raw")
    assert [line.split() for line in lines[2:]] == [
        ["Venlo", "arbeidsuitbuiting", "2"],
        ["Weert", "seksuele", "uitbuiting", "1"],
        ["regio", "alle", "vormen", "3"],
    ]
    figures = json.loads(told(tmp_path, "list", "--json", "--year", "2026"))
    assert (figures["raw"], figures["for_publication"], figures["year"]) == (True, False, 2026)
    assert figures["reports"][0] == {"municipality": VENLO, "form": "LABOUR", "reports": 2}
    assert json.loads(told(tmp_path, "list", "--json", "--year", "2025"))["reports"] == []


def test_one_fact_is_shown_under_its_random_id(tmp_path: Path) -> None:
    consumer = statistics(f"sqlite+pysqlite:///{tmp_path / 'statistics.sqlite'}")
    consumer.take(an_observation(1))
    [row] = consumer.rows(OBSERVATIONS)
    observation_id = row["observation_id"]
    fact = json.loads(told(tmp_path, "show", str(observation_id), "--json"))
    assert (fact["municipality"], fact["form"], fact["counted"]) == (VENLO, "LABOUR", True)
    assert "LABOUR" in told(tmp_path, "show", str(observation_id))
    unknown = CliRunner().invoke(app, ["show", "unknown"], env=an_environment(tmp_path, "statistics"))
    assert isinstance(unknown.exception, RefusedError)


def test_r_stat_01_the_actions_count_the_reports_of_a_year_or_all() -> None:
    consumer = statistics()
    actions = StatisticsActions(acting_in(consumer))
    assert actions.report_counts() == []
    consumer.take(an_observation(1), an_observation(2, publish_day="2025-03-01"), an_observation(3, counted=False))
    assert [sum(each.reports for each in actions.report_counts(year)) for year in (None, 2026, 2025, 2024)] == [2, 1, 1, 0]
    [first, *_] = consumer.rows(OBSERVATIONS)
    assert actions.show(first["observation_id"]) == first
    with pytest.raises(RefusedError, match="FACT_UNKNOWN"):
        actions.show("unknown")


def test_an_empty_store_says_so(tmp_path: Path) -> None:
    assert told(tmp_path, "list").splitlines() == [words.text("statistics.raw"), "Er zijn nog geen signalen geteld."]


def test_a_missing_setting_is_named(tmp_path: Path) -> None:
    environment = {**an_environment(tmp_path, "statistics"), "SIGNAL_EXCHANGE_DATA_DIR": None}
    result = CliRunner().invoke(app, ["list"], env=environment)
    assert result.exit_code == 1
    assert isinstance(result.exception, RefusedError)
    assert "SIGNAL_EXCHANGE_DATA_DIR" in str(result.exception)


def test_the_service_reads_observations_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in an_environment(tmp_path, "statistics").items():
        monkeypatch.setenv(name, value)
    spec = consumer_spec(loaded(ServiceSettings))
    assert (spec.name, spec.reader, spec.sources) == ("statistics", "statistics", ("observations", "retry.statistics"))
