from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.stream.service import _tell_stopped


def test_a_consumer_that_was_refused_something_says_its_code_and_its_facts() -> None:
    with capture_logs() as logged:
        _tell_stopped(RefusedError("PORT_OF_METRICS", port=8443, fault="Address already in use"))
    (entry,) = logged
    assert (entry["event"], entry["exception"]) == ("consumer_stopped", "RefusedError")
    assert entry["refused"] == "PORT_OF_METRICS port=8443 fault=Address already in use"


@pytest.mark.parametrize("fault", [ValueError("Testescu"), KeyError("Testescu")])
def test_of_an_unexpected_fault_only_the_type_is_said(fault: Exception) -> None:
    with capture_logs() as logged:
        _tell_stopped(fault)
    assert "Testescu" not in repr(logged)
