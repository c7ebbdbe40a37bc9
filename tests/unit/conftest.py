"""What every unit test leaves behind: nothing."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
import structlog

from signal_exchange import words


@pytest.fixture(autouse=True)
def process_as_it_was() -> Iterator[None]:
    """Undo what a command sets for the whole of its process, which ends after it: a process of tests runs many."""
    language, environment = words._OF_PROCESS[0], dict(os.environ)
    yield
    words.speak(language)
    os.environ.clear()
    os.environ.update(environment)


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """Undo what a command of ours does to the log: it would write to the standard error of a test that is over."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
