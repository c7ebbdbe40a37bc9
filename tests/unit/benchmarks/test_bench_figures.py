"""What `make bench` writes: the keys that its readers rely on, and ratios that are taken within a round."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import bench
from bench import asked
from comparing import BARE, FRAMEWORKS, OURS, PEERS, Round, figures

RATIOS = {"ratio_to_bare", "ratio_to_best_framework"}


def a_round(speed: float, **per_second: float) -> Round:
    rates = {OURS: 10.0, **dict.fromkeys(PEERS, 10.0), **per_second}
    return {
        name: {"per_second": rate * speed, "per_cpu_second": 2 * rate, "peak_megabytes": 100.0} for name, rate in rates.items()
    }


def test_ratios_are_paired_so_that_a_slow_round_does_not_count_more_than_a_fast_one() -> None:
    rounds = [a_round(speed, **{BARE: 20.0, FRAMEWORKS[0]: 5.0, FRAMEWORKS[1]: 8.0}) for speed in (1.0, 100.0, 0.01)]
    found = figures(rounds)
    assert (found["ratio_to_bare"], found["ratio_to_best_framework"]) == (0.5, 1.0)
    assert set(found["clients"]) == {OURS, *PEERS}


def test_the_best_framework_is_that_of_the_round() -> None:
    rounds = [a_round(1.0, **{name: 40.0}) for name in FRAMEWORKS]
    assert figures(rounds)["ratio_to_best_framework"] == 0.25


def test_the_file_has_the_keys_of_every_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parts: dict[str, Any] = {"start": {}, "latency": {}, "memory": {}, "rebuild": {}}
    monkeypatch.setattr(bench, "compared_parts", lambda *_: {part: figures([a_round(1.0)]) for part in ("transport", "routing")})
    monkeypatch.setattr(bench, "whole", lambda *_: parts)
    monkeypatch.setattr(bench, "beside_a_hostile_member", lambda *_: {})
    monkeypatch.setattr(bench, "measure", lambda *_: {})
    monkeypatch.setattr(bench, "texts", lambda *_: {})
    bench.main(["--out", str(tmp_path / "figures.json")])
    found: dict[str, Any] = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert set(found) == {"transport", "routing", *parts, "hostile", "linking_lookup", "leak_guard"}
    assert found["transport"].keys() & found["routing"].keys() >= RATIOS


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        asked(["--parts", "routing,coffee"])
    assert "coffee" in capsys.readouterr().err
