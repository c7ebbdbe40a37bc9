from __future__ import annotations

import io
import json
import stat
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from broken_records import BROKEN, broken_file
from municipal_files import Run, environment, written
from node_views import a_step, a_view, an_outcome_of, hear
from nodes import EXAMPLES, VENLO, ObedientBroker, ObedientKeepers, Town, a_town, example, read_lines
from refusing import refused
from typer.testing import CliRunner

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality import commands, node, printing
from signal_exchange.municipality.commands import app
from signal_exchange.municipality.publishing.csv_format import COLUMNS
from signal_exchange.privacy.keeper_client import NoTokens, Reason
from signal_exchange.reference.loading import load_code_lists


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_published_with_exit_code_0(name: str, tmp_path: Path, broker: ObedientBroker) -> None:
    record = example(name)
    town = a_town(tmp_path, record["municipality"])
    file = tmp_path / f"{name}.json"
    file.write_text(json.dumps(record, indent=1), encoding="utf-8")
    words = ["publish", str(file), "--municipality", record["municipality"]]
    result = CliRunner().invoke(app, words, env=environment(town))
    assert result.exit_code == 0, result.output
    assert "1 gepubliceerd" in result.output
    assert len(broker.records("SignalPublished")) == 1
    assert [each["highest"] for each in broker.records("Checkpoint")][-1] == 1


