from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.service import _tell_stopped


def test_a_consumer_that_was_refused_something_says_what_in_our_own_words() -> None:
    with capture_logs() as logged:
        _tell_stopped(Refused("The port 8443 of the REST API cannot be listened on: Address already in use."))
    (entry,) = logged
    assert (entry["event"], entry["exception"]) == ("consumer_stopped", "Refused")
    assert "port 8443" in entry["refused"]


@pytest.mark.parametrize("fault", [ValueError("Testescu"), KeyError("Testescu")])
def test_of_an_unexpected_fault_only_the_type_is_said(fault: Exception) -> None:
    with capture_logs() as logged:
        _tell_stopped(fault)
    assert "Testescu" not in repr(logged)
