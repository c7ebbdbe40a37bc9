"""The same arguments give the same region, byte for byte, and other arguments another one."""

import hashlib
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from random import Random

import pytest

from signal_exchange.participants.region import SIX
from signal_exchange_demo.region.generating import generate_region
from signal_exchange_demo.region.streams import stream
from signal_exchange_demo.region.writing import write_region

TODAY = date(2026, 11, 20)


def _bytes_of(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def test_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_region(generate_region(5, 120, TODAY), tmp_path / name)
    assert _bytes_of(tmp_path / "one") == _bytes_of(tmp_path / "two")


def test_another_process_with_another_hash_seed_and_time_zone_gives_the_same_region(tmp_path: Path) -> None:
    code = (
        "import sys; from datetime import date; from pathlib import Path;"
        "from signal_exchange_demo.region.generating import generate_region;"
        "from signal_exchange_demo.region.writing import write_region;"
        "write_region(generate_region(5, 120, date(2026, 11, 20)), Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "99", "TZ": "Pacific/Auckland", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "other")], check=True, env=environment)
    write_region(generate_region(5, 120, TODAY), tmp_path / "here")
    assert _bytes_of(tmp_path / "other") == _bytes_of(tmp_path / "here")


@pytest.mark.parametrize(
    ("seed", "signals", "today", "municipalities"),
    [(6, 120, TODAY, SIX), (5, 121, TODAY, SIX), (5, 120, date(2026, 11, 19), SIX), (5, 120, TODAY, SIX[:3])],
    ids=["seed", "signals", "today", "municipalities"],
)
def test_each_argument_counts(seed: int, signals: int, today: date, municipalities: tuple[str, ...]) -> None:
    assert generate_region(seed, signals, today, municipalities).arrivals != generate_region(5, 120, TODAY).arrivals


def test_the_manifest_names_every_file_with_its_hash(tmp_path: Path) -> None:
    region = generate_region(5, 120, TODAY)
    write_region(region, tmp_path)
    files = _bytes_of(tmp_path)
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    arguments = manifest["arguments"]
    assert (arguments["seed"], arguments["start"], arguments["weeks"]) == (5, "2025-11-21", 52)
    assert (arguments["publish_day"], arguments["municipalities"]) == ("2026-11-20", list(SIX))
    assert {name: manifest["counts"][name] for name in region.counts} == region.counts


def test_files_inside_hold_what_each_municipality_takes_in_in_order(tmp_path: Path) -> None:
    region = generate_region(5, 120, TODAY)
    write_region(region, tmp_path)
    for code in SIX:
        for name, is_correction in ((f"{code}.jsonl", False), (f"{code}.corrections.jsonl", True)):
            lines = (tmp_path / "inside" / name).read_text(encoding="utf-8").splitlines()
            wanted = [each.record for each in region.of(code) if (each.kind == "correction") == is_correction]
            assert [json.loads(line) for line in lines] == wanted


def test_sub_streams_do_not_depend_on_each_other() -> None:
    expected = hashlib.sha256(b"5:events").digest()[:8]
    assert stream(5, "events").getstate() == stream(5, "events").getstate()
    assert stream(5, "events").random() != stream(5, "noise").random()
    assert stream(5, "events").getrandbits(64) == _seeded(int.from_bytes(expected, "big"))


def _seeded(seed: int) -> int:
    return Random(seed).getrandbits(64)  # noqa: S311 - no secret


def test_a_code_of_no_municipality_is_refused() -> None:
    with pytest.raises(KeyError):
        generate_region(5, 120, TODAY, ["GM9999"])
