"""The declared destinations: complete, known to the code lists and the rules, and each form of delivery goes to one receiver."""

import pytest
from domain_cases import CODES

from signal_exchange.cli.declaring import declarations
from signal_exchange.contracts.schemas import current_schemas, reader_schemas
from signal_exchange.contracts.topics import CONSUMERS, catalogue
from signal_exchange.domain.destinations import (
    BY_CODE,
    CHAIR_ALERT,
    DESTINATIONS,
    GROUP_OF,
    RECEIVERS,
    STATISTICS,
    Destination,
    Receiver,
)
from signal_exchange.reference.loading import load_default_ruleset

READER = {each.name: each.reader or each.name for part in declarations().values() for each in part.services}
"""Whose view of the records each service has."""


def test_the_destinations_are_those_of_the_code_list_in_its_order() -> None:
    assert [each.code for each in DESTINATIONS] == list(CODES.codes("route_destination"))


@pytest.mark.parametrize("destination", DESTINATIONS, ids=lambda each: each.code)
def test_r_route_02_the_gate_of_a_destination_is_its_own_purpose(destination: Destination) -> None:
    assert load_default_ruleset().gate[destination.code] == destination.purpose
    assert destination.purpose in CODES.codes("purpose")


@pytest.mark.parametrize("destination", DESTINATIONS, ids=lambda each: each.code)
def test_each_form_of_delivery_goes_to_one_receiver_of_its_destination(destination: Destination) -> None:
    assert sum(len(receiver.forms) for receiver in destination.receivers) == len(destination.forms)
    for form in destination.forms:
        assert form in CODES.codes("delivery_form")
        assert form in destination.receiver_of(form).forms


def test_a_form_that_does_not_go_to_a_destination_has_no_receiver_there() -> None:
    with pytest.raises(KeyError):
        BY_CODE["SCREENING_AGENDA"].receiver_of("YOUTH_ROUTE")


@pytest.mark.parametrize("receiver", RECEIVERS, ids=lambda each: each.topic)
def test_a_receiver_reads_its_own_record_on_its_own_topic(receiver: Receiver) -> None:
    topic = next(each for each in catalogue([]).topics if each.name == receiver.topic)
    assert (topic.records, topic.subscribers) == ((receiver.record,), (receiver.service,))
    assert receiver.service in CONSUMERS
    assert receiver.record in reader_schemas(READER[receiver.service])


@pytest.mark.parametrize("receiver", RECEIVERS, ids=lambda each: each.topic)
def test_a_record_tells_of_a_minor_where_its_schema_has_the_field(receiver: Receiver) -> None:
    declared = {each["name"] for each in current_schemas()[receiver.record].parsed["fields"]}
    assert receiver.tells_minor == ({"minor", "deliver_as"} <= declared)


def test_r_route_11_who_owns_signals_has_a_role_and_nobody_else() -> None:
    roles = {receiver.owner for each in DESTINATIONS if each.owns_signals for receiver in each.receivers}
    assert roles <= set(CODES.codes("role"))
    assert all(receiver.owner is None for each in DESTINATIONS if not each.owns_signals for receiver in each.receivers)


def test_each_kind_of_outcome_ends_the_offers_of_one_destination() -> None:
    kinds = [each.ended_by for each in DESTINATIONS if each.owns_signals]
    assert len(set(kinds)) == len(kinds)


def test_who_owns_no_signal_is_delivered_to_by_name_or_nothing_would_be_sent() -> None:
    assert {each.code for each in DESTINATIONS if not each.owns_signals} == {STATISTICS, CHAIR_ALERT}


def test_r_val_23_every_recipient_group_is_one_services_and_every_text_has_a_form_that_is_delivered() -> None:
    assert len(set(GROUP_OF.values())) == len(GROUP_OF)
    assert all(receiver.text.form in receiver.forms for receiver in RECEIVERS if receiver.text)
