"""The self-checks hold for every region, and each fails for a region in which its promise is broken."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from signal_exchange.domain.refusals import RefusedError
from signal_exchange_demo.refusing import DemoError
from signal_exchange_demo.region.checking import Check, check_region
from signal_exchange_demo.region.commands import app
from signal_exchange_demo.region.guard_score import score_guard, wilson
from signal_exchange_demo.region.writing import generate, hash_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    generate(2, date(2025, 11, 24), 26, 2.0, tmp_path / "region")
    return tmp_path / "region"


def failing(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if not check.holds]


def rewrite(folder: Path, name: str, change: Callable[[str], str]) -> None:
    """Change a file and let the manifest agree with it, so that only the content is wrong."""
    path = folder / name
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"][name] = hash_of(path)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.parametrize("seed", range(4))
def test_every_check_holds_and_looked_at_something(seed: int, tmp_path: Path) -> None:
    generate(seed, date(2025, 1, 6), 52, 2.0, tmp_path / "region")
    checks = check_region(tmp_path / "region")
    assert failing(checks) == []
    assert all(check.looked_at for check in checks)


def test_a_changed_byte_is_seen(folder: Path) -> None:
    with (folder / "truth_links.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    checks = check_region(folder)
    assert (failing(checks), checks[0].faults) == (["every file is as the manifest says"], ["truth_links.csv"])


def test_a_file_too_many_is_seen(folder: Path) -> None:
    (folder / "more.csv").touch()
    assert check_region(folder)[0].faults == ["more.csv"]


def first_event(text: str, change: Callable[[dict[str, Any]], object]) -> str:
    line, _, rest = text.partition("\n")
    event = json.loads(line)
    change(event)
    return json.dumps(event, ensure_ascii=False) + "\n" + rest


def surname(folder: Path) -> str:
    for file in sorted((folder / "inside").glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            for subject in json.loads(line)["subjects"]:
                if subject["family_name"]:
                    return str(subject["family_name"].split()[-1])
    raise AssertionError


def test_a_name_in_an_event_is_seen_whoever_bears_it(folder: Path) -> None:
    name = surname(folder)
    rewrite(folder, "published.jsonl", lambda text: first_event(text, lambda event: event["data"].update(summary=f"{name}.")))
    assert "no name, phone, plate or address of any record is a word of any event" in failing(check_region(folder))


def test_an_event_under_another_version_is_seen(folder: Path) -> None:
    rewrite(folder, "published.jsonl", lambda text: first_event(text, lambda event: event.update(id="x.1")))
    assert failing(check_region(folder)) == ["records, events and truth_signals.csv speak of the same signals in the same order"]


def test_a_bsn_that_somebody_could_have_is_seen(folder: Path) -> None:
    def spoil(text: str) -> str:
        before, mark, after = text.partition('"bsn": "9999')
        return before + mark.replace("9999", "1234") + after

    file = next(
        name
        for name in sorted(path.relative_to(folder).as_posix() for path in (folder / "inside").iterdir())
        if '"bsn": "9999' in (folder / name).read_text(encoding="utf-8")
    )
    rewrite(folder, file, spoil)
    assert "every BSN starts with 9999 and passes the eleven test" in failing(check_region(folder))


def test_a_missing_decision_is_seen(folder: Path) -> None:
    rewrite(folder, "truth_routes.csv", lambda text: "\n".join(text.splitlines()[:-1]) + "\n")
    assert failing(check_region(folder)) == ["every version that leaves, and every end, has a decision for each destination"]


def test_a_figure_that_is_one_off_is_seen(folder: Path) -> None:
    def one_more(text: str) -> str:
        lines = text.splitlines()
        at = next(n for n, line in enumerate(lines) if line.startswith("I01_REPORTS,2026,REGION,TOTAL"))
        head, _, value = lines[at].rpartition(",")
        lines[at] = f"{head},{int(value) + 1}"
        return "\n".join(lines) + "\n"

    rewrite(folder, "truth_statistics.csv", one_more)
    assert failing(check_region(folder)) == ["the reports of each year are the signals that left in it and were not withdrawn"]


def test_a_leak_that_stands_elsewhere_is_seen(folder: Path) -> None:
    def shift(text: str) -> str:
        head, first, *rest = text.splitlines()
        signal_id, start, end, kind = first.split(",")
        return "\n".join([head, f"{signal_id},{int(start) - 9},{int(end) - 9},{kind}", *rest]) + "\n"

    rewrite(folder, "truth_leaks.csv", shift)
    assert failing(check_region(folder)) == ["every leak lies in its narrative and holds what its record knows"]


def test_a_form_that_is_too_frequent_is_seen(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["counts"]["forms"]["ORGAN"] = 50
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert failing(check_region(folder)) == ["signals per form lie within 4 standard errors of the mix"]


def test_a_folder_without_region_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"manifest\.json"):
        check_region(tmp_path)


def test_r_leak_04_is_measured_per_type_with_intervals(folder: Path) -> None:
    figures = score_guard(folder).as_json()
    assert figures["fit_for_release"]
    assert set(figures["types"]) >= {"NAME", "PHONE", "DOB", "ADDRESS"}
    assert figures["names"]["recall"] >= figures["names"]["interval"][0] > 0.7


def test_wilson_intervals_are_those_of_the_textbook() -> None:
    assert wilson(0, 0) is None
    assert wilson(10, 10) == (0.7225, 1.0)
    assert wilson(81, 263) == (0.2553, 0.3662)


def test_the_commands_make_check_and_measure(tmp_path: Path) -> None:
    out = str(tmp_path / "region")
    made = CliRunner().invoke(app, ["generate", out, "--weeks", "20", "--json"])
    assert json.loads(made.stdout)["arguments"]["weeks"] == 20
    assert json.loads(CliRunner().invoke(app, ["check", out, "--json"]).stdout)["holds"]
    assert "holds  every file" in CliRunner().invoke(app, ["check", out]).stdout
    assert json.loads(CliRunner().invoke(app, ["guard", out, "--json"]).stdout)["texts"] > 0
    assert "recall" in CliRunner().invoke(app, ["guard", out]).stdout
    (tmp_path / "region" / "truth_links.csv").unlink()
    assert CliRunner().invoke(app, ["check", out]).exit_code == 1


@pytest.mark.parametrize("wrong", [["--scale", "0"], ["--project", "Venlo"], ["--project", "GM0983:2026-02-31:3"]])
def test_a_region_that_cannot_be_is_refused_in_words(wrong: list[str], tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["generate", str(tmp_path / "region"), *wrong]).exception
    assert isinstance(refused, RefusedError)
    assert str(refused).startswith("There is no such region.")
