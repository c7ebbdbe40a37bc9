import copy
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from domain_cases import CODES, EXAMPLES, MEMBERS, POLICY, coded, published, tokens_of
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.domain.signals.drafts import coded_signal
from signal_exchange.domain.signals.inside_rules import LinkToken, validate_tokens
from signal_exchange.domain.signals.validation import validate
from signal_exchange.domain.signals.violations import Violation, dead_letter_reason
from signal_exchange.reference.loading import load_example

Signal = dict[str, Any]
Change = Callable[[Signal], object]

DAY = date(2026, 11, 20)
VICTIM: Signal = {"ref": "s9", "role": "VICTIM", "age_band": "AGE_16_17", "is_minor": True, "minor_at_event": True}
ALERT_ENTRY = {"purpose": "ACUTE_ALERT", "legal_basis": "YOUTH_PROTECTION", "partnership": "OWN_TASK", "release_ref": None}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


def judged(signal: Any, *, day: date = DAY, sender: str | None = None) -> tuple[Violation, ...]:
    named = signal["municipality"] if sender is None else sender
    return validate(signal, day=day, sender=named, members=MEMBERS, codes=CODES, policy=POLICY)


def rules_of(violations: tuple[Violation, ...]) -> list[str]:
    return sorted({found.code[:3] for found in violations})


def changed(name: str, *changes: Change) -> Signal:
    signal = coded(name)
    for change in changes:
        change(signal)
    return signal


def put(path: str, value: object) -> Change:
    """Set a value by its path, as exchanges.0.legal_basis."""
    *steps, last = path.split(".")

    def change(signal: Signal) -> None:
        target: Any = signal
        for step in steps:
            target = target[int(step) if step.isdigit() else step]
        target[int(last) if last.isdigit() else last] = value

    return change


def drop(path: str) -> Change:
    *steps, last = path.split(".")

    def change(signal: Signal) -> None:
        target: Any = signal
        for step in steps:
            target = target[int(step) if step.isdigit() else step]
        del target[int(last) if last.isdigit() else last]

    return change


def add(path: str, *values: object) -> Change:
    return lambda signal: signal[path].extend(copy.deepcopy(values))


def basis(purpose: str, legal_basis: str, **others: object) -> Change:
    def change(signal: Signal) -> None:
        entry = next(entry for entry in signal["exchanges"] if entry["purpose"] == purpose)
        entry |= {"legal_basis": legal_basis, **others}

    return change


def by_vital_interest(signal: Signal) -> None:
    signal["police_data"] = True
    signal["exchanges"] = [{**entry, "legal_basis": "VITAL_INTEREST"} for entry in signal["exchanges"]]


def no_entry(purpose: str) -> Change:
    def change(signal: Signal) -> None:
        signal["exchanges"] = [entry for entry in signal["exchanges"] if entry["purpose"] != purpose]

    return change


def consented(by: str | None, on: str | None = "2026-11-19") -> Change:
    return put("consent", {"status": "GIVEN", "given_by": by, "recorded_on": on})


def justified(findings: list[str], *overrides: tuple[str, str]) -> Change:
    let_pass = [{"type": kind, "reason": reason} for kind, reason in overrides]
    return put("guard", {"version": "1.0.0", "result": "JUSTIFIED", "findings": findings, "overrides": let_pass})


def born(birth_date: str, means: list[str], *, stays_minor: bool = False) -> Signal:
    record = load_example("05_minor", "inside") | {"means": means}
    record["subjects"][0]["birth_date"] = birth_date
    example = coded("05_minor")
    signal = coded_signal(record, signal_id=example["signal_id"], version=1, supersedes=None, day=DAY, guard=example["guard"])
    if stays_minor:
        put("subjects.0.is_minor", value=True)(signal)
    return signal


