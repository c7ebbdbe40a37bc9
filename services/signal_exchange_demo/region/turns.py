"""The turns of kinds of which one in a hundred goes wrong, spread evenly, however many there are."""

from typing import Final

ONE_IN: Final = 100


class Turns:
    """Counts for each kind how much is owed; a kind that finds nothing that fits takes the next thing that does."""

    def __init__(self, kinds: int) -> None:
        self._owed = [ONE_IN * (kind + 1) // (kinds + 1) for kind in range(kinds)]

    def pass_by(self) -> None:
        """Count one more thing."""
        self._owed = [owed + 1 for owed in self._owed]

    def is_due(self, kind: int) -> bool:
        """Say whether one of a kind is owed."""
        return self._owed[kind] >= ONE_IN

    def take(self, kind: int) -> None:
        """Say that one of a kind was made."""
        self._owed[kind] -= ONE_IN
