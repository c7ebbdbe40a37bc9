"""Contents of a report, and whether it can be taken."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.reference.loading import load_code_lists

LONGEST: Final = MappingProxyType({"text": 4_000, "place": 200, "name": 100, "contact": 100})
"""Characters of each answer at most."""


class Minor(StrEnum):
    """Whether a reporter thinks that somebody is younger than 18. Who does not know is treated as if so (R-MIN)."""

    YES = "YES"
    NO = "NO"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Told:
    """Contents of a report; only `text` must be there.

    `signs` are codes of indicator.csv. `works` is a code of reporter_source.csv, empty for who does not say.
    """

    text: str = field(repr=False)
    place: str = field(default="", repr=False)
    minor: Minor = Minor.UNKNOWN
    signs: tuple[str, ...] = ()
    name: str = field(default="", repr=False)
    contact: str = field(default="", repr=False)
    works: str = ""

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Return the contents that were kept."""
        kept = json.loads(content)
        return cls(**{**kept, "minor": Minor(kept["minor"]), "signs": tuple(kept["signs"])})

    def written(self) -> bytes:
        """Return it as it is kept."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True).encode()

    @property
    def may_be_minor(self) -> bool:
        """Say whether it is treated as about a minor."""
        return self.minor is not Minor.NO

    def require_complete(self) -> None:
        """Let only through what an officer can read.

        Raises:
            RefusedError: the text is missing, or an answer is too long.
        """
        if not self.text:
            raise RefusedError("REPORT_EMPTY", field="text")
        for name, most in LONGEST.items():
            if len(getattr(self, name)) > most:
                raise RefusedError("REPORT_TOO_LONG", field=name, most=most)


def told_of(given: Mapping[str, Sequence[str]]) -> Told:
    """Return the contents of a report from its form. A code that is none of ours is left out: no reporter can mend that."""
    codes = load_code_lists()
    one = {name: each[-1].replace("\r\n", "\n").strip() for name, each in given.items() if each}
    texts = {name: one.get(name, "") for name in LONGEST}
    minor, works = one.get("minor", ""), one.get("works", "")
    return Told(
        **texts,
        minor=Minor(minor) if minor in set(Minor) else Minor.UNKNOWN,
        signs=tuple(each for each in given.get("signs", ()) if each in codes.codes("indicator")),
        works=works if works in codes.codes("reporter_source") else "",
    )