WORKED = {
    ("02_labour", "sector=CRI_THEFT"): changed("02_labour", put("sector", "CRI_THEFT")),
    ("05_minor", "born 2005-06-14, means []"): born("2005-06-14", []),
    ("05_minor", "the same but is_minor true"): born("2005-06-14", [], stays_minor=True),
    ("06_anonymous_tip", "urgency=REGULAR"): changed("06_anonymous_tip", put("urgency", "REGULAR")),
    ("01_sexual", "municipality=GM0907"): changed("01_sexual", put("municipality", "GM0907")),
    ("02_labour", "forms UNKNOWN + LABOUR"): changed("02_labour", put("forms", {"primary": "UNKNOWN", "secondary": ["LABOUR"]})),
    ("05_minor", "basis CONSENT given by parent, relation PARENT"): changed(
        "05_minor", basis("CARE_REFERRAL", "CONSENT"), consented("PARENT_GUARDIAN")
    ),
    ("02_labour", "primary FORCED_MARRIAGE, secondary LABOUR"): changed(
        "02_labour", put("forms", {"primary": "FORCED_MARRIAGE", "secondary": ["LABOUR"]})
    ),
    ("01_sexual", "without its STATISTICS entry"): changed("01_sexual", no_entry("STATISTICS")),
    ("01_sexual", "two SCREENING entries"): changed("01_sexual", add("exchanges", coded("01_sexual")["exchanges"][1])),
    ("02_labour", "urgency ACUTE, emergency_advised true"): changed(
        "02_labour", put("urgency", "ACUTE"), put("emergency_advised", value=True)
    ),
    ("05_minor", "a second victim of AGE_30_44"): changed(
        "05_minor", add("subjects", VICTIM | {"age_band": "AGE_30_44", "is_minor": False, "minor_at_event": False})
    ),
    ("06_anonymous_tip", "a minor victim, MONITOR"): changed("06_anonymous_tip", add("subjects", VICTIM)),
    ("06_anonymous_tip", "a minor victim, URGENT, alert entry"): changed(
        "06_anonymous_tip", add("subjects", VICTIM), put("urgency", "URGENT"), add("exchanges", ALERT_ENTRY)
    ),
    ("01_sexual", 'version "1"'): changed("01_sexual", put("version", "1")),
    ("01_sexual", "reporter_source POLICE"): changed("01_sexual", put("reporter_source", "POLICE")),
    ("01_sexual", "local_ref present"): changed("01_sexual", put("local_ref", "VEN-2026-0311")),
    ("01_sexual", "is_minor absent"): changed("01_sexual", drop("subjects.0.is_minor")),
    ("06_anonymous_tip", "urgency SOON"): changed("06_anonymous_tip", put("urgency", "SOON")),
    ("01_sexual", "guard JUSTIFIED, findings [NAME], one override NAME PUBLIC_BODY"): changed(
        "01_sexual", justified(["NAME"], ("NAME", "PUBLIC_BODY"))
    ),
    ("01_sexual", "the same without the override"): changed("01_sexual", justified(["NAME"])),
    ("01_sexual", "guard JUSTIFIED, BSN FALSE_ALARM"): changed("01_sexual", justified(["BSN"], ("BSN", "FALSE_ALARM"))),
    ("01_sexual", "guard JUSTIFIED, no findings, no overrides"): changed("01_sexual", justified([])),
    ("01_sexual", "police_data, ACUTE, alert entry, every basis VITAL_INTEREST"): changed(
        "01_sexual",
        put("urgency", "ACUTE"),
        put("emergency_advised", value=True),
        add("exchanges", ALERT_ENTRY),
        by_vital_interest,
    ),
    ("01_sexual", "police_data, URGENT, every basis VITAL_INTEREST"): changed(
        "01_sexual", put("urgency", "URGENT"), by_vital_interest
    ),
}


def test_every_check_value_of_validation_is_worked() -> None:
    from domain_cases import check_values  # noqa: PLC0415 - only this test reads the section

    cases = {(name, change): expected for name, change, expected in check_values("validation")}
    tokens = cases.pop(("01_sexual", "token of 64 hex"))
    assert cases.keys() == WORKED.keys()
    assert {case: rules_of(judged(signal)) for case, signal in WORKED.items()} == cases
    assert rules_of(judged_tokens(long_token())) == tokens


def long_token() -> Signal:
    data = published("01_sexual")
    data["subjects"][0]["link_tokens"][0]["token"] *= 2
    return data


def judged_tokens(data: Signal, day: date = DAY) -> tuple[Violation, ...]:
    return validate_tokens(tokens_of(data), day=day, codes=CODES, policy=POLICY)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_published_example_is_valid(name: str) -> None:
    assert judged(coded(name)) == ()
    assert judged_tokens(published(name)) == ()


