from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from nodes import Town, a_town, example, read_lines, served
from prometheus_client import generate_latest

from signal_exchange.municipality.api import create_app
from signal_exchange.municipality.printing import result_line
from signal_exchange.municipality.publishing.importing import Line
from signal_exchange.municipality.publishing.submissions import Outcome, Result
from signal_exchange.municipality.sending.outbox import OUTBOX
from signal_exchange.runtime import logs

MARKS = {
    "local_ref": "MARK-2026-7731",
    "narrative": "Verhaalmerk over wat zij vertelde",
    "summary": "Samenvattingsmerk zonder naam",
    "reporter": {"name": "Meldersmerk", "function": "Functiemerk", "phone": "06-00004499", "email": "mailmerk@example.nl"},
    "subjects": [
        {
            "ref": "s1",
            "role": "VICTIM",
            "family_name": "Achternaammerk",
            "given_names": "Voornaammerk",
            "birth_date": "2002-03-09",
            "sex": "F",
            "nationality": "Landmerkse",
            "nationality_group": "EU_EEA_CH",
            "bsn": "999900018",
            "phone": "+40 700 000 777",
            "relation": "RECRUITER",
        }
    ],
    "places": [
        {
            "kind": "DWELLING",
            "postcode": "5999 ZX",
            "number": "7741",
            "addition": "Toevoegmerk",
            "street": "Straatmerk",
            "bag_id": None,
        }
    ],
    "plates": [{"plate": "GX-777-B", "country": "NL"}],
    "accounts": ["NL13 TEST 0123 4567 89"],
    "companies": ["90007712"],
    "erasure_key_id": "Sleutelmerk",
}
"""A record of which every value that must stay inside can be recognised."""

WORDS = (
    "MARK-2026-7731",
    "Verhaalmerk",
    "Samenvattingsmerk",
    "Meldersmerk",
    "Functiemerk",
    "06-00004499",
    "mailmerk",
    "Achternaammerk",
    "Voornaammerk",
    "Landmerkse",
    "999900018",
    "700 000 777",
    "40700000777",
    "5999 ZX",
    "5999ZX",
    "Toevoegmerk",
    "TOEVOEGMERK",
    "Straatmerk",
    "GX-777-B",
    "GX777B",
    "0123 4567",
    "NL13TEST",
    "90007712",
    "Sleutelmerk",
    "2002-03-09",
    "20020309",
    "Onzin-merk",
)
NONSENSE = "Onzin-merk"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Log as a process does, into a stream."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure("municipality", "DEBUG")
    return stream


def marked(**changed: Any) -> dict[str, Any]:
    return {**example(), **json.loads(json.dumps(MARKS)), **changed}


def spoilt() -> list[dict[str, Any]]:
    """Give records in which each field in turn holds a recognisable value that does not belong there."""
    simple = [marked(**{name: NONSENSE}) for name in example() if name != "narrative"]
    lists = [marked(**{name: [NONSENSE]}) for name, value in example().items() if isinstance(value, list)]
    nested = [
        marked(**{name: {**value, inner: NONSENSE}})
        for name, value in {**example(), **MARKS}.items()
        if isinstance(value, dict)
        for inner in value
    ]
    persons = [marked(subjects=[{**MARKS["subjects"][0], inner: NONSENSE}]) for inner in MARKS["subjects"][0]]  # type: ignore[index]  # the marks above
    leaking = [marked(summary=f"Zij heet {word}.") for word in ("Achternaammerk", "06-00004499", "GX-777-B", "5999 ZX")]
    return [*simple, *lists, *nested, *persons, *leaking, marked(**{"a": "b", NONSENSE: NONSENSE})]


def found_in(text: str | bytes) -> list[str]:
    content = text if isinstance(text, bytes) else text.encode()
    return [word for word in WORDS if word.encode() in content]


def everything_said(results: list[Result]) -> str:
    return json.dumps([result.to_mapping() for result in results]) + "\n".join(map(result_line, results)) + repr(results)


def test_a_published_record_leaves_no_value_in_outbox_letters_logs_metrics_or_results(town: Town, logged: io.StringIO) -> None:
    results = [*town.publish(marked(), marked(local_ref="MARK-2026-7731x")), *town.publish(marked(estimated_victims=7))]
    assert {each.outcome for each in results} == {Outcome.PUBLISHED, Outcome.NEW_VERSION}
    assert found_in(repr(town.rows(OUTBOX))) == []
    town.relay().send_all()
    town.relay().send_all()
    town.relay().checkpoint()
    assert found_in(repr(town.rows(OUTBOX))) == []
    assert found_in(b"".join((record.value or b"") + repr(record.headers).encode() for record in town.broker.outgoing)) == []
    assert found_in(generate_latest(town.node.metrics.registry)) == []
    assert found_in(everything_said(results)) == []
    told = logged.getvalue()
    assert "signal_published" in told
    assert found_in(told) == []


@pytest.mark.sqlite
def test_the_files_of_the_store_hold_no_value_that_can_be_read(town: Town) -> None:
    town.publish(marked(), marked(estimated_victims=7))
    town.relay().send_all()
    files = [path for path in town.node.settings.data_dir.rglob("*") if path.is_file()]
    assert files
    assert [word for path in files for word in found_in(path.read_bytes())] == []


def test_a_refused_record_leaves_no_value_in_reasons_logs_or_metrics(town: Town, logged: io.StringIO) -> None:
    records = spoilt()
    assert len(records) > 60
    results = town.publish(*records)
    assert sum(each.outcome is Outcome.REFUSED for each in results) > 40
    assert found_in(everything_said(results)) == []
    assert found_in(generate_latest(town.node.metrics.registry)) == []
    told = logged.getvalue()
    assert "signal_refused" in told
    assert found_in(told) == []


def test_the_api_repeats_no_value_whatever_is_wrong_with_it(town: Town, logged: io.StringIO) -> None:
    app = create_app(town.actions, "token")
    headers = {"Authorization": "Bearer token"}
    with served([(app, 0)]) as (address,), httpx2.Client(base_url=address, headers=headers, trust_env=False) as client:
        answers = [client.post("/v1/signalen", json=record) for record in spoilt()]
        answers += [client.post("/v1/signalen", json=spoilt()), client.post("/v1/signalen", content=f'{{"{NONSENSE}": ')]
        answers += [client.get(f"/v1/signalen/{NONSENSE}"), client.get(f"/{NONSENSE}"), client.get("/v1/signalen/MARK-2026-7731")]
    assert [word for answer in answers for word in found_in(answer.content + repr(answer.headers).encode())] == []
    told = logged.getvalue()
    assert "request_refused" in told
    assert found_in(told) == []


def test_what_cannot_be_read_is_not_repeated_by_the_reader(logged: io.StringIO) -> None:
    lines: list[Line] = list(read_lines(io.BytesIO(f'{{"{NONSENSE}": \n'.encode())))
    assert found_in(repr(lines)) == []
    assert found_in(logged.getvalue()) == []