def test_fifty_broken_records_give_fifty_rejects_and_exit_code_2(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text(broken_file(), encoding="utf-8")
    result = run("publish", file)
    assert result.exit_code == 2
    assert "50 geweigerd" in result.output
    rejects = [json.loads(line) for line in (tmp_path / "broken.jsonl.rejects.jsonl").read_text(encoding="utf-8").splitlines()]
    told = [(each["line"], {(error["field"], error["rule"]) for error in each["errors"]}) for each in rejects]
    assert told == [(number, {(broken.field, broken.rule)}) for number, broken in enumerate(BROKEN, start=1)]
    assert [each["original"] for each in rejects] == [broken.line for broken in BROKEN]


def test_good_records_go_and_bad_ones_can_be_mended_and_published_from_their_file(tmp_path: Path, run: Run, town: Town) -> None:
    file = written(tmp_path / "mixed.jsonl", example(local_ref="A-1"), example(local_ref="A-2", sector="CRI_THEFT"))
    assert run("publish", file, "--rejects", tmp_path / "bad").exit_code == 2
    (reject,) = (json.loads(line) for line in (tmp_path / "bad").read_text(encoding="utf-8").splitlines())
    mended = {**json.loads(reject["original"]), "sector": "SEX_HOME_HOTEL"}
    assert run("publish", written(tmp_path / "mended.jsonl", mended)).exit_code == 0
    assert len(town.waiting()) == 2


def test_only_their_owner_may_read_the_rejects(tmp_path: Path, run: Run) -> None:
    rejects = tmp_path / "a.jsonl.rejects.jsonl"
    rejects.write_text("old", encoding="utf-8")
    rejects.chmod(0o644)
    run("publish", written(tmp_path / "a.jsonl", {}))
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    assert "old" not in rejects.read_text(encoding="utf-8")


def test_without_refusals_there_is_no_reject_file(tmp_path: Path, run: Run) -> None:
    run("publish", written(tmp_path / "a.jsonl", example()))
    assert [path.name for path in tmp_path.glob("*rejects*")] == []


def test_the_rejects_never_overwrite_the_input_nor_follow_a_link(tmp_path: Path, run: Run) -> None:
    file = written(tmp_path / "a.jsonl", {})
    with refused():
        run("publish", file, "--rejects", file)
    (tmp_path / "link").symlink_to(file)
    with refused():
        run("publish", file, "--rejects", tmp_path / "link")
    (tmp_path / "other").write_text("kept", encoding="utf-8")
    (tmp_path / "link2").symlink_to(tmp_path / "other")
    with refused():
        run("publish", file, "--rejects", tmp_path / "link2")
    assert (tmp_path / "other").read_text(encoding="utf-8") == "kept"


def test_csv_is_known_by_its_name_or_by_an_option(tmp_path: Path, run: Run) -> None:
    (tmp_path / "a.CSV").write_text("local_ref,sector\nA-1,x\n", encoding="utf-8")
    assert "rij 2: geweigerd" in run("publish", tmp_path / "a.CSV").output
    assert "rij 2: geweigerd" in run("publish", "-", "--csv", "--rejects", tmp_path / "r", given="local_ref\nA-1\n").output


def test_standard_input_is_read_with_a_dash(tmp_path: Path, run: Run) -> None:
    result = run("publish", "-", "--rejects", tmp_path / "r", given=json.dumps(example()) + "\n{}\n")
    assert result.exit_code == 2
    assert "regel 1: gepubliceerd" in result.output
    assert "regel 2: geweigerd" in result.output


def test_as_json_everything_stands_in_one_document(tmp_path: Path, run: Run) -> None:
    file = written(tmp_path / "a.jsonl", example(), example(), {})
    found = json.loads(run("publish", file, "--json").stdout)
    assert [each["outcome"] for each in found["results"]] == ["PUBLISHED", "UNCHANGED", "REFUSED"]
    counts = {name: found[name] for name in ("published", "new_version", "unchanged", "refused", "tokens_pending", "waiting")}
    assert counts == {"published": 1, "new_version": 0, "unchanged": 1, "refused": 1, "tokens_pending": 0, "waiting": 0}
    assert found["rejects"].endswith("a.jsonl.rejects.jsonl")


def test_publishing_twice_publishes_nothing_twice_and_both_are_well(tmp_path: Path, run: Run, broker: ObedientBroker) -> None:
    file = written(tmp_path / "a.jsonl", example())
    assert [run("publish", file).exit_code for _ in range(2)] == [0, 0]
    assert len(broker.records("SignalPublished")) == 1


def test_a_broker_that_is_down_loses_nothing_and_is_told(tmp_path: Path, run: Run, broker: ObedientBroker) -> None:
    broker.down = True
    result = run("publish", written(tmp_path / "a.jsonl", example()))
    assert result.exit_code == 0
    assert "1 berichten wachten nog in de uitbak" in result.output
    broker.down = False
    assert run("publish", written(tmp_path / "b.jsonl", example(local_ref="A-2"))).exit_code == 0
    assert sorted(broker.numbers()) == [1, 2]


def test_log_events_go_to_the_log_and_never_between_the_lines_of_a_person(
    tmp_path: Path, run: Run, town: Town, broker: ObedientBroker
) -> None:
    broker.down = True
    result = run("publish", written(tmp_path / "a.jsonl", example()))
    assert [line for line in (result.stdout + result.stderr).splitlines() if "world_unavailable" in line] == []
    log = town.node.settings.data_dir / "commands.log"
    assert {json.loads(line)["event"] for line in log.read_text(encoding="utf-8").splitlines()} == {"world_unavailable"}
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_keeper_that_does_not_answer_is_told(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = ObedientKeepers(NoTokens(Reason.TIMEOUT, "keeper-a"))
    monkeypatch.setattr(node, "keeper_tokens", lambda *_, **__: nullcontext(refusing))
    result = run("publish", written(tmp_path / "a.jsonl", example()))
    assert result.exit_code == 0
    assert load_code_lists().label_nl("link_warning", "KEEPER_TIMEOUT") in result.output
    assert "Van 1 signalen volgen de koppelsleutels later." in result.output


def test_an_interrupt_keeps_what_was_published_and_ends_with_130(
    tmp_path: Path, run: Run, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(result: Any) -> str:
        if result.line.number == 3:
            raise KeyboardInterrupt
        return f"{result.line.number}"

    monkeypatch.setattr(printing, "result_line", interrupted)
    file = written(tmp_path / "a.jsonl", *(example(local_ref=f"A-{number}") for number in range(9)))
    result = run("publish", file)
    assert result.exit_code == 130
    assert "3 gepubliceerd" in result.output
    assert len(town.waiting()) == 9, "the whole chunk was kept, and the rows stay until they are confirmed"


@pytest.mark.parametrize("file", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_said_so(run: Run, file: str, tmp_path: Path) -> None:
    with refused("kan niet worden gelezen"):
        run("publish", tmp_path / file)


def test_the_node_of_another_municipality_refuses(run: Run, tmp_path: Path) -> None:
    for words in (["publish", tmp_path / "a"], ["trace", "x"], ["withdraw", "x", "--reason", "MISTAKE"], ["outbox"]):
        with refused(VENLO):
            run(*words, "--municipality", "GM0988")


def test_production_refuses_what_is_good_for_a_demo_only(town: Town) -> None:
    result = CliRunner().invoke(app, ["outbox"], env={**environment(town), "SIGNAL_EXCHANGE_MODE": "production"})
    assert isinstance(result.exception, RefusedError)
    assert "KAFKA_CA_FILE" in str(result.exception)


def test_what_was_withdrawn_is_refused_and_published_again_with_an_option(tmp_path: Path, run: Run) -> None:
    run("publish", written(tmp_path / "a.jsonl", example()))
    run("withdraw", "VEN-2026-0311", "--reason", "MISTAKE")
    changed = written(tmp_path / "b.jsonl", example(estimated_victims=9))
    assert run("publish", changed).exit_code == 2
    assert "nieuwe versie" in run("publish", changed, "--again").output


def test_values_that_had_no_room_are_told(tmp_path: Path, run: Run) -> None:
    plates = [{"plate": f"WI {10_000 + number}", "country": "PL"} for number in range(40)]
    assert "let op: plates[28].plate: " in run("publish", written(tmp_path / "a.jsonl", example(plates=plates))).output


def test_settings_that_are_missing_are_named() -> None:
    result = CliRunner().invoke(app, ["outbox"])
    assert isinstance(result.exception, RefusedError)
    assert "SIGNAL_EXCHANGE_VAULT_KEY_FILE" in str(result.exception)


def test_the_columns_of_a_csv_can_be_asked_for(run: Run) -> None:
    assert run("publish", "-", "--csv-columns").output.split() == list(COLUMNS)


def test_a_withdrawal_is_sent_at_once_and_twice_is_once(tmp_path: Path, run: Run, broker: ObedientBroker) -> None:
    run("publish", written(tmp_path / "a.jsonl", example()))
    first = run("withdraw", "VEN-2026-0311", "--reason", "MISTAKE").output
    again = json.loads(run("withdraw", "VEN-2026-0311", "--reason", "MISTAKE", "--json").output)
    assert "is ingetrokken (versie 2)" in first
    assert again["already"]
    assert "was al ingetrokken" in run("withdraw", "VEN-2026-0311", "--reason", "MISTAKE").output
    assert len(broker.records("SignalWithdrawn")) == 1
    assert [each["highest"] for each in broker.records("Checkpoint")][-1] == 2


def test_the_outbox_shows_what_waits(tmp_path: Path, run: Run, broker: ObedientBroker) -> None:
    assert "leeg" in run("outbox").output
    broker.down = True
    run("publish", written(tmp_path / "a.jsonl", example()))
    (row,) = json.loads(run("outbox", "--json").output)
    assert (row["version"], row["record"], row["sent_at"]) == (1, "SignalPublished", None)
    assert "SignalPublished" in run("outbox").output


def test_the_trace_tells_where_it_is_and_which_rule_sent_it_there(tmp_path: Path, run: Run, town: Town) -> None:
    run("publish", written(tmp_path / "a.jsonl", example()))
    assert "verzonden, nog niet bevestigd" in run("trace", "VEN-2026-0311").output
    signal_id, number = town.waiting()[0].signal_id, (str(town.waiting()[0].publisher_run), 1, "routed")
    deliveries = [
        {"destination": "CARE_COORDINATOR", "effect": "SEND", "deliver_as": "CONSULT", "rule_id": "C60", "reason": "MATCHED"},
        {"destination": "CHAIR_ALERT", "effect": "DENY", "deliver_as": None, "rule_id": "gate", "reason": "NO_EXCHANGE"},
    ]
    outcomes = [
        an_outcome_of(town, signal_id, {"deliveries": deliveries}),
        an_outcome_of(
            town,
            signal_id,
            {"text": "Bel \x1b[31mmorgen."},
            source="worklist",
            kind="REFERRAL",
            state="ACCEPTED",
            outcome="CARE_OFFERED",
        ),
    ]
    steps = [
        a_step("ROUTED", destination="CARE_COORDINATOR", verdict="SEND", owner_role="CARE_COORDINATOR", next_date="2026-12-01")
    ]
    hear(town, a_view(signal_id, number, outcomes=outcomes, steps=steps))
    told = run("trace", "VEN-2026-0311").output
    for words in ("Nummer 1 is ontvangen: gerouteerd", "zorgcoördinator", "C60", "niet gestuurd", "gate", "2026-12-01", "Bel "):
        assert words in told
    assert "\x1b" not in told
    assert json.loads(run("trace", signal_id, "--json").output)["outcomes"][0]["detail"]["deliveries"] == deliveries


def test_a_long_input_shows_its_progress_on_a_terminal_only(tmp_path: Path, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal, pipe = Terminal(), io.StringIO()
    file = written(tmp_path / "a.jsonl", *(example(local_ref=f"A-{number}") for number in range(3)))
    for stderr in (terminal, pipe):
        monkeypatch.setattr(sys, "stderr", stderr)
        with file.open("rb") as stream:
            results = commands.with_progress(town.publisher().publish(read_lines(stream)), stream)
            assert len(list(results)) == 3
    assert "publiceren" in terminal.getvalue()
    assert "publiceren" not in pipe.getvalue()