def test_r_val_01_a_null_guard_counts_as_missing() -> None:
    assert judged(changed("01_sexual", put("guard", None))) == (Violation("guard", "R-VAL-01", "V01_MISSING"),)


@pytest.mark.parametrize(
    "path",
    [
        "signal_id", "version", "observed_weeks", "observed_weeks.to", "reporter_source", "corroborated", "forms",
        "forms.primary", "sector", "urgency", "subjects", "subjects.0.ref", "subjects.0.role", "subjects.0.age_band",
        "subjects.0.minor_at_event", "consent", "consent.status", "police_data", "exchanges", "guard", "emergency_advised",
    ],
)  # fmt: skip
def test_r_val_01_a_missing_required_field_gives_v01_alone(path: str) -> None:
    assert rules_of(judged(changed("01_sexual", drop(path)))) == ["V01"]


def test_r_val_01_no_exchange_at_all_is_a_missing_one() -> None:
    assert judged(changed("01_sexual", put("exchanges", []))) == (Violation("exchanges", "R-VAL-01", "V01_MISSING"),)


def test_r_val_01_a_missing_municipality_gives_v01_alone() -> None:
    assert rules_of(judged(changed("01_sexual", drop("municipality")), sender="GM0983")) == ["V01"]


def test_r_val_02_a_municipality_may_send_only_for_itself() -> None:
    assert rules_of(judged(coded("01_sexual"), sender="GM0957")) == ["V02"]


def test_r_val_02_membership_is_judged_on_the_publish_day() -> None:
    signal = changed("01_sexual", put("observed_weeks", {"from": "2022-W16", "to": "2022-W16"}), put("consent.recorded_on", None))
    no_consent = basis("CARE_REFERRAL", "PUBLIC_TASK")
    no_consent(signal)
    assert rules_of(judged(signal, day=date(2022, 4, 20))) == ["V02"]
    assert judged(signal, day=date(2022, 4, 21)) == ()


@pytest.mark.parametrize(
    "path",
    ["sector", "subjects.0.role", "subjects.0.age_band", "subjects.0.sex", "subjects.0.relation_to_offender", "means.0",
     "exchanges.0.purpose", "exchanges.0.legal_basis", "exchanges.3.purpose", "exchanges.0.partnership", "consent.status",
     "consent.given_by", "places.0.kind", "forms.primary", "reporter_source", "urgency", "care_needs.0"],
)  # fmt: skip
def test_r_val_03_a_code_that_is_not_valid_gives_v03_alone(path: str) -> None:
    assert rules_of(judged(changed("01_sexual", put(path, "NO_SUCH_CODE")))) == ["V03"]


@pytest.mark.parametrize(
    "kinds", [(["NO_SUCH"], []), (["NAME"], [("NO_SUCH", "PUBLIC_BODY")]), (["NAME"], [("NAME", "NO_SUCH")])]
)
def test_r_val_03_codes_inside_the_guard_give_v03_alone(kinds: tuple[list[str], list[tuple[str, str]]]) -> None:
    assert rules_of(judged(changed("01_sexual", justified(kinds[0], *kinds[1])))) == ["V03"]


def test_r_val_03_a_bad_code_hides_nothing_elsewhere() -> None:
    signal = changed("01_sexual", put("subjects.0.age_band", "NO_SUCH"), put("subjects.1.is_minor", value=True))
    assert [(found.code[:3], found.field) for found in judged(signal)] == [
        ("V03", "subjects[0].age_band"),
        ("V07", "subjects[1].is_minor"),
        ("V07", "subjects[1].minor_at_event"),
    ]


@pytest.mark.parametrize(
    "secondary", [["SEXUAL"], ["LABOUR", "LABOUR"], ["LABOUR", "SERVICES", "CRIMINAL", "ORGAN"], ["UNKNOWN"]]
)
def test_r_val_04_forms_that_repeat_or_are_too_many_or_unknown_are_refused(secondary: list[str]) -> None:
    assert rules_of(judged(changed("01_sexual", put("forms.secondary", secondary)))) == ["V04"]


