"""Which texts may be seen in a log, whoever they come from: topics and groups of the catalogue, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.contracts.names import is_name
from signal_exchange.contracts.topics import CONSUMERS, catalogue

REGION = catalogue(("GM0957", "GM1894"))


@pytest.mark.parametrize("name", [*(topic.name for topic in REGION.topics), *REGION.principals, *CONSUMERS])
def test_every_topic_and_every_group_of_a_region_is_a_name(name: str) -> None:
    assert is_name(name)


@given(
    st.text() | st.sampled_from(["feedback.gm0957 x", "municipality-gm095", "feedback.gm٠٩٥٧", "xfeedback.gm0957", "Signals", ""])
)
def test_no_other_text_is(text: str) -> None:
    known = {topic.name for topic in REGION.topics} | set(REGION.principals)
    assert is_name(text) == (text in known)
