"""Code lists with validity dates (R-VAL-03)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a list; without `valid_from` it is reserved and never valid."""

    code: str
    label_nl: str
    label_en: str
    valid_from: date | None
    valid_to: date | None = None
    note: str = ""
    parent: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    def valid_on(self, day: date) -> bool:
        """Say whether the code may be used on a day (R-VAL-03)."""
        if self.valid_from is None or day < self.valid_from:
            return False
        return self.valid_to is None or day <= self.valid_to


@dataclass(frozen=True, slots=True)
class CodeList:
    """One named list; the codes stand in file order."""

    name: str
    codes: Mapping[str, Code]


@dataclass(frozen=True, slots=True)
class CodeLists:
    """All lists by name; asking for a list that does not exist is a KeyError, a code that does not exist is not."""

    lists: Mapping[str, CodeList]

    def valid(self, list_name: str, code: str, day: date) -> bool:
        """Say whether a code stands in the list and is valid on the day (R-VAL-03)."""
        found = self.lists[list_name].codes.get(code)
        return found is not None and found.valid_on(day)

    def parent(self, list_name: str, code: str) -> str | None:
        """Give the parent of a code, as the form of a sector; None when there is none."""
        found = self.lists[list_name].codes.get(code)
        return None if found is None else found.parent

    def label_nl(self, list_name: str, code: str) -> str:
        """Give the Dutch label for a screen; an unknown code stands for itself."""
        found = self.lists[list_name].codes.get(code)
        return code if found is None else found.label_nl

    def label_en(self, list_name: str, code: str) -> str:
        """Give the English label for a screen; an unknown code stands for itself."""
        found = self.lists[list_name].codes.get(code)
        return code if found is None else found.label_en

    def codes(self, list_name: str) -> tuple[str, ...]:
        """Give every code of a list in file order, reserved and ended ones too."""
        return tuple(self.lists[list_name].codes)

    def codes_on(self, list_name: str, day: date) -> tuple[str, ...]:
        """Give the codes of a list that are valid on a day, in file order."""
        return tuple(code.code for code in self.lists[list_name].codes.values() if code.valid_on(day))

    def column(self, list_name: str, code: str, column: str) -> str | None:
        """Give a further column of a code, as `dead_letter` of validation_error; None when there is none."""
        found = self.lists[list_name].codes.get(code)
        return None if found is None else found.extra.get(column)
