"""The language of one reader for the length of a block, as one request of a screen will have it."""

from collections.abc import Iterator
from contextlib import contextmanager

from signal_exchange import words


@contextmanager
def speaking(language: words.Language) -> Iterator[None]:
    """Let what is said within be in a language."""
    before = words._SPOKEN.set(language)
    try:
        yield
    finally:
        words._SPOKEN.reset(before)
