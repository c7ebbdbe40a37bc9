from __future__ import annotations

from collections.abc import Iterator

import pytest

from nodes import own_logging


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    with own_logging():
        yield
