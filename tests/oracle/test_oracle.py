"""The oracle answers every worked value of rules.md sections 1 and 2, and it stands on its own."""

import ast
import copy
import json
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest

from signal_exchange_demo import oracle
from signal_exchange_demo.oracle.coding import coded, inside_codes
from signal_exchange_demo.oracle.days import AMSTERDAM, deadline, easter, iso_week
from signal_exchange_demo.oracle.oracle import truth_for
from signal_exchange_demo.oracle.parts import sealed_for
from signal_exchange_demo.oracle.reference import DEFAULT_DATA, Json, load
from signal_exchange_demo.oracle.routes import facts_of, raised, rescreen_due, routes_for, routes_withdrawn, unassigned
from signal_exchange_demo.oracle.verdict import codes_of
from signal_exchange_demo.oracle.worked import CHANGES, NAMES, inside, publish_day, published, routing_case, wire

HERE = Path(__file__).parent
CHECKS = json.loads((HERE.parent / "data" / "check_values.json").read_text(encoding="utf-8"))
REFERENCE = load()


def codes(signal: Json, name: str, sender: str | None = None, *, unsealed: bool = False) -> list[str]:
    return codes_of(signal, publish_day(name), sender or signal["municipality"], REFERENCE, unsealed=unsealed)


@pytest.mark.parametrize("name", NAMES)
def test_every_example_inside_gives_its_example_on_the_wire(name: str) -> None:
    expected = wire(name)
    made = coded(inside(name), publish_day(name), signal_id=expected["signal_id"])
    assert made == expected


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_valid_and_holds_tokens_of_its_epoch(name: str) -> None:
    assert codes(published(name)["data"], name, unsealed=True) == []
    assert codes(wire(name), name) == []
    assert inside_codes(inside(name)) == []


@pytest.mark.parametrize(("name", "change", "expected"), CHECKS["validation"])
def test_r_val_worked_values(name: str, change: str, expected: list[str]) -> None:
    signal = published(name)["data"]
    CHANGES[change](signal)
    assert codes(signal, name, unsealed=True) == expected


@pytest.mark.parametrize(("name", "groups"), CHECKS["sealed_for"])
def test_r_val_23_worked_values(name: str, groups: list[str]) -> None:
    assert sealed_for(wire(name)) == groups


def test_r_val_02_another_sender_than_the_municipality_in_the_signal() -> None:
    assert codes(wire("01_sexual"), "01_sexual", "GM0907") == ["V02"]


def test_r_val_07_birthday_counts_from_the_day_itself() -> None:
    record = inside("05_minor")
    flags = []
    for born in ("2008-11-20", "2008-11-21", "2008-02-29"):
        record["subjects"][0]["birth_date"] = born
        flags.append(coded(record, date(2026, 11, 20), signal_id="x")["subjects"][0]["is_minor"])
    assert flags == [False, True, False]
    record["subjects"][0]["birth_date"] = "2008-02-29"
    on = [coded(record, day, signal_id="x")["subjects"][0]["is_minor"] for day in (date(2026, 2, 28), date(2026, 3, 1))]
    assert on == [True, False]


@pytest.mark.parametrize("name", ["guard", "sector", "corroborated", "subjects", "consent", "exchanges", "forms", "municipality"])
def test_r_val_01_a_required_field_that_is_absent_gives_v01_alone_and_null_is_a_wrong_type(name: str) -> None:
    signal = wire("01_sexual")
    # An absent guard is null on the wire, and only a guard can be.
    assert codes({**signal, name: None}, "01_sexual", "GM0983") == (["V01"] if name == "guard" else ["V22"])
    del signal[name]
    assert codes(signal, "01_sexual", "GM0983") == ["V01"]


def test_r_val_06_a_week_that_does_not_exist_is_wrong() -> None:
    for week in ("2025-W53", "2026-46", "2026-W00", "2026W46"):
        signal = wire("01_sexual")
        signal["observed_weeks"]["from"] = week
        assert codes(signal, "01_sexual") == ["V06"], week


