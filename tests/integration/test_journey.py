"""The signal's whole way: published, referred, accepted, decided, and answered at home; and what else travels on the way."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from raw_signals import send
from whole_exchange import an_exchange, an_input, eventually, nothing_lost_and_nothing_twice, publish, spoken, today

from signal_exchange.contracts.codec import decode_whole
from signal_exchange.reference.loading import load_example
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.running import Input
from signal_exchange_demo.watching import records_until_now

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
VENLO = "municipality-gm0983"
GARBAGE = b"no record"


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Input:
    return an_input(tmp_path_factory.mktemp("input"), seed=5, signals=25)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, given: Input) -> Iterator[Exchange]:
    with an_exchange(tmp_path_factory.mktemp("whole")) as exchange:
        publish(exchange, given)
        # Here and not in a test, since the tests change what the oracle would have to know, in any order.
        nothing_lost_and_nothing_twice(exchange, given)
        yield exchange


def numbered_records(whole: Exchange) -> int:
    sent = (record for record in records_until_now(whole.admin, "signals") if record.value != GARBAGE)
    return sum(decode_whole(record.value).record != "Checkpoint" for record in sent)


def the_example(whole: Exchange) -> dict[str, Any]:
    reference = load_example("01_sexual", "inside")["local_ref"]
    seen: dict[str, Any] = spoken(whole, VENLO, "trace", str(reference), "--json")
    return seen


def test_a_signal_is_referred_accepted_decided_and_answered_at_home(whole: Exchange) -> None:
    signal_id = the_example(whole)["signal_id"]
    shown = whole.command("worklist", "worklist", "show", signal_id, "--open", "--by", "Z. Voorbeeld", "--json")
    assert shown.returncode == 0, shown.stderr
    assert "schuld" in shown.stdout
    planned, due = ((today() + timedelta(days=ahead)).isoformat() for ahead in (1, 30))
    accepted = whole.command("worklist", "worklist", "accept", signal_id, "--planned", planned, "--by", "Z. Voorbeeld")
    assert accepted.returncode == 0, accepted.stderr
    owner = ("--owner", "MEETING_MEMBER", "--organisation", "POLICE_AVIM", "--due", due)
    decision = ("--decision", "CASE_CRIMINAL", *owner)
    words = ("--seat", "POLICE_AVIM", "--motivation", "Bewijs is voldoende.", "--feedback", "Dank, de zaak is overgenomen.")
    decided = whole.command("agenda", "agenda", "decide", signal_id, *decision, *words, "--by", "K. Voorbeeld")
    assert decided.returncode == 0, decided.stderr

    def outcomes() -> str:
        return json.dumps(the_example(whole))

    told = eventually(outcomes, lambda text: "TAKEN_OVER" in text and "ACCEPTED" in text)
    assert "Dank, de zaak is overgenomen." in told
    assert "CASE_CRIMINAL" not in told


def test_a_rejection_travels_home_with_its_reason(whole: Exchange) -> None:
    reference = str(load_example("03_criminal", "inside")["local_ref"])
    code = str(load_example("03_criminal", "inside")["municipality"])
    node = f"municipality-{code.lower()}"
    signal_id = spoken(whole, node, "trace", reference, "--json")["signal_id"]
    rejected = whole.command("worklist", "worklist", "reject", signal_id, "--reason", "INSUFFICIENT_DATA", "--by", "Z. Voorbeeld")
    assert rejected.returncode == 0, rejected.stderr
    eventually(lambda: json.dumps(spoken(whole, node, "trace", reference, "--json")), lambda text: "MORE_INFO_ASKED" in text)


def test_publishing_the_same_files_again_publishes_nothing(whole: Exchange, given: Input) -> None:
    before = numbered_records(whole)
    again = publish(whole, given)
    results = [result["outcome"] for said in again.values() for result in said["results"]]
    assert set(results) <= {"UNCHANGED", "REFUSED"}, "what was corrected since is left alone"
    assert numbered_records(whole) == before


def test_the_outbox_is_empty_once_the_exchange_has_confirmed(whole: Exchange) -> None:
    eventually(lambda: spoken(whole, VENLO, "outbox", "--json"), lambda waiting: not waiting, seconds=60)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_every_process_tells_its_health_and_metrics_on_loopback(whole: Exchange, path: str) -> None:
    for child in whole.processes.children.values():
        if not child.name.startswith("keeper"):
            url = child.ready_url.replace("/health/ready", path)
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert answer.status == 200


def checked(whole: Exchange, municipality: str) -> tuple[int, list[dict[str, Any]]]:
    """Give the exit code of `vendor check`, and each JSON object that it prints."""
    said = whole.command(
        "oversight", "vendor", "check", "--municipality", municipality, "--dir", str(whole.folder), "--once", "--json"
    )
    assert said.stdout, said.stderr
    return said.returncode, [json.loads(line) for line in said.stdout.splitlines()]


def test_vendor_check_finds_our_own_node_right_and_a_strangers_record_wrong(whole: Exchange) -> None:
    code, told = checked(whole, "GM1507")
    *records, summary = told
    assert [each for each in records if not each["right"]] == []
    assert (code, summary["right"], summary["missing"], summary["steps"]["publish a signal"]) == (0, True, [], True)
    assert summary["steps"]["hear what became of a signal"]
    send(whole, [((b"no signal", GARBAGE, [("signature", b"")]), 0)], "GM1507")

    def last() -> Any:
        return [each for each in checked(whole, "GM1507")[1][:-1] if not each["right"]]

    [found] = eventually(last, lambda wrong: len(wrong) == 1 and wrong[0]["exchange"] is not None)
    assert found["exchange"] == {"verdict": "parked", "reason": "SCHEMA_INVALID", "errors": ["no_single_object_header"]}
    assert checked(whole, "GM1507")[0] == 1
