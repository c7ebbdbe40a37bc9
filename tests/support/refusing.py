"""Refusals as people read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.words import Language, sentence


@contextmanager
def refused(said: str = "", language: Language = "nl") -> Iterator[pytest.ExceptionInfo[RefusedError]]:
    """Expect a refusal whose sentence holds this pattern."""
    with pytest.raises(RefusedError) as refusal:
        yield refusal
    assert re.search(said, sentence(refusal.value, language))