def test_r_val_09_a_reporter_on_an_anonymous_tip_is_seen_inside() -> None:
    assert inside_codes({**inside("06_anonymous_tip"), "reporter": {"name": "T. Voorbeeld"}}) == ["V09"]


@pytest.mark.parametrize("label", sorted(CHECKS["routing"]))
def test_r_route_worked_values(label: str) -> None:
    signal, outside, name = routing_case(label)
    if label.endswith("withdrawn"):
        routes = routes_withdrawn()
    else:
        assert codes(signal, name) == []
        routes = routes_for(signal, facts_of(signal, **outside), publish_day(name), REFERENCE)
    made = {destination: list(route.values()) for destination, route in routes.items()}
    assert made == CHECKS["routing"][label]


@pytest.mark.parametrize(("urgency", "minor", "expected"), CHECKS["raised_urgency"])
def test_r_route_10_urgency_is_raised_for_minors(urgency: str, minor: bool, expected: str) -> None:  # noqa: FBT001 - table column
    assert raised(urgency, any_minor_victim=minor) == expected


@pytest.mark.parametrize(("label", "expected"), CHECKS["unassigned"])
def test_r_route_11_nobody_is_left_alone(label: str, expected: list[object] | None) -> None:
    signal, outside, name = routing_case(label)
    routes = routes_for(signal, facts_of(signal, **outside), publish_day(name), REFERENCE)
    kept = unassigned(routes_withdrawn() if label.endswith("withdrawn") else routes, REFERENCE.rules)
    assert kept == (None if expected is None else tuple(expected))


@pytest.mark.parametrize(("published_at", "now", "expected"), CHECKS["rescreen_due"])
def test_r_route_08_rescreen_is_due_at_17_of_the_20th_working_day(published_at: str, now: str, expected: object) -> None:
    first, later = (datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM) for text in (published_at, now))
    assert rescreen_due(first, later, REFERENCE) is expected


@pytest.mark.parametrize(("received", "count", "expected"), CHECKS["deadline"])
def test_r_cal_03_deadlines(received: str, count: int, expected: str) -> None:
    moment = datetime.fromisoformat(received).replace(tzinfo=AMSTERDAM)
    assert deadline(moment, count, REFERENCE.equated).date().isoformat() == expected


def test_r_cal_01_easter_and_iso_weeks() -> None:
    assert [[year, easter(year).isoformat()] for year, _ in CHECKS["easter"]] == CHECKS["easter"]
    assert iso_week(date(2025, 12, 31)) == "2026-W01"


def entry(name: str, **changes: object) -> Json:
    data = {
        **wire(name),
        **{key: value for key, value in changes.items() if key in ("version", "supersedes", "estimated_victims")},
    }
    rest = {key: value for key, value in changes.items() if key not in data}
    return {"data": data, "publish_day": publish_day(name).isoformat(), **rest}


def verdicts(entries: list[Json]) -> list[object]:
    return [one["verdict"] for one in truth_for(entries)["entries"]]


def test_r_val_16_same_again_is_a_no_op_and_other_content_a_conflict() -> None:
    truth = truth_for([entry("01_sexual"), entry("01_sexual"), entry("01_sexual", estimated_victims=7)])
    assert [one["verdict"] for one in truth["entries"]] == ["accepted", "repeat", "parked"]
    assert truth["entries"][2]["dead_letter"] == "VERSION_CONFLICT"
    assert truth["statistics"]["reports"] == 1


def test_r_val_16_a_jump_or_a_wrong_supersedes_is_a_conflict() -> None:
    jump = entry("01_sexual", version=3, supersedes=1)
    unrelated = entry("01_sexual", version=2, supersedes=None)
    assert verdicts([entry("01_sexual"), jump, unrelated]) == ["accepted", "parked", "parked"]


