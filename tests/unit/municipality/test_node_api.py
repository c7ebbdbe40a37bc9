from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import httpx2
import pytest
from described import as_described, path_of
from node_views import asked
from nodes import Town, a_town, example, served

from signal_exchange.municipality import node
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.api import LONGEST_BODY_BYTES, MOST_RECORDS, create_app
from signal_exchange.municipality.sending.outbox import OUTBOX
from signal_exchange.privacy.keeper_client import NoTokens, Reason
from signal_exchange.runtime.faults import StoreUnavailableError

TOKEN = "synthetic-token"
RENEWAL = "/v1/koppelsleutels/vernieuwing"
ANSWER = {"answer": "confirm", "by": "officer"}
PATH, QUESTIONS, ACTS = "/v1/signalen", "/v1/vragen", ("inzage", "antwoord")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return a_town(tmp_path_factory.mktemp("node"))


@pytest.fixture(scope="module")
def client(town: Town) -> Iterator[httpx2.Client]:
    app = create_app(town.actions, TOKEN)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    hooks = {"response": [as_described(app)]}
    with (
        served([(app, 0)]) as (address,),
        httpx2.Client(base_url=address, headers=headers, trust_env=False, event_hooks=hooks) as client,
    ):
        yield client


def problem(response: httpx2.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == response.status_code
    assert body["type"] == "about:blank"
    assert body["title"]
    return body


def test_one_record_is_published(client: httpx2.Client) -> None:
    response = client.post(PATH, json=example(local_ref="API-1"))
    assert response.status_code == 207
    (result,) = response.json()["results"]
    assert (result["status"], result["outcome"], result["version"], result["errors"]) == (201, "PUBLISHED", 1, [])


def test_a_list_has_a_result_for_each_record_in_its_order(client: httpx2.Client) -> None:
    records = [example(local_ref="API-2"), example(local_ref="API-3", sector="CRI_THEFT"), 7, example(local_ref="API-2")]
    response = client.post(PATH, json=records)
    assert response.status_code == 207
    results = response.json()["results"]
    assert [result["status"] for result in results] == [201, 422, 422, 200]
    assert [result["line"] for result in results] == [1, 2, 3, 4]
    assert results[1]["errors"] == [{"field": "sector", "rule": "R-VAL-05", "code": "V05_SECTOR"}]


def test_one_record_that_is_refused_is_a_bad_request_with_all_its_errors_together(client: httpx2.Client) -> None:
    response = client.post(PATH, json=example(local_ref="API-4", sector="CRI_THEFT", summary="Bel 06-00001234."))
    assert response.status_code == 400
    assert problem(response)["errors"] == [
        {"field": "summary", "rule": "R-LEAK-02", "code": "V13_GUARD", "found": "PHONE"},
        {"field": "sector", "rule": "R-VAL-05", "code": "V05_SECTOR"},
    ]
    assert "06-00001234" not in response.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a": NaN}', b"\xff", b'{"a":1,"a":2}'], ids=["empty", "cut", "nan", "bytes", "twice"]
)
def test_what_is_no_json_is_a_bad_request_that_repeats_nothing(client: httpx2.Client, body: bytes) -> None:
    response = client.post(PATH, content=body)
    assert response.status_code == 400
    cause = "FIELD_TWICE" if body.startswith(b'{"a":1') else "NO_JSON"
    assert problem(response)["errors"] == [{"field": "record", "rule": "R-VAL-22", "code": "V22_TYPE", "cause": cause}]


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe9"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_the_bearer_token_nothing_is_told(client: httpx2.Client, header: str | None, method: str) -> None:
    headers = httpx2.Headers({} if header is None else {b"Authorization": header.encode("latin-1")})
    with httpx2.Client(base_url=client.base_url, trust_env=False) as stranger:
        response = stranger.request(method, f"{PATH}/API-1" if method == "GET" else PATH, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    problem(response)


def test_without_a_token_file_the_api_refuses_everybody(town: Town) -> None:
    app = create_app(town.actions, None)
    with served([(app, 0)]) as (address,):
        for given in ("None", "null", TOKEN):
            asked = {"Authorization": f"Bearer {given}"}
            assert httpx2.get(f"{address}{PATH}/x", headers=asked, trust_env=False).status_code == 401


def test_a_body_that_is_too_large_is_refused_before_it_is_read_to_its_end(client: httpx2.Client) -> None:
    response = client.post(PATH, content=b" " * (LONGEST_BODY_BYTES + 1))
    assert response.status_code == 413
    problem(response)


def test_a_list_that_is_too_long_is_refused_as_a_whole(client: httpx2.Client, town: Town) -> None:
    before = len(town.rows(OUTBOX))
    response = client.post(PATH, json=[example(local_ref="API-5"), *[{}] * MOST_RECORDS])
    assert response.status_code == 413
    problem(response)
    assert len(town.rows(OUTBOX)) == before


def test_a_signal_is_told_by_its_reference_or_its_id(client: httpx2.Client) -> None:
    (published,) = client.post(PATH, json=example(local_ref="API/6")).json()["results"]
    by_reference, by_id = client.get(f"{PATH}/API%2F6"), client.get(f"{PATH}/{published['signal_id']}")
    assert by_reference.status_code == by_id.status_code == 200
    assert by_reference.json() == by_id.json()
    assert by_id.json()["signal_id"] == published["signal_id"]
    assert len(by_id.json()["waiting"]) == 1


def test_a_signal_that_is_not_here_is_a_problem_that_does_not_repeat_its_reference(client: httpx2.Client) -> None:
    response = client.get(f"{PATH}/API-404")
    assert response.status_code == 404
    problem(response)
    assert "API-404" not in response.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/anders", 404), ("PUT", PATH, 405), ("GET", "/docs", 404)])
def test_what_is_not_there_is_a_problem(client: httpx2.Client, method: str, path: str, status: int) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    problem(response)


def test_the_api_describes_itself_with_its_security(client: httpx2.Client) -> None:
    described = client.get("/v1/openapi.json").json()
    assert set(described["paths"]) == {
        PATH,
        *(f"{PATH}/{{reference}}{what}" for what in ("", "/intrekking", "/vernietiging")),
        "/v1/vernietigingen/{signal_id}",
        QUESTIONS,
        RENEWAL,
        *(f"{QUESTIONS}/{{number}}/{each}" for each in ACTS),
    }
    assert described["paths"][PATH]["post"]["security"] == [{"bearer": []}]
    assert described["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}


def test_a_store_that_does_not_answer_is_told_as_such(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object, **__: object) -> Any:
        raise StoreUnavailableError("OperationalError")

    monkeypatch.setattr(MunicipalityActions, "publish", unavailable)
    monkeypatch.setattr(MunicipalityActions, "trace", unavailable)
    app = create_app(town.actions, TOKEN)
    asked, hooks = {"Authorization": f"Bearer {TOKEN}"}, {"response": [as_described(app)]}
    with (
        served([(app, 0)]) as (address,),
        httpx2.Client(base_url=address, headers=asked, trust_env=False, event_hooks=hooks) as client,
    ):
        for response in (client.post(PATH, content=json.dumps(example())), client.get(f"{PATH}/x")):
            assert response.status_code == 503
            assert response.headers["retry-after"]
            problem(response)


def test_r_val_16_a_change_is_a_conflict_that_names_its_fields_until_it_is_confirmed(client: httpx2.Client) -> None:
    client.post(PATH, json=example(local_ref="API-C"))
    changed = example(local_ref="API-C", urgency="REGULAR")
    refused = client.post(PATH, json=changed)
    assert (refused.status_code, [each["field"] for each in problem(refused)["errors"]]) == (409, ["urgency"])
    (among_others,) = client.post(PATH, json=[changed]).json()["results"]
    assert (among_others["status"], among_others["errors"][0]["cause"]) == (409, "CHANGES")
    (taken,) = client.post(f"{PATH}?confirmed=true", json=changed).json()["results"]
    assert (taken["status"], taken["outcome"], taken["version"]) == (201, "NEW_VERSION", 2)


def test_r_val_25_a_contradiction_is_a_conflict_until_it_is_confirmed(client: httpx2.Client) -> None:
    record = example(local_ref="API-O", vulnerabilities=["UNACCOMPANIED_MINOR"])
    refused = client.post(PATH, json=record)
    assert (refused.status_code, [(each["field"], each["rule"]) for each in problem(refused)["errors"]]) == (
        409,
        [("vulnerabilities", "R-VAL-25")],
    )
    (taken,) = client.post(f"{PATH}?confirmed=true", json=record).json()["results"]
    assert (taken["status"], taken["outcome"]) == (201, "PUBLISHED")


def test_r_link_08_an_answer_tells_what_links_nothing(client: httpx2.Client) -> None:
    record = example(local_ref="API-W", plates=[{"plate": "KLEAB 123", "country": "Duitsland"}])
    (taken,) = client.post(PATH, json=record).json()["results"]
    assert [(each["field"], each["code"]) for each in taken["warnings"]] == [("plates[0].plate", "PLATE_DISTRICT")]


def test_values_are_read_in_a_request_as_in_a_file(client: httpx2.Client) -> None:
    record = example(local_ref="API-D", observed={"from": "13-11-2026", "to": "2026/11/16"}, corroborated="WAAR")
    assert client.post(PATH, json=record).json()["results"][0]["status"] == 201
    again = example(local_ref="API-D", observed={"from": "2026-11-13", "to": "2026-11-16"}, corroborated=True)
    assert client.post(PATH, json=again).json()["results"][0]["outcome"] == "UNCHANGED"
    wrong = client.post(PATH, json=example(local_ref="API-E", observed={"from": "37324", "to": "2026-11-16"}))
    assert [(each["field"], each["cause"]) for each in problem(wrong)["errors"]] == [("observed.from", "DATE_SERIAL")]


def test_a_signal_is_withdrawn_by_its_own_reference_and_twice_is_once(client: httpx2.Client) -> None:
    client.post(PATH, json=example(local_ref="API-W/1"))
    first = client.post(f"{PATH}/API-W/1/intrekking", json={"reason": "MISTAKE"})
    assert (first.status_code, first.json()["version"], first.json()["already"]) == (200, 2, False)
    assert client.post(f"{PATH}/API-W/1/intrekking", json={"reason": "MISTAKE"}).json()["already"] is True


def test_a_signal_is_erased_only_with_a_name_and_the_word_that_it_is_meant(client: httpx2.Client) -> None:
    signal_id = client.post(PATH, json=example(local_ref="API-E")).json()["results"][0]["signal_id"]
    for body, field in (({"by": "officer"}, "confirmed"), ({"by": "", "confirmed": True}, "by"), ({"confirmed": False}, "by")):
        refused = client.post(f"{PATH}/API-E/vernietiging", json=body)
        assert refused.status_code == 400
        assert field in {each["field"] for each in problem(refused)["errors"]}
    erased = client.post(f"{PATH}/API-E/vernietiging", json={"by": "officer", "confirmed": True})
    assert (erased.status_code, erased.json()["signal_id"]) == (202, signal_id)
    assert client.get(f"/v1/vernietigingen/{signal_id}").json()["who"] == "officer"
    assert client.get("/v1/vernietigingen/unknown").status_code == 404


def test_an_unknown_reason_and_an_unknown_field_are_named_and_never_repeated(client: httpx2.Client) -> None:
    client.post(PATH, json=example(local_ref="API-R"))
    wrong = client.post(f"{PATH}/API-R/intrekking", json={"reason": "SECRET-WORD"})
    assert wrong.status_code == 400
    assert problem(wrong)["errors"] == [{"field": "reason", "rule": "R-VAL-03", "code": "V03_CODE"}]
    more = client.post(f"{PATH}/API-R/intrekking", json={"reason": "MISTAKE", "SECRET-WORD": 1})
    assert (more.status_code, problem(more)["errors"][0]["field"]) == (400, "record")
    assert "SECRET-WORD" not in wrong.text + more.text


def test_a_question_is_listed_opened_and_answered_by_a_named_officer(town: Town, client: httpx2.Client) -> None:
    question = asked(town)
    [row] = client.get(QUESTIONS).json()
    assert (row["question_id"], row["state"]) == (question, "ASKED")
    opened = client.post(f"{QUESTIONS}/{row['number']}/inzage", json={"by": "officer"})
    assert (opened.status_code, opened.json()["key_types"]) == (200, ["NAME_DOB"])
    statuses = [client.post(f"{QUESTIONS}/{row['number']}/antwoord", json=ANSWER).status_code for _ in range(2)]
    assert statuses == [201, 200]
    assert client.post(f"{QUESTIONS}/Q-00000000/antwoord", json=ANSWER).status_code == 404


@pytest.mark.parametrize(
    ("body", "named"),
    [({}, ["answer", "by"]), ({**ANSWER, "answer": "Jansen"}, ["answer"]), ({"by": "", "answer": "deny"}, ["by"])],
    ids=str,
)
def test_a_wrong_answer_names_its_fields_and_repeats_nothing(
    client: httpx2.Client, body: dict[str, str], named: list[str]
) -> None:
    response = client.post(f"{QUESTIONS}/Q-00000000/antwoord", json=body)
    assert (response.status_code, [each["field"] for each in problem(response)["errors"]]) == (400, named)
    assert "Jansen" not in response.text


def test_pending_link_tokens_are_renewed_on_request(town: Town, client: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "keeper_tokens", lambda *_, **__: nullcontext(town.keepers))
    town.keepers.refusal = NoTokens(Reason.TIMEOUT, "keeper-a")
    client.post(PATH, json=example(local_ref="API-T"))
    waits = client.post(RENEWAL).json()
    town.keepers.refusal = None
    renewed = client.post(RENEWAL).json()
    assert (waits, renewed["waits"]) == ({"count": 0, "waits": "KEEPER_TIMEOUT"}, None)
    assert renewed["count"] >= 1


def test_every_route_is_described_with_its_answers_and_without_the_one_that_is_never_given(town: Town) -> None:
    paths = create_app(town.actions, TOKEN).openapi()["paths"]
    assert len(paths) == 9
    for path, operations in paths.items():
        for method, operation in operations.items():
            answers = {int(status) for status in operation["responses"]}
            assert {401, 413, 503} <= answers, (method, path)
            assert 422 not in answers
            assert any(status < 300 for status in answers)
            for status, each in operation["responses"].items():
                [(media_type, content)] = each["content"].items()
                assert media_type == ("application/json" if int(status) < 300 else "application/problem+json")
                assert content["schema"]


def test_every_route_refuses_a_stranger_and_a_body_that_is_too_large_as_it_is_described(town: Town) -> None:
    app = create_app(town.actions, TOKEN)
    seen: set[tuple[str, str, int]] = set()
    with served([(app, 0)]) as (address,), httpx2.Client(base_url=address, trust_env=False) as client:
        client.event_hooks = {"response": [as_described(app, seen)]}
        routes = [(method, path) for path, operations in app.openapi()["paths"].items() for method in operations]
        for method, path in routes:
            asked_for = path.replace("{reference}", "API-1").replace("{number}", "Q-1").replace("{signal_id}", "x")
            assert path_of(asked_for, list(app.openapi()["paths"])) == path
            client.request(method, asked_for)
            headers = {"Authorization": f"Bearer {TOKEN}"}
            client.request(method, asked_for, headers=headers, content=b" " * (LONGEST_BODY_BYTES + 1))
    assert seen == {(method, path, status) for method, path in routes for status in (401, 413)}
