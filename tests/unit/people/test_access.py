"""The table of access: whole, closed where it says nothing, and walked for every act and every role."""

from __future__ import annotations

import pytest
from refusing import refused

from signal_exchange.domain.people import ACCESS_ONLY, Person, Role
from signal_exchange.people.access import ALLOWED, ROLES_OF, ROWS, TABLE, Act, Limit, is_allowed, limit_of, require, role_in
from signal_exchange.reference.loading import load_code_lists

CODES = load_code_lists()


def a_person(*roles: str) -> Person:
    """Give a person who has the first role, and the others as a deputy."""
    first, *others = roles or ("",)
    return Person("somebody", role=first, deputy_of=tuple(Person("absent", role=role) for role in others))


def test_the_roles_are_those_of_the_code_list() -> None:
    assert [role.value for role in Role] == list(CODES.codes("role"))
    noted = {code for code, each in CODES.lists["role"].codes.items() if each.note.startswith("access only")}
    assert noted == ACCESS_ONLY


def test_each_act_has_one_row_with_a_code_of_audit_action_and_somebody_who_may() -> None:
    assert [row.act for row in TABLE] == list(Act)
    for row in TABLE:
        assert row.action in CODES.codes("audit_action")
        assert row.roles
        assert len(row.roles) == len(set(row.roles))
        assert row.limits.keys() <= set(row.roles)


@pytest.mark.parametrize("act", list(Act))
def test_every_act_is_allowed_to_the_roles_of_its_row_and_refused_to_every_other(act: Act) -> None:
    for role in Role:
        person = a_person(role)
        assert is_allowed(person, act) == (role in ROWS[act].roles)
        if role in ALLOWED[act]:
            require(person, act)
        else:
            with refused("mag u niet"):
                require(person, act)


@pytest.mark.parametrize("act", list(Act))
def test_who_has_no_role_may_do_nothing(act: Act) -> None:
    for nobody in (Person("somebody"), a_person("NONSENSE"), a_person("", "")):
        with refused():
            require(nobody, act)


def test_a_deputy_may_what_the_absent_one_may_and_acts_in_that_role() -> None:
    both = a_person(Role.PRIVACY_OFFICER, Role.ATTENTION_OFFICER, Role.CARE_COORDINATOR)
    require(both, Act.WORKLIST_ACCEPT)
    roles = [role_in(both, act) for act in (Act.WORKLIST_ACCEPT, Act.AUDIT_READ, Act.MUNICIPALITY_ERASE, Act.PEOPLE_ADD)]
    assert roles == ["CARE_COORDINATOR", "PRIVACY_OFFICER", "ATTENTION_OFFICER", "PRIVACY_OFFICER"]


def test_a_limit_holds_only_where_no_other_role_goes_further() -> None:
    assert limit_of(a_person(Role.CARE_COORDINATOR), Act.AUDIT_READ) is Limit.OWN_LINES
    assert limit_of(a_person(Role.CARE_COORDINATOR, Role.ORGANISATION_ADMIN), Act.AUDIT_READ) is Limit.OWN_LINES
    assert limit_of(a_person(Role.CARE_COORDINATOR, Role.PRIVACY_OFFICER), Act.AUDIT_READ) is None
    assert limit_of(a_person(Role.OPERATOR), Act.MUNICIPALITY_PARKED) is Limit.HEADERS
    assert limit_of(a_person(Role.ORGANISATION_ADMIN), Act.PEOPLE_ADD) is None


def test_no_service_gives_its_people_the_coordination_of_another_group() -> None:
    assert Role.YOUTH_COORDINATOR not in ROLES_OF["worklist"] | ROLES_OF["municipality"]
    assert Role.CARE_COORDINATOR not in ROLES_OF["worklist-youth"] | ROLES_OF["municipality"]
    assert Role.ATTENTION_OFFICER not in ROLES_OF["worklist"] | ROLES_OF["worklist-youth"]
    assert all({Role.ORGANISATION_ADMIN, Role.PRIVACY_OFFICER} <= roles for roles in ROLES_OF.values())