def test_r_val_04_three_other_forms_are_allowed_and_unknown_alone() -> None:
    assert judged(changed("01_sexual", put("forms.secondary", ["LABOUR", "SERVICES", "CRIMINAL"]))) == ()
    assert judged(changed("01_sexual", put("forms", {"primary": "UNKNOWN"}), put("sector", "SECTOR_UNKNOWN"))) == ()


def test_r_val_05_the_sector_may_belong_to_a_secondary_form() -> None:
    assert judged(changed("01_sexual", put("forms.secondary", ["LABOUR"]), put("sector", "LAB_MEAT"))) == ()


@pytest.mark.parametrize(
    ("first", "last", "fields"),
    [
        ("2026-W48", "2026-W47", ["from"]),
        ("2026-W46", "2026-W48", ["to"]),
        ("2021-W47", "2026-W47", []),
        ("2021-W46", "2026-W47", ["from"]),
        ("2025-W53", "2026-W47", ["from"]),
        ("2026-W46", "2026-W47x", ["to"]),
        ("2026W46", "week 47", ["from", "to"]),
        ("0000-W01", "2026-W47", ["from"]),
    ],
)
def test_r_val_06_weeks_exist_and_lie_in_order_within_260_weeks(first: str, last: str, fields: list[str]) -> None:
    found = judged(changed("01_sexual", put("observed_weeks", {"from": first, "to": last})))
    assert [violation.field for violation in found] == [f"observed_weeks.{name}" for name in fields]
    assert {violation.rule for violation in found} <= {"R-VAL-06"}


@pytest.mark.parametrize(
    ("band", "minor", "at_event", "valid"),
    [
        ("AGE_18_22", False, True, True),
        ("AGE_23_29", False, True, False),
        ("AGE_UNKNOWN_ADULT", False, True, True),
        ("AGE_UNKNOWN_MAYBE_MINOR", False, False, False),
        ("AGE_23_29", True, True, False),
    ],
)
def test_r_val_07_flags_agree_with_the_band(band: str, *, minor: bool, at_event: bool, valid: bool) -> None:
    subject = {"ref": "s2", "role": "SUSPECT", "age_band": band, "is_minor": minor, "minor_at_event": at_event}
    assert (judged(changed("01_sexual", put("subjects.1", subject))) == ()) is valid


@pytest.mark.parametrize(("means", "codes"), [([], ["V08"]), (["MEANS_UNKNOWN"], [])])
def test_r_val_08_an_adult_victim_needs_a_means(means: list[str], codes: list[str]) -> None:
    assert rules_of(judged(changed("01_sexual", put("means", means)))) == codes


def test_r_val_08_no_victim_needs_no_means() -> None:
    assert judged(changed("06_anonymous_tip", drop("means"))) == ()


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ([put("urgency", "URGENT")], ["V09"]),
        ([put("urgency", "REGULAR"), put("corroborated", value=True)], []),
        ([put("urgency", "ACUTE"), put("emergency_advised", value=True), add("exchanges", ALERT_ENTRY)], []),
        ([put("urgency", "REGULAR"), add("subjects", VICTIM), add("exchanges", ALERT_ENTRY)], ["V09"]),
    ],
)
def test_r_val_09_an_anonymous_tip_starts_at_monitor(changes: list[Change], codes: list[str]) -> None:
    assert rules_of(judged(changed("06_anonymous_tip", *changes))) == codes


@pytest.mark.parametrize(
    ("purpose", "entry", "codes"),
    [
        ("LINKING", {"legal_basis": "WGS_RIEC", "partnership": "RIEC"}, []),
        ("LINKING", {"legal_basis": "WGS_RIEC", "partnership": "SAFETY_HOUSE"}, ["V10"]),
        ("LINKING", {"legal_basis": "WGS_SAFETY_HOUSE", "partnership": "SAFETY_HOUSE"}, []),
        ("SCREENING", {"legal_basis": "WGS_SAFETY_HOUSE", "partnership": "SCREENING_MEETING"}, ["V10"]),
        ("CARE_REFERRAL", {"legal_basis": "VITAL_INTEREST"}, ["V10"]),
    ],
)
def test_r_val_10_the_basis_fits_the_partnership_and_the_urgency(purpose: str, entry: Signal, codes: list[str]) -> None:
    assert rules_of(judged(changed("02_labour", basis(purpose, **entry)))) == codes


