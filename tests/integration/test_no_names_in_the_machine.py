"""Marked values travel the whole way in: and stand nowhere, in no log, metric, error, URL, reason, topic or store."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from whole_exchange import an_exchange, await_rest

from signal_exchange.reference.loading import load_example
from signal_exchange_demo.exchange import Exchange

pytestmark = [pytest.mark.broker, pytest.mark.timeout(200)]
MARKS = {
    "family_name": "Merkteekenstra",
    "given_names": "Zwanneke",
    "birth_date": "1987-03-29",
    "phone": "06-00009731",
    "bsn": "999990019",
    "street": "Merkteekenlaan",
    "plate": "ZZ-971-Z",
    "reporter": "Q. Merkteekenaar",
    "reference": "MERKTEEKEN-2026-9731",
    "narrative": "Merkteekenverhaal over iemand",
}


def marked(reference: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(json.dumps(load_example("01_sexual", "inside")))
    person = {name: MARKS[name] for name in ("family_name", "given_names", "birth_date", "phone", "bsn")}
    record["subjects"][0] |= person
    record["places"][0] |= {"street": MARKS["street"], "postcode": "5991 ZZ", "number": "9731"}
    record["plates"][0]["plate"] = MARKS["plate"]
    record["reporter"] |= {"name": MARKS["reporter"], "phone": MARKS["phone"]}
    return record | {"narrative": MARKS["narrative"], "local_ref": f"{MARKS['reference']}-{reference}"}


def lines() -> list[dict[str, Any]]:
    """Return a good record, and one for each way in which a marked value could come into an error."""
    subject = marked("subject")
    subject["subjects"][0]["role"] = MARKS["family_name"]
    return [
        marked("good"),
        marked("leak") | {"summary": f"Zij heet {MARKS['given_names']} {MARKS['family_name']}."},
        marked("number") | {"summary": f"Bel {MARKS['phone']} na zes uur."},
        marked("code") | {"sector": MARKS["family_name"]},
        marked("unknown") | {MARKS["family_name"]: MARKS["given_names"]},
        marked("type") | {"corroborated": MARKS["family_name"]},
        marked("period") | {"observed": {"from": MARKS["family_name"], "to": MARKS["birth_date"]}},
        subject,
    ]


def test_a_marked_value_stands_nowhere_outside_the_hands_that_brought_it(tmp_path: Path) -> None:
    given, folder = tmp_path / "given", tmp_path / "exchange"
    given.mkdir()
    file = given / "marked.jsonl"
    broken = json.dumps(marked("cut"))[:-20]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines()) + broken + "\n", encoding="utf-8")
    with an_exchange(folder, nodes=("GM0983",)) as exchange:
        said = _everything_said(exchange, file)
    assert json.loads(said["publish"].partition("\n--\n")[0])["refused"] == 8
    for name, mark in MARKS.items():
        assert [where for where, text in said.items() if mark in text] == [], name
        assert [str(path.relative_to(folder)) for path in _files(folder) if mark.encode() in path.read_bytes()] == [], name


def _everything_said(exchange: Exchange, file: Path) -> dict[str, str]:
    node = exchange.nodes[0]
    publish = exchange.command(node, "publish", str(file), "--municipality", "GM0983", "--json")
    said = {"publish": f"{publish.stdout}\n--\n{publish.stderr}"}
    await_rest(exchange)
    signal_id = next(each["signal_id"] for each in json.loads(publish.stdout)["results"] if each["signal_id"])
    asked = {
        "trace": (node, "trace", signal_id),
        "outbox": (node, "outbox"),
        "worklist": ("worklist", "worklist", "show", signal_id, "--open", "--by", "Z"),
        "agenda": ("agenda", "agenda", "list"),
        "routing": ("routing", "routing", "show", signal_id),
    }
    for name, arguments in asked.items():
        answer = exchange.command(*arguments)
        said[name] = answer.stdout + answer.stderr
    for child in exchange.processes.children.values():
        said |= {f"{child.name} {path}": _get(child.ready_url, path) for path in ("/metrics", "/health/ready")}
    return said | _asked_over_rest(exchange)


def _asked_over_rest(exchange: Exchange) -> dict[str, str]:
    port = exchange.region.ports[exchange.nodes[0]]
    token = (exchange.region.process_folder(exchange.nodes[0]) / "api-token").read_text(encoding="utf-8")
    body = json.dumps([*lines()[1:], {"subjects": MARKS["family_name"]}]).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/signalen", data=body, headers=headers)
    return {"rest": _read(request)}


def _get(ready_url: str, path: str) -> str:
    scheme_and_host = "/".join(ready_url.split("/")[:3])
    return _read(urllib.request.Request(scheme_and_host + path))


def _read(request: urllib.request.Request) -> str:
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.read().decode())


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
