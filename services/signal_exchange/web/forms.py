"""The values that came from a form, and its faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from signal_exchange import words
from signal_exchange.domain.refusals import RefusedError


@dataclass(frozen=True, slots=True)
class FieldFault:
    """The fault of one field: a sentence that says what to do. Without a field it is about the whole form."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Form:
    """The values of a form by field, each as a list, and its faults."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    faults: Sequence[FieldFault] = ()

    def value(self, name: str, otherwise: str = "") -> str:
        """Return the one value of a field, without blanks around it."""
        given = self.values.get(name)
        return given[-1].strip() if given else otherwise

    def chosen(self, name: str) -> Sequence[str]:
        """Return every value of a field."""
        return self.values.get(name, ())

    def day(self, name: str) -> date | None:
        """Return the day in a field, written as 28-11-2026; None when nothing is.

        Raises:
            RefusedError: it is no day.
        """
        written = self.value(name)
        if not written:
            return None
        try:
            return datetime.strptime(written.replace("/", "-"), "%d-%m-%Y").date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            raise RefusedError("DAY_UNREADABLE", field=name) from None

    def fault(self, name: str) -> str:
        """Return the fault of a field; empty when it has none."""
        return next((each.text for each in self.faults if each.field == name), "")

    def refused(self, refusal: RefusedError) -> Form:
        """Return the form with the faults of a refusal: one for each field that it names, or one for the whole form."""
        return self.with_faults([FieldFault(refusal.field or "", words.sentence(refusal))])

    def with_faults(self, faults: Sequence[FieldFault]) -> Form:
        """Return the form with these faults besides its own."""
        return Form(self.values, (*self.faults, *faults))
