"""A region as files: all that the specification names, the same bytes, in order, whole or not at all, in bounded memory."""

import csv
import itertools
import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from signal_exchange_demo.oracle.oracle import truth_for
from signal_exchange_demo.refusing import DemoError
from signal_exchange_demo.region.events import Event
from signal_exchange_demo.region.generating import Generator
from signal_exchange_demo.region.plan import NoSuchRegionError, Plan, TargetedProject
from signal_exchange_demo.region.reading import Line, lines_of
from signal_exchange_demo.region.writing import generate

START, WEEKS = date(2025, 11, 24), 52
GOLDEN = Path(__file__).parents[2] / "oracle" / "golden" / "region_scale_1.json"
NAMED = {
    "published.jsonl",
    "truth_persons.csv",
    "truth_mentions.csv",
    "truth_links.csv",
    "truth_clusters.csv",
    "truth_routes.csv",
    "truth_leaks.csv",
    "truth_statistics.csv",
    "manifest.json",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("region") / "three"
    generate(11, START, WEEKS, 3.0, out)
    return out


@pytest.fixture(scope="module")
def lines(folder: Path) -> list[Line]:
    return list(lines_of(folder))


def rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def test_a_region_of_the_real_size_has_the_golden_bytes(tmp_path: Path) -> None:
    """When a difference was meant, copy the manifest that this test makes over the golden one."""
    generate(1, START, WEEKS, 1.0, tmp_path / "one")
    made = (tmp_path / "one" / "manifest.json").read_text(encoding="utf-8")
    assert made == GOLDEN.read_text(encoding="utf-8")


def test_every_file_that_is_named_is_there_for_fifteen_municipalities(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} >= NAMED
    names = {path.name for path in (folder / "inside").iterdir()}
    assert len({name for name in names if name.count(".") == 1}) == 15
    assert len({name for name in names if name.endswith(".corrections.jsonl")}) == 15


def test_records_stand_in_order_of_arrival_and_keep_their_reference(lines: list[Line]) -> None:
    moments = [datetime.fromisoformat(line.row["came"]) for line in lines]
    assert moments == sorted(moments)
    refs: dict[str, str] = {}
    for line in lines:
        if line.row["kind"] != "bad":
            assert refs.setdefault(line.row["signal_id"], line.record["local_ref"]) == line.row["local_ref"]
    assert len(set(refs.values())) == len(refs)


def test_routes_are_those_of_the_oracle_for_each_version_in_turn(folder: Path, lines: list[Line]) -> None:
    entries = [_published(line) for line in lines if line.event]
    for name, file in (("withdrawn", "withdrawals.csv"), ("erased", "erasures.csv")):
        entries += [{"event": name, "signal_id": row["signal_id"], "version": int(row["version"])} for row in rows(folder, file)]
    fates = truth_for(entries)["entries"]
    expected = {
        (fate["signal_id"], str(fate["version"]), name, route["effect"], route["rule_id"])
        for fate in fates
        if fate["signal_id"] not in _late_joiners(lines)
        for name, route in fate["routes"].items()
    }
    found = {tuple(row.values()) for row in rows(folder, "truth_routes.csv") if row["signal_id"] not in _late_joiners(lines)}
    assert found == expected
    assert len(found) > 1000


def _published(line: Line) -> dict[str, Any]:
    assert line.event is not None
    signal = line.event["data"]
    supersedes = {"version": signal["version"], "supersedes": signal["supersedes"]}
    return {"record": line.record, "signal_id": signal["signal_id"], **supersedes, "publish_day": line.event["time"][:10]}


def _late_joiners(lines: list[Line]) -> set[str]:
    return {line.row["signal_id"] for line in lines if line.row["municipality"] in ("GM0907", "GM0946")}


def test_who_is_pending_is_refused_for_26_weeks_and_publishes_then(lines: list[Line]) -> None:
    joins = date(2026, 5, 25)
    pending = [line for line in lines if line.row["municipality"] in ("GM0907", "GM0946")]
    assert {line.row["kind"] for line in pending} >= {"refused", "new"}
    for line in pending:
        if line.row["kind"] == "refused":
            assert (line.event, line.row["reason"]) == (None, "V02_MUNICIPALITY")
            assert date.fromisoformat(line.row["came"][:10]) < joins
        elif line.event:
            assert date.fromisoformat(line.row["published"][:10]) >= joins


def test_the_figures_add_up_over_quarters_areas_and_classes(folder: Path, lines: list[Line]) -> None:
    values = Counter({tuple(row.values())[:4]: int(row["value"]) for row in rows(folder, "truth_statistics.csv")})
    for (indicator, period, area, kind), count in list(values.items()):
        if period.isdigit() and area == "REGION" and indicator != "I04_AGE":
            assert count == sum(values[indicator, f"{period}-Q{number}", area, kind] for number in range(1, 5))
            assert count == sum(values[indicator, period, part, kind] for part in ("noord", "midden"))
    persons = sum(values["I02_PERSONS", year, "REGION", "TOTAL"] for year in ("2025", "2026"))
    for indicator in ("I03_FORM", "I04_AGE"):
        assert persons == sum(count for key, count in values.items() if key[::2] == (indicator, "REGION") and key[1].isdigit())
    gone = {row["signal_id"] for row in rows(folder, "withdrawals.csv")}
    victims = [line for line in lines if line.event and line.row["kind"] == "new" and line.row["signal_id"] not in gone]
    mentions = sum(each["role"] == "VICTIM" for line in victims for each in line.record["subjects"])
    assert mentions * 0.9 < persons < mentions, "some victims are reported twice and known to be one"


def test_a_stand_in_is_the_same_where_a_value_is_and_no_truth_link_lacks_one(folder: Path, lines: list[Line]) -> None:
    held = {line.row["signal_id"]: set(_stand_ins(line)) for line in lines if line.event and line.row["kind"] == "new"}
    for row in rows(folder, "truth_links.csv"):
        kinds = {kind for kind, _ in held[row["signal_a"]] & held[row["signal_b"]]}
        assert set(row["key_types"].split("|")) - {""} <= kinds


def _stand_ins(line: Line) -> Iterator[tuple[str, str]]:
    assert line.event is not None
    signal = line.event["data"]
    carriers = (*signal["subjects"], *signal["places"], {"link_values": signal["objects"]})
    yield from ((each["type"], each["stands_for"]) for carrier in carriers for each in carrier["link_values"])


def test_what_municipalities_have_on_their_lists_has_no_stand_in(folder: Path, lines: list[Line]) -> None:
    assert {row["type"] for row in rows(folder, "barred_values.csv")} >= {"ADDRESS_PC"}
    codes = {row["value"].split("|")[0] for row in rows(folder, "barred_values.csv") if row["type"] == "ADDRESS_PC"}
    at = [line for line in lines if any(p["postcode"].replace(" ", "").upper() in codes for p in line.record["places"])]
    touching = [line for line in at if line.event and len(line.record["places"]) == 1]
    assert touching
    assert not any(kind.startswith("ADDRESS") for line in touching for kind, _ in _stand_ins(line))


def test_a_targeted_project_finds_four_times_as_many_in_its_weeks_and_place_and_no_more_elsewhere() -> None:
    project = TargetedProject(date(2026, 3, 2), 8, "GM0983")
    with_it, without = (_true_reports(Plan(4, START, WEEKS, 25.0, project=one)) for one in (project, None))
    assert 3 < with_it["Venlo, then"] / without["Venlo, then"] < 5
    assert all(0.8 < with_it[other] / without[other] < 1.25 for other in ("Venlo", "elsewhere", "elsewhere, then"))


def _true_reports(plan: Plan) -> Counter[str]:
    events = (one.event for part in Generator(plan).parts() for one in part.built)
    return Counter(_place_and_time(event) for event in events if event.kind == "true")


def _place_and_time(event: Event) -> str:
    where = "Venlo" if event.municipality == "GM0983" else "elsewhere"
    return f"{where}, then" if date(2026, 3, 2) <= event.received.date() < date(2026, 4, 27) else where


def test_changing_the_texts_would_not_shift_the_events(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    generate(5, START, 8, 1.0, tmp_path / "one")
    monkeypatch.setattr("signal_exchange_demo.region.texts.LOOK_ALIKE_SHARE", 1.0)
    monkeypatch.setattr("signal_exchange_demo.region.texts.SLOTS_SHARE", 0.0)
    generate(5, START, 8, 1.0, tmp_path / "two")
    for name in ("truth_links.csv", "truth_routes.csv", "truth_statistics.csv", "truth_signals.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert (tmp_path / "one" / "truth_leaks.csv").read_bytes() != (tmp_path / "two" / "truth_leaks.csv").read_bytes()


def test_memory_does_not_grow_with_the_scale(tmp_path: Path) -> None:
    """The signals of four years more would take 4 MB if they were kept."""
    peaks = []
    for number, scale in enumerate((1.0, 1.0, 5.0)):
        tracemalloc.start()
        generate(5, START, WEEKS, scale, tmp_path / str(number))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[1] < 2_000_000, "the first run also fills what is kept for good, such as the reference data"


def test_stopped_halfway_nothing_is_left(tmp_path: Path) -> None:
    def stop(done: int, _parts: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(5, START, WEEKS, 4.0, tmp_path / "out", told=stop)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine", encoding="utf-8")
    with pytest.raises(DemoError, match="not empty"):
        generate(5, START, WEEKS, 1.0, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(
    ("weeks", "scale", "start", "municipality", "word"),
    [
        (0, 1.0, START, None, "weeks"),
        (1, 0.0, START, None, "scale"),
        (1, float("nan"), START, None, "scale"),
        (1, 1.0, date(2021, 1, 4), None, "start"),
        (1, 1.0, START, "GM0363", "project"),
    ],
)
def test_arguments_that_make_no_region_are_named(
    weeks: int, scale: float, start: date, municipality: str | None, word: str
) -> None:
    project = TargetedProject(START, 2, municipality) if municipality else None
    with pytest.raises(NoSuchRegionError, match=word):
        Plan(1, start, weeks, scale, project=project)


def test_junk_is_touched_by_many_and_is_no_truth(folder: Path, lines: list[Line]) -> None:
    addresses = Counter(
        (place["postcode"].replace(" ", "").upper(), place["street"])
        for line in lines
        if line.row["kind"] == "new"
        for place in line.record["places"]
    )
    most, next_most = (count for _, count in addresses.most_common(2))
    assert most > 15 > next_most
    sizes = Counter(row["cluster_id"] for row in rows(folder, "truth_clusters.csv"))
    assert max(sizes.values()) < 15


def test_forgeries_say_what_must_become_of_them(folder: Path) -> None:
    with (folder / "forgeries.jsonl").open(encoding="utf-8") as file:
        forged = [json.loads(line) for line in file]
    ids = {row["signal_id"] for row in rows(folder, "truth_signals.csv") if row["kind"] == "new"}
    assert {each["base"] for each in forged} <= ids
    expected = {(each["kind"], each["expected_reason"], each["parked_by"]) for each in forged}
    assert ("expired_epoch", "EPOCH_EXPIRED", "linking") in expected
    assert ("duplicate_resend", None, "routing") in expected
    assert len(expected) == len({kind for kind, _, _ in expected})


def test_parts_of_a_region_share_nobody_and_no_reference(lines: list[Line]) -> None:
    signals = [line for line in lines if line.row["kind"] in ("new", "refused")]
    for one, other in itertools.pairwise(sorted(line.record["local_ref"] for line in signals)):
        assert one != other