def test_r_val_10_vital_interest_carries_an_acute_case() -> None:
    acute = [put("urgency", "ACUTE"), put("emergency_advised", value=True), add("exchanges", ALERT_ENTRY)]
    assert judged(changed("02_labour", *acute, basis("CARE_REFERRAL", "VITAL_INTEREST"))) == ()


@pytest.mark.parametrize("name", ["purpose", "legal_basis", "partnership"])
def test_r_val_10_an_entry_has_purpose_basis_and_partnership(name: str) -> None:
    assert rules_of(judged(changed("02_labour", drop(f"exchanges.1.{name}")))) == ["V10"]


@pytest.mark.parametrize(
    ("band", "giver", "relation", "valid"),
    [
        ("AGE_23_29", "SELF", None, True),
        ("AGE_23_29", "CURATOR", None, True),
        ("AGE_23_29", "NIDOS", None, False),
        ("AGE_16_17", "SELF", "PARENT", True),
        ("AGE_16_17", "PARENT_GUARDIAN", None, False),
        ("AGE_12_15", "PARENT_GUARDIAN", None, True),
        ("AGE_12_15", "NIDOS", "PARENT", True),
        ("AGE_0_11", "SELF", None, False),
        ("AGE_UNKNOWN_MAYBE_MINOR", "NIDOS", None, True),
        ("AGE_UNKNOWN_MAYBE_MINOR", "PARENT_GUARDIAN", "PARENT", False),
    ],
)
def test_r_val_11_consent_comes_from_who_may_give_it(band: str, giver: str, relation: str | None, *, valid: bool) -> None:
    minor = band in {"AGE_0_11", "AGE_12_15", "AGE_16_17", "AGE_UNKNOWN_MAYBE_MINOR"}
    victim = VICTIM | {"age_band": band, "is_minor": minor, "minor_at_event": minor, "relation_to_offender": relation}
    signal = changed("01_sexual", put("subjects", [victim]), add("exchanges", ALERT_ENTRY), put("consent.given_by", giver))
    assert rules_of(judged(signal)) == ([] if valid else ["V11"])


@pytest.mark.parametrize(
    "change",
    [
        consented(None),
        consented("SELF", None),
        consented("SELF", "2026-11-21"),
        put("consent.status", "REFUSED"),
        put("subjects", []),
    ],
)
def test_r_val_11_consent_is_given_by_somebody_on_a_day_for_a_victim(change: Change) -> None:
    assert rules_of(judged(changed("01_sexual", change))) == ["V11"]


def released(signal: Signal) -> None:
    signal["police_data"] = True
    for entry in signal["exchanges"]:
        if entry["purpose"] not in {"STATISTICS", "FEEDBACK"}:
            entry |= {"legal_basis": "WPG_RELEASE", "release_ref": "R-1"}


def test_r_val_12_police_data_travels_with_a_release() -> None:
    assert judged(changed("02_labour", released, put("reporter_source", "POLICE"))) == ()
    assert rules_of(judged(changed("02_labour", released, put("exchanges.0.release_ref", None)))) == ["V12"]
    assert rules_of(judged(changed("02_labour", released, put("exchanges.0.release_ref", "")))) == ["V12"]
    assert rules_of(judged(changed("02_labour", released, basis("LINKING", "PUBLIC_TASK")))) == ["V12"]


def test_r_val_12_in_acute_danger_vital_interest_stands_for_the_release() -> None:
    acute = [put("urgency", "ACUTE"), put("emergency_advised", value=True), add("exchanges", ALERT_ENTRY), released]
    assert judged(changed("02_labour", *acute, basis("CARE_REFERRAL", "VITAL_INTEREST", release_ref=None))) == ()
    without = changed("02_labour", released, basis("CARE_REFERRAL", "VITAL_INTEREST", release_ref=None))
    assert rules_of(judged(without)) == ["V10", "V12"]


