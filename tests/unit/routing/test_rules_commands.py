import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.reference.loading import load_example
from signal_exchange.routing.rules_commands import PROVED, app
from signal_exchange.words import sentence, text

DATA = files("signal_exchange.reference") / "data"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, RefusedError):
        return result.exit_code, sentence(result.exception)
    return result.exit_code, result.output


def run_json(*arguments: str) -> tuple[int, Any]:
    code, output = run(*arguments, "--json")
    return code, json.loads(output)


@pytest.fixture
def rules_file(tmp_path: Path) -> Callable[[Callable[[dict[str, Any]], object]], str]:
    def write(change: Callable[[dict[str, Any]], object]) -> str:
        document = json.loads((DATA / "routing_rules.json").read_text(encoding="utf-8"))
        change(document)
        file = tmp_path / "rules.json"
        file.write_text(json.dumps(document), encoding="utf-8")
        return str(file)

    return write


@pytest.fixture
def signal_file(tmp_path: Path) -> Callable[..., str]:
    def write(name: str = "06_anonymous_tip", *, bare: bool = False, **changes: object) -> str:
        event = load_example(name, "published") | changes
        file = tmp_path / "signal.json"
        file.write_text(json.dumps(event["data"] if bare else event), encoding="utf-8")
        return str(file)

    return write


def test_lint_proves_the_default_rules_and_says_what() -> None:
    code, output = run("lint")
    assert code == 0
    assert all(f"goed  {text(sentence)}" in output for sentence in PROVED.values())


def test_lint_tells_a_machine_over_how_many_classes_of_facts() -> None:
    code, report = run_json("lint", "--on", "2026-11-20")
    assert (code, report["valid"], report["holds"], report["problems"]) == (0, True, True, [])
    assert report["classes"] > 100_000


def test_lint_fails_on_rules_that_leave_something_undecided(rules_file: Any) -> None:
    file = rules_file(lambda found: found["rules"].pop(9))
    code, output = run("lint", file)
    assert code == 1
    assert f"fout  {text(PROVED['NAMED_RULE'])}" in output
    assert "vanaf 2026-01-01 CARE_COORDINATOR, zoals bij victim_count=1" in output
    code, report = run_json("lint", file)
    assert (code, report["holds"], report["problems"][0]["check"]) == (1, False, "NAMED_RULE")


def test_lint_fails_on_a_rule_without_an_example_too(rules_file: Any) -> None:
    code, output = run("lint", rules_file(lambda found: found["rules"][0].update(reason="BECAUSE")))
    assert code == 1
    assert "vanaf 2026-01-01 C10 CARE_COORDINATOR\n" in output


def test_lint_fails_on_an_invalid_rule_set_and_names_the_rule(rules_file: Any) -> None:
    file = rules_file(lambda found: found["rules"][0].update(when={"all": []}))
    assert run("lint", file) == (1, "Deze regels zijn ongeldig:\n  C10 when.all: missing or empty\n")
    assert run_json("lint", file) == (1, {"valid": False, "problems": ["C10 when.all: missing or empty"]})


