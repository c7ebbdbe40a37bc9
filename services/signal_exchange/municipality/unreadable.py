"""A file of which no row can be read: what was seen, what is expected, and how many rows were not read."""

from __future__ import annotations

from signal_exchange.runtime.faults import Refused


class UnreadableFile(Refused):
    """A file that is refused as a whole, before anything of it is published. `rows` is how many rows it seems to have."""

    def __init__(self, seen: str, expected: str, rows: int = 0) -> None:
        told = {0: "", 1: " De ene rij is niet gelezen."}.get(rows, f" De {rows} rijen zijn niet gelezen.")
        super().__init__(f"{seen} {expected}{told}")
        self.rows = rows
