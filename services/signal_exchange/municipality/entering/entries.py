"""One signal as its officer enters it: the answers so far, and what was done about the words of its text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Self

from signal_exchange.domain.signals.coded import VICTIM
from signal_exchange.municipality.publishing.justifying import Justified

REQUIRED: Final = ("form", "urgency", "age_band")
"""The only questions that must be answered: the rest is filled in as unknown or not asked."""
STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "gezien": ("summary", "indicators", "observed_from", "observed_to"),
    "soort": (
        *REQUIRED,
        *("secondary", "sector", "reporter_source", "corroborated", "acts", "means", "care_needs", "consent"),
    ),
    "wie-en-waar": (
        *("given_names", "family_name", "birth_date", "bsn", "phone"),
        *("street", "postcode", "number", "addition", "kvk", "plate", "iban"),
        *("suspect_given_names", "suspect_family_name", "suspect_birth_date", "suspect_phone"),
        *("place_kind", "sex", "nationality_group", "relation", "estimated_victims", "suspect_age_band"),
    ),
    "controleren": (),
}
"""The questions of each step, by its name in the address bar."""
SUBJECTS: Final = {VICTIM: "s1", "SUSPECT": "s2"}


@dataclass(frozen=True, slots=True)
class Masked:
    """Words that were taken out of the text: their type, what was put there, and where."""

    type: str
    words: str = field(repr=False)
    put: str
    at: int


@dataclass(frozen=True, slots=True)
class Entry:
    """The answers so far, by question. `advised_at` is when the advice to call 112 was shown for an acute signal (R-VAL-18)."""

    reference: str
    begun_at: datetime
    answers: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    advised_at: datetime | None = None
    masked: tuple[Masked, ...] = ()
    kept: tuple[Justified, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, reference: str, content: Mapping[str, Any]) -> Self:
        """Return the entry of a draft."""
        advised = content["advised_at"]
        return cls(
            reference,
            datetime.fromisoformat(content["begun_at"]),
            content["answers"],
            datetime.fromisoformat(advised) if advised else None,
            tuple(Masked(**each) for each in content["masked"]),
            tuple(Justified(**each) for each in content["kept"]),
        )

    def content(self) -> dict[str, Any]:
        """Return the content of its draft, as JSON-safe fields."""
        moments = {"begun_at": self.begun_at.isoformat(), "advised_at": self.advised_at.isoformat() if self.advised_at else None}
        texts = {"masked": [asdict(each) for each in self.masked], "kept": [asdict(each) for each in self.kept]}
        return {"answers": {name: list(each) for name, each in self.answers.items()}, **moments, **texts}

    def value(self, name: str) -> str:
        """Return the one answer to a question, without blanks around it."""
        given = self.answers.get(name)
        return given[-1].strip() if given else ""

    def chosen(self, name: str) -> list[str]:
        """Return every answer to a question."""
        return [each for each in self.answers.get(name, ()) if each]

    @property
    def text(self) -> str:
        """Return the text that leaves, if it leaves."""
        return self.value("summary")

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the required questions that nobody answered."""
        return tuple(name for name in REQUIRED if not self.value(name))

    def answered(self, questions: Iterable[str], given: Mapping[str, Sequence[str]]) -> Self:
        """Return the entry with what a form says to its questions; what it leaves out is not answered."""
        own = {name: [each.replace("\r\n", "\n") for each in given[name]] for name in questions if name in given}
        others = {name: each for name, each in self.answers.items() if name not in set(questions)}
        return replace(self, answers={**others, **own})

    def with_text(self, text: str, masked: Iterable[Masked]) -> Self:
        """Return the entry with another text."""
        return replace(self, answers={**self.answers, "summary": [text]}, masked=tuple(masked))
