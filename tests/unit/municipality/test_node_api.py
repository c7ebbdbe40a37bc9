from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from nodes import Town, a_town, example, served
from signal_exchange.demo.broker_files import free_ports
from signal_exchange.municipality.api import LONGEST_BODY_BYTES, MOST_RECORDS, Api, create_app
from signal_exchange.municipality.outbox import OUTBOX
from signal_exchange.runtime.faults import StoreUnavailable

TOKEN = "synthetic-token"
PORTS = dict(zip(("api", "closed", "broken"), free_ports(), strict=False))
PATH = "/v1/signalen"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return a_town(tmp_path_factory.mktemp("node"))


@pytest.fixture(scope="module")
def client(town: Town) -> Iterator[httpx.Client]:
    app = create_app(Api(town.publisher().publish, town.node.tracer().trace, TOKEN))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        served([(app, PORTS["api"])]),
        httpx.Client(base_url=f"http://127.0.0.1:{PORTS['api']}", headers=headers, trust_env=False) as client,
    ):
        yield client


def problem(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == response.status_code
    assert body["type"] == "about:blank"
    assert body["title"]
    return body


def test_one_record_is_published(client: httpx.Client) -> None:
    response = client.post(PATH, json=example(local_ref="API-1"))
    assert response.status_code == 207
    (result,) = response.json()["results"]
    assert (result["status"], result["outcome"], result["version"], result["errors"]) == (201, "PUBLISHED", 1, [])


def test_a_list_has_a_result_for_each_record_in_its_order(client: httpx.Client) -> None:
    records = [example(local_ref="API-2"), example(local_ref="API-3", sector="CRI_THEFT"), 7, example(local_ref="API-2")]
    response = client.post(PATH, json=records)
    assert response.status_code == 207
    results = response.json()["results"]
    assert [result["status"] for result in results] == [201, 422, 422, 200]
    assert [result["line"] for result in results] == [1, 2, 3, 4]
    assert results[1]["errors"] == [{"field": "sector", "rule": "R-VAL-05", "code": "V05_SECTOR"}]


def test_one_record_that_is_refused_is_a_bad_request_with_all_its_errors_together(client: httpx.Client) -> None:
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
def test_what_is_no_json_is_a_bad_request_that_repeats_nothing(client: httpx.Client, body: bytes) -> None:
    response = client.post(PATH, content=body)
    assert response.status_code == 400
    assert problem(response)["errors"] == [{"field": "record", "rule": "R-VAL-22", "code": "V22_TYPE"}]


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe9"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_the_bearer_token_nothing_is_told(client: httpx.Client, header: str | None, method: str) -> None:
    headers = httpx.Headers({} if header is None else {b"Authorization": header.encode("latin-1")})
    with httpx.Client(base_url=client.base_url, trust_env=False) as stranger:
        response = stranger.request(method, f"{PATH}/API-1" if method == "GET" else PATH, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    problem(response)


def test_without_a_token_file_the_api_refuses_everybody(town: Town) -> None:
    app = create_app(Api(town.publisher().publish, town.node.tracer().trace, None))
    with served([(app, PORTS["closed"])]):
        for given in ("None", "null", TOKEN):
            asked = {"Authorization": f"Bearer {given}"}
            assert httpx.get(f"http://127.0.0.1:{PORTS['closed']}{PATH}/x", headers=asked, trust_env=False).status_code == 401


def test_a_body_that_is_too_large_is_refused_before_it_is_read_to_its_end(client: httpx.Client) -> None:
    response = client.post(PATH, content=b" " * (LONGEST_BODY_BYTES + 1))
    assert response.status_code == 413
    problem(response)


def test_a_list_that_is_too_long_is_refused_as_a_whole(client: httpx.Client, town: Town) -> None:
    before = len(town.rows(OUTBOX))
    response = client.post(PATH, json=[example(local_ref="API-5"), *[{}] * MOST_RECORDS])
    assert response.status_code == 413
    problem(response)
    assert len(town.rows(OUTBOX)) == before


def test_a_signal_is_told_by_its_reference_or_its_id(client: httpx.Client) -> None:
    (published,) = client.post(PATH, json=example(local_ref="API/6")).json()["results"]
    by_reference, by_id = client.get(f"{PATH}/API%2F6"), client.get(f"{PATH}/{published['signal_id']}")
    assert by_reference.status_code == by_id.status_code == 200
    assert by_reference.json() == by_id.json()
    assert by_id.json()["signal_id"] == published["signal_id"]
    assert len(by_id.json()["waiting"]) == 1


def test_a_signal_that_is_not_here_is_a_problem_that_does_not_repeat_its_reference(client: httpx.Client) -> None:
    response = client.get(f"{PATH}/API-404")
    assert response.status_code == 404
    problem(response)
    assert "API-404" not in response.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/anders", 404), ("PUT", PATH, 405), ("GET", "/docs", 404)])
def test_what_is_not_there_is_a_problem(client: httpx.Client, method: str, path: str, status: int) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    problem(response)


def test_the_api_describes_itself_with_its_security(client: httpx.Client) -> None:
    described = client.get("/v1/openapi.json").json()
    assert set(described["paths"]) == {PATH, PATH + "/{reference}"}
    assert described["paths"][PATH]["post"]["security"] == [{"bearer": []}]
    assert described["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}


def test_a_store_that_does_not_answer_is_told_as_such() -> None:
    def unavailable(*_: object) -> Any:
        raise StoreUnavailable("OperationalError")

    app = create_app(Api(unavailable, unavailable, TOKEN))
    asked = {"Authorization": f"Bearer {TOKEN}"}
    with (
        served([(app, PORTS["broken"])]),
        httpx.Client(base_url=f"http://127.0.0.1:{PORTS['broken']}", headers=asked, trust_env=False) as client,
    ):
        for response in (client.post(PATH, content=json.dumps(example())), client.get(f"{PATH}/x")):
            assert response.status_code == 503
            assert response.headers["retry-after"]
            problem(response)