@pytest.mark.parametrize(
    "guard",
    [
        {},
        {"version": "1", "result": "PASS", "findings": [], "overrides": [{"type": "NAME", "reason": "FALSE_ALARM"}]},
        {"version": "1", "result": "PASS", "findings": ["NAME"], "overrides": []},
        {"version": "1", "result": "BLOCKED", "findings": [], "overrides": []},
        {"result": "PASS", "findings": [], "overrides": []},
        {"version": "1", "result": "PASS", "findings": []},
        {"version": "1", "result": "PASS", "overrides": []},
        {"version": "1", "result": "JUSTIFIED", "findings": [], "overrides": []},
        {"version": "1", "result": "JUSTIFIED", "findings": ["NAME"], "overrides": [{"type": "NAME"}]},
        {"version": "1", "result": "JUSTIFIED", "findings": ["NAME"], "overrides": [{"type": "URL", "reason": "FALSE_ALARM"}]},
    ],
)
def test_r_val_13_any_other_guard_result_is_refused(guard: Signal) -> None:
    assert rules_of(judged(changed("01_sexual", put("guard", guard)))) == ["V13"]


def test_r_val_13_two_equal_findings_need_two_overrides() -> None:
    override = ("NAME", "PUBLIC_BODY")
    assert judged(changed("01_sexual", justified(["NAME", "NAME"], override, override))) == ()
    assert rules_of(judged(changed("01_sexual", justified(["NAME", "NAME"], override)))) == ["V13"]


@pytest.mark.parametrize(
    ("kind", "epoch", "token", "day", "parked_as"),
    [
        ("V_NUMBER", "2026H2", "0" * 32, DAY, "CONTENT_INVALID"),
        ("FAX", "2026H2", "0" * 32, DAY, "CONTENT_INVALID"),
        ("PHONE", "2026H2", "A" * 32, DAY, "CONTENT_INVALID"),
        ("PHONE", "2026H2", b"0" * 15, DAY, "CONTENT_INVALID"),
        ("PHONE", "2027H1", "0" * 32, DAY, "CONTENT_INVALID"),
        ("PHONE", "0000H1", "0" * 32, DAY, "CONTENT_INVALID"),
        ("PHONE", "second half", "0" * 32, DAY, "CONTENT_INVALID"),
        ("PHONE", "2026H1", "0" * 32, date(2026, 7, 30), None),
        ("PHONE", "2026H1", "0" * 32, date(2026, 7, 31), "EPOCH_EXPIRED"),
        ("PHONE", "2026H2", b"0" * 16, date(2027, 1, 30), None),
        ("PHONE", "2026H2", b"0" * 16, date(2027, 1, 31), "EPOCH_EXPIRED"),
        ("PHONE", "2025H2", "0" * 32, date(2026, 7, 1), "EPOCH_EXPIRED"),
    ],
)
def test_r_val_14_a_token_has_a_known_type_an_open_epoch_and_16_bytes(
    kind: str, epoch: str, token: str | bytes, day: date, parked_as: str | None
) -> None:

    found = validate_tokens([LinkToken("subject:s1", kind, epoch, token)], day=day, codes=CODES, policy=POLICY)
    assert (dead_letter_reason(found, CODES) if found else None) == parked_as
    assert rules_of(found) == (["V14"] if parked_as else [])


def test_r_val_14_no_token_stands_twice_in_one_subject_or_among_the_objects() -> None:
    data = published("01_sexual")
    first = data["subjects"][0]["link_tokens"][0]
    data["subjects"][1]["link_tokens"].append(first)
    assert judged_tokens(data) == ()
    data["subjects"][0]["link_tokens"].append(first)
    data["objects"].append(data["objects"][0])
    assert [found.field for found in judged_tokens(data)] == ["subject:s1.token", "object:1.token"]


def test_r_val_14_what_is_no_token_at_all_is_refused_and_never_shown() -> None:
    nothing = LinkToken("object:0", "", "", "0600004411")
    broken = validate_tokens([nothing], day=DAY, codes=CODES, policy=POLICY)
    assert rules_of(broken) == ["V14"]
    assert "0600004411" not in repr(broken) + repr(nothing)


