"""A refusal of something that a person asked, as a value; the catalogue in `words` has its sentence.

To let code refuse: raise `RefusedError` with a code, written out where it is raised, and the facts that the sentence needs. Add
the code to `words/nl/PACKAGE.po` and `words/en/PACKAGE.po`, with the same names between braces. `tests/unit/words` holds that
both languages have it, with exactly these facts. The sentence names no option of the command line: give `field` instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text of the catalogue with its facts, as part of a refusal or a line: `Phrase("days_from_today", {"days": 60})`."""

    key: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Coded:
    """One code of a code list, which a reader sees as its label: `Coded("referral_state", "IN_CARE")`."""

    code_list: str
    code: str


class RefusedError(Exception):
    """A request of a person that breaks a rule, comes too late or cannot be done.

    `code` names the sentence, `field` what the person can correct, `rule` the rule that refuses, and `facts` what the sentence
    says between braces: text, numbers, days, moments, several of those, a `Phrase`, a `Coded` or another refusal. No fact is a
    personal value. Its text is for logs and tests; people read `words.sentence`.
    """

    def __init__(self, code: str, *, field: str | None = None, rule: str | None = None, **facts: object) -> None:
        super().__init__(code)
        self.code, self.field, self.rule, self.facts = code, field, rule, facts

    def __str__(self) -> str:
        """Return code, field, rule and facts in one line."""
        named = {"field": self.field, "rule": self.rule, **self.facts}
        return " ".join((self.code, *(f"{name}={value}" for name, value in named.items() if value is not None)))
