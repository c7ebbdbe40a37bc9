"""A delivered signal in Dutch words: what the form of delivery left out is not named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import an_environment
from sqlalchemy import MetaData

from signal_exchange.cli.describing import described
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.stream.identity import load_identity

NOTHING: dict[str, Any] = dict.fromkeys(
    (
        "observed_weeks",
        "forms",
        "sector",
        "reporter_source",
        "acts",
        "means",
        "indicators",
        "vulnerabilities",
        "care_needs",
        "consent",
        "estimated_victims",
        "subjects",
    )
)


def lines(**known: Any) -> list[tuple[str, str]]:
    return list(described({**NOTHING, **known}))


def test_what_was_not_delivered_is_not_named() -> None:
    assert lines() == []


def test_one_week_and_a_stretch_of_weeks_read_differently() -> None:
    assert lines(observed_weeks={"from": "2026-W40", "to": "2026-W40"}) == [("waargenomen", "2026-W40")]
    assert lines(observed_weeks={"from": "2026-W40", "to": "2026-W42"}) == [("waargenomen", "2026-W40 tot en met 2026-W42")]


def test_consent_and_the_estimate_stand_in_words() -> None:
    told = dict(lines(consent={"status": "GIVEN"}, estimated_victims=3))
    assert (told["toestemming"], told["geschat aantal"]) == ("gegeven", "3")


def test_of_a_pruned_person_only_the_reference_is_told() -> None:
    person = dict.fromkeys(("role", "age_band", "sex", "nationality_group", "relation_to_offender", "is_minor"))
    assert lines(subjects=[{**person, "ref": "s1"}]) == [("persoon s1", "niet gedeeld")]
    assert lines(subjects=[{**person, "ref": None, "is_minor": True}]) == [("persoon", "minderjarig")]


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in an_environment(tmp_path, "agenda", "table").items():
        monkeypatch.setenv(name, value)
    settings = loaded(ServiceSettings)
    settings.keys_file.chmod(0o644)
    with pytest.raises(RefusedError, match=r"^FILE_OPEN_TO_OTHERS"):
        load_identity(settings, settings.keys_file, Database("sqlite+pysqlite:///:memory:", MetaData()))
