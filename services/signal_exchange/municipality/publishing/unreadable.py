"""A file of which no row can be read: what was seen, what is expected, and how many rows were not read."""

from __future__ import annotations

from typing import Final

from signal_exchange.domain.refusals import Phrase, RefusedError

NOTHING_PUBLISHED: Final = Phrase("nothing_published")


class UnreadableFileError(RefusedError):
    """A file that is refused as a whole, before anything of it is published. `rows` is how many rows it seems to have."""

    def __init__(self, seen: Phrase, expected: Phrase = NOTHING_PUBLISHED, rows: int = 0, field: str | None = None) -> None:
        unread = Phrase("rows_not_read", {"count": rows}) if rows else ""
        super().__init__("FILE_WITHOUT_SIGNALS", field=field, seen=seen, expected=expected, unread=unread)
        self.rows = rows