@pytest.mark.parametrize(("version", "supersedes", "codes"), [(1, 0, ["V16"]), (2, 1, []), (3, 1, ["V16"]), (0, None, ["V16"])])
def test_r_val_16_a_version_supersedes_the_one_before(version: int, supersedes: int | None, codes: list[str]) -> None:
    assert rules_of(judged(changed("01_sexual", put("version", version), put("supersedes", supersedes)))) == codes


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("subjects.0.link_tokens", "subjects[0].link_tokens"),
        ("guard.text_hash", "guard.text_hash"),
        ("Jan Jansen 0612345678", "?"),
    ],
)
def test_r_val_17_an_unknown_field_is_named_only_if_it_looks_like_one(path: str, field: str) -> None:
    found = judged(changed("01_sexual", put(path, "x")))
    assert [(violation.code, violation.field) for violation in found] == [("V17_UNKNOWN_FIELD", field)]


def test_r_val_18_acute_needs_the_112_advice() -> None:
    signal = changed("02_labour", put("urgency", "ACUTE"), add("exchanges", ALERT_ENTRY))
    assert rules_of(judged(signal)) == ["V18"]


def test_r_val_19_an_urgent_minor_needs_an_alert_entry_and_an_urgent_adult_does_not() -> None:
    assert rules_of(judged(changed("05_minor", no_entry("ACUTE_ALERT")))) == ["V19"]
    assert judged(coded("01_sexual")) == ()


@pytest.mark.parametrize(("role", "refused"), [("VICTIM", ["V20"]), ("SUSPECT", [])])
def test_r_val_20_the_victims_of_a_signal_are_all_minors_or_none_is(role: str, refused: list[str]) -> None:
    adult = {"ref": "s9", "role": role, "age_band": "AGE_30_44", "is_minor": False, "minor_at_event": False}
    assert rules_of(judged(changed("05_minor", add("subjects", adult)))) == refused


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("signal_id", "24B1C59C-4D80-4B31-8FD9-E2B32EE611CA"),
        ("signal_id", "1"),
        ("version", True),
        ("version", 1.0),
        ("supersedes", "1"),
        ("corroborated", "yes"),
        ("corroborated", None),
        ("subjects", None),
        ("subjects", {}),
        ("subjects.0", "s1"),
        ("means", "DEBT"),
        ("means.0", None),
        ("estimated_victims", "2"),
        ("consent", None),
        ("consent.recorded_on", "2026-02-30"),
        ("consent.recorded_on", "20261117"),
        ("consent.recorded_on", 20261117),
        ("exchanges.0.release_ref", 7),
        ("guard", []),
    ],
)
def test_r_val_22_a_wrong_type_is_reported_alone(path: str, value: object) -> None:
    signal = changed("01_sexual", put("sector", "NO_SUCH"), drop("urgency"), put(path, value))
    assert rules_of(judged(signal)) == ["V22"]


@pytest.mark.parametrize("value", [None, [], "signal", 1])
def test_r_val_22_what_is_no_record_is_a_wrong_type(value: Any) -> None:
    assert rules_of(judged(value, sender="GM0983")) == ["V22"]


def test_errors_stand_in_the_order_of_their_codes_and_the_first_decides_the_reason() -> None:
    signal = changed("01_sexual", put("local_ref", "x"), put("municipality", "GM0907"), put("sector", "NO_SUCH"))
    found = judged(signal)
    assert [violation.code[:3] for violation in found] == ["V02", "V03", "V17"]
    assert dead_letter_reason(found, CODES) == "SENDER_NOT_ALLOWED"


def test_an_error_without_a_reason_of_its_own_is_parked_as_content() -> None:
    assert dead_letter_reason([Violation("x", "R-VAL-99", "V99_NONE")], CODES) == "CONTENT_INVALID"


@given(json_values)
def test_no_json_makes_validation_raise(value: Any) -> None:
    assert judged(value, sender="GM0983")


@given(st.data())
def test_no_change_of_a_valid_signal_makes_validation_raise_or_repeat_a_value(data: st.DataObject) -> None:
    signal = coded(data.draw(st.sampled_from(EXAMPLES)))
    path = data.draw(st.sampled_from(list(paths_of(signal))))
    put(path, data.draw(json_values | st.just("Testescu")))(signal)
    found = judged(signal, sender="GM0983")
    assert "Testescu" not in repr(found)
    assert all(first.code <= second.code for first, second in pairwise(found))


def paths_of(value: object, base: str = "") -> list[str]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, inner in items for path in (f"{base}{key}", *paths_of(inner, f"{base}{key}."))]