@pytest.mark.parametrize(("content", "sentence"), [(None, "is niet te lezen"), (b"{", "is geen JSON"), (b"\xff", "is geen JSON")])
def test_what_is_no_json_file_is_refused_in_a_sentence(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    file = tmp_path / "file.json"
    if content is not None:
        file.write_bytes(content)
    for command in ("lint", "explain"):
        code, output = run(command, str(file))
        assert code == 1
        assert f"file.json {sentence}" in output


def test_explain_says_which_rule_decides_and_who_keeps_the_signal(signal_file: Any) -> None:
    code, output = run("explain", signal_file())
    assert code == 0
    assert "agenda screeningsoverleg: nee, door A10\n  Losse anonieme tip: eerst verrijken.\n" in output
    assert "regionale statistiek: ja als statistisch record, door S10" in output
    assert "Blijft bij: aandachtsfunctionaris mensenhandel, opnieuw bekijken binnen 20 werkdagen." in output


def test_explain_names_no_keeper_when_somebody_receives_the_signal(signal_file: Any) -> None:
    code, output = run("explain", signal_file("01_sexual"))
    assert code == 0
    assert "zorgcoördinator: ja als volledig, pseudoniem, door C50" in output
    assert "Blijft bij" not in output


def test_explain_takes_bare_data_and_facts_that_the_signal_does_not_tell(signal_file: Any) -> None:
    file = signal_file(bare=True)
    for arguments, rule_id in ((("--cluster-size", "2"), "A40"), (("--rescreen-due",), "A50"), (("--withdrawn",), "state")):
        code, explained = run_json("explain", file, "--on", "2026-11-20", *arguments)
        assert (code, explained["destinations"][1]["rule_id"], explained["kept_by"]) == (0, rule_id, None)


def test_explain_tells_a_machine_the_same(signal_file: Any) -> None:
    code, explained = run_json("explain", signal_file())
    assert (code, explained["day"]) == (0, "2026-11-16")
    assert explained["kept_by"] == {"owner": "ATTENTION_OFFICER", "next_wd": 20}
    assert explained["destinations"][1]["tried"][0]["rule_id"] == "A20"


def test_explain_judges_bare_data_today(signal_file: Any) -> None:
    code, explained = run_json("explain", signal_file(bare=True))
    assert (code, "destinations" in explained) in {(0, True), (1, False)}


def test_explain_uses_the_rules_it_is_given(signal_file: Any, rules_file: Any) -> None:
    rules = rules_file(lambda found: next(rule for rule in found["rules"] if rule["rule_id"] == "A10").update(active=False))
    _, explained = run_json("explain", signal_file(), "--rules", rules)
    assert explained["destinations"][1]["rule_id"] == "A90"


def test_explain_refuses_invalid_rules(signal_file: Any, rules_file: Any) -> None:
    rules = rules_file(lambda found: found["rules"][0].update(effect="MAYBE"))
    assert run("explain", signal_file(), "--rules", rules) == (1, "Deze regels zijn ongeldig: C10: effect is SEND or DENY.")


def test_explain_says_why_a_signal_would_be_parked(signal_file: Any) -> None:
    file = signal_file()
    code, output = run("explain", file, "--on", "2020-11-20")
    assert code == 1
    assert "het zou worden geparkeerd: afzender niet toegestaan." in output
    assert "  sector: code niet geldig op datum (R-VAL-03)" in output
    code, parked = run_json("explain", file, "--on", "2020-11-20")
    assert (code, parked["parked_as"], parked["violations"][0]["code"]) == (1, "SENDER_NOT_ALLOWED", "V02_MUNICIPALITY")


@pytest.mark.parametrize("document", [[], 7, {"data": []}])
def test_explain_refuses_what_is_no_signal(tmp_path: Path, document: object) -> None:
    file = tmp_path / "signal.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    assert run("explain", str(file)) == (1, "Dit is geen signaal: een CloudEvent of de data daarvan wordt verwacht.")


@pytest.mark.parametrize("moment", ["gisteren", "2026-11-20T10:00:00"])
def test_explain_refuses_a_time_that_is_no_moment(signal_file: Any, moment: str) -> None:
    assert run("explain", signal_file(time=moment)) == (1, "De tijd van dit CloudEvent is geen moment met tijdzone.")


def test_a_rule_file_that_holds_null_is_no_rule_set_and_never_the_default_one(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text("null", encoding="utf-8")
    code, report = run_json("lint", str(file))
    assert (code, report["valid"]) == (1, False)


def test_explain_tells_a_machine_text_where_the_rule_alone_says_enough(signal_file: Callable[..., str]) -> None:
    data = load_example("01_sexual", "published")["data"]
    _, found = run_json("explain", signal_file("01_sexual", data={**data, "sector": "NONE"}))
    assert {each["words"] for each in found["violations"]} == {""}
