from typing import Any

import pytest
from domain_cases import EXAMPLES, coded

from signal_exchange.domain.rules.pruning import prune

Signal = dict[str, Any]

ADULT = {"ref": "s1", "role": "VICTIM", "age_band": "AGE_30_44", "is_minor": False, "minor_at_event": False, "sex": "F",
         "nationality_group": "NL", "relation_to_offender": "PARTNER"}  # fmt: skip
MINOR = ADULT | {"ref": "s2", "age_band": "AGE_12_15", "is_minor": True, "minor_at_event": True}
CARRIED = {"signal_id", "version", "municipality", "urgency", "minor", "legal_basis", "partnership"}
DELIVERIES = [
    ("FULL_PSEUDONYMOUS", "CARE_COORDINATOR"),
    ("FULL_PSEUDONYMOUS", "SCREENING_AGENDA"),
    ("CONSULT", "CARE_COORDINATOR"),
    ("MINOR_STUB", "SCREENING_AGENDA"),
    ("YOUTH_ROUTE", "CARE_COORDINATOR"),
    ("STAT_RECORD", "STATISTICS"),
    ("ALERT", "CHAIR_ALERT"),
]


def with_subjects(*subjects: Signal) -> Signal:
    return coded("05_minor") | {"subjects": list(subjects)}


def test_r_route_13_adult_care_gets_only_ref_and_role_of_a_minor() -> None:
    pruned = prune(with_subjects(ADULT, MINOR | {"role": "WITNESS"}), "FULL_PSEUDONYMOUS", "CARE_COORDINATOR")
    assert pruned["subjects"] == [ADULT, {"ref": "s2", "role": "WITNESS"}]
    assert pruned["minor"] is False


def test_r_route_13_the_youth_route_gets_only_ref_role_and_relation_of_an_adult() -> None:
    pruned = prune(with_subjects(MINOR, ADULT | {"role": "SUSPECT"}), "YOUTH_ROUTE", "CARE_COORDINATOR")
    assert pruned["subjects"] == [MINOR, {"ref": "s1", "role": "SUSPECT", "relation_to_offender": "PARTNER"}]


def test_r_route_13_the_full_form_of_the_agenda_shows_minors_as_in_the_stub() -> None:
    pruned = prune(with_subjects(ADULT, MINOR | {"role": "WITNESS"}), "FULL_PSEUDONYMOUS", "SCREENING_AGENDA")
    assert pruned["subjects"] == [ADULT, {"age_band": "AGE_12_15"}]


def test_r_route_07_the_stub_shows_id_age_band_and_form_and_carries_what_order_and_slices_need() -> None:
    pruned = prune(with_subjects(MINOR, ADULT | {"role": "SUSPECT"}), "MINOR_STUB", "SCREENING_AGENDA")
    assert pruned == {
        "signal_id": "09f6398d-25aa-4a1d-81c3-54f2bcabfdc9",
        "version": 1,
        "municipality": "GM1894",
        "urgency": "URGENT",
        "minor": True,
        "legal_basis": "PUBLIC_TASK",
        "partnership": "SCREENING_MEETING",
        "forms": {"primary": "CRIMINAL", "secondary": []},
        "subjects": [{"age_band": "AGE_12_15"}],
    }


def test_r_route_07_a_minor_suspect_marks_the_agenda_and_a_minor_witness_does_not() -> None:
    for role, minor in (("SUSPECT", True), ("WITNESS", False)):
        pruned = prune(with_subjects(MINOR | {"role": role}), "MINOR_STUB", "SCREENING_AGENDA")
        assert pruned["minor"] is minor
        assert len(pruned["subjects"] if isinstance(pruned["subjects"], list) else []) == int(minor)


def test_a_consult_carries_no_persons_and_of_the_consent_only_its_status() -> None:
    pruned = prune(coded("02_labour"), "CONSULT", "CARE_COORDINATOR")
    assert "subjects" not in pruned
    assert pruned["consent"] == {"status": "NOT_ASKED"}
    assert pruned["care_needs"] == ["INTERPRETER", "LEGAL"]


def test_a_statistical_record_carries_classes_and_no_id() -> None:
    assert prune(coded("05_minor"), "STAT_RECORD", "STATISTICS") == {
        "municipality": "GM1894",
        "urgency": "URGENT",
        "forms": {"primary": "CRIMINAL", "secondary": []},
        "sector": "CRI_DRUG_COURIER",
        "reporter_source": "EDUCATION",
        "estimated_victims": 1,
        "subjects": [{"age_band": "AGE_12_15"}],
    }


def test_an_alert_says_who_is_where_and_how_urgent() -> None:
    pruned = prune(coded("05_minor") | {"urgency": "MONITOR"}, "ALERT", "CHAIR_ALERT")
    assert set(pruned) == {"signal_id", "version", "municipality", "urgency", "minor"}
    assert (pruned["urgency"], pruned["minor"]) == ("URGENT", True)


def test_the_basis_is_that_of_the_receivers_own_entry() -> None:
    assert prune(coded("01_sexual"), "FULL_PSEUDONYMOUS", "CARE_COORDINATOR")["legal_basis"] == "CONSENT"
    assert prune(coded("01_sexual"), "FULL_PSEUDONYMOUS", "SCREENING_AGENDA")["legal_basis"] == "PUBLIC_TASK"
    assert prune(coded("06_anonymous_tip"), "CONSULT", "CARE_COORDINATOR")["legal_basis"] is None


@pytest.mark.parametrize(("form", "destination"), DELIVERIES)
@pytest.mark.parametrize("name", EXAMPLES)
def test_no_delivery_carries_other_exchanges_the_guard_or_local_matters(name: str, form: str, destination: str) -> None:
    pruned = prune(coded(name), form, destination)
    assert not {"exchanges", "guard", "supersedes", "emergency_advised", "release_ref"} & set(pruned)
    assert set(pruned) - CARRIED <= set(coded(name))


@pytest.mark.parametrize(("form", "destination"), DELIVERIES)
def test_a_delivery_shares_nothing_with_the_signal(form: str, destination: str) -> None:
    signal = coded("01_sexual")
    pruned = prune(signal, form, destination)
    for value in pruned.values():
        if isinstance(value, list):
            value.clear()
    assert signal == coded("01_sexual")


def test_a_form_that_does_not_exist_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        prune(coded("01_sexual"), None, "CARE_COORDINATOR")