def test_r_val_21_a_version_after_a_parked_one_is_accepted_with_the_gap_flagged() -> None:
    parked = entry("01_sexual")
    parked["data"]["urgency"] = "SOON"
    truth = truth_for([parked, entry("01_sexual", version=2, supersedes=1)])
    assert truth["entries"][0]["dead_letter"] == "UNKNOWN_CODE"
    assert truth["entries"][0]["codes"] == ["V03_CODE"]
    assert truth["entries"][1]["after_gap"] is True


@pytest.mark.parametrize(
    ("transport", "reason"),
    [("wrong_signature", "SIGNATURE_INVALID"), ("oversized", "TOO_LARGE"), ("expired_time", "CONTENT_INVALID")],
)
def test_what_the_data_cannot_show_is_parked_by_its_name(transport: str, reason: str) -> None:
    verdict = truth_for([entry("02_labour", transport=transport)])["entries"][0]
    assert (verdict["verdict"], verdict["dead_letter"]) == ("parked", reason)
    assert verdict["unattributed"] is (transport == "wrong_signature")


def test_r_route_05_a_refusal_in_a_new_version_takes_the_referral_back_and_names_the_rule() -> None:
    refused = entry("01_sexual", version=2, supersedes=1)
    refused["data"]["consent"] = {"status": "REFUSED", "given_by": "SELF", "recorded_on": "2026-11-18"}
    refused["data"]["exchanges"][0]["legal_basis"] = "PUBLIC_TASK"
    verdict = truth_for([entry("01_sexual"), refused])["entries"][1]
    expected = [{"destination": "CARE_COORDINATOR", "deliver_as": "FULL_PSEUDONYMOUS", "changed_by": "C40"}]
    assert verdict["retracted"] == expected


def test_r_stat_01_a_withdrawn_signal_is_not_counted_and_everything_goes_back() -> None:
    signal_id = wire("01_sexual")["signal_id"]
    gone = {"event": "withdrawn", "signal_id": signal_id, "version": 2}
    truth = truth_for([entry("01_sexual"), entry("02_labour"), gone])
    assert truth["statistics"] == {"reports": 1, "by_municipality": {"GM1507": 1}, "by_primary_form": {"LABOUR": 1}}
    back = [(one["destination"], one["changed_by"]) for one in truth["entries"][2]["retracted"]]
    assert back == [("CARE_COORDINATOR", "state"), ("SCREENING_AGENDA", "state"), ("STATISTICS", "state")]


def test_r_stat_01_an_erased_signal_still_counts_and_nothing_follows_it() -> None:
    signal_id = wire("02_labour")["signal_id"]
    gone = {"event": "erased", "signal_id": signal_id, "version": 2}
    truth = truth_for([entry("02_labour"), gone, entry("02_labour", version=3, supersedes=2)])
    assert truth["statistics"]["reports"] == 1
    assert truth["entries"][2]["dead_letter"] == "VERSION_CONFLICT"


def test_an_entry_may_start_from_the_municipal_record() -> None:
    record, day = inside("06_anonymous_tip"), publish_day("06_anonymous_tip").isoformat()
    start = {"record": record, "publish_day": day, "signal_id": wire("06_anonymous_tip")["signal_id"]}
    assert truth_for([start]) == truth_for([entry("06_anonymous_tip")])


def test_judging_leaves_the_entries_as_they_were() -> None:
    entries = [entry(name) for name in NAMES]
    before = copy.deepcopy(entries)
    assert verdicts(entries) == ["accepted"] * len(NAMES)
    assert entries == before


def test_the_command_reads_entries_and_prints_their_truth() -> None:
    entries = [entry("05_minor")]
    command = [sys.executable, "-m", "signal_exchange_demo.oracle.oracle", str(DEFAULT_DATA)]
    done = subprocess.run(command, input=json.dumps(entries), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == truth_for(entries)


def test_the_oracle_imports_nothing_but_the_standard_library_and_itself() -> None:
    modules = list(Path(oracle.__file__).parent.glob("*.py"))
    assert len(modules) > 5
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.startswith("signal_exchange_demo.oracle") or name.split(".")[0] in sys.stdlib_module_names, (
                    path.name,
                    name,
                )
