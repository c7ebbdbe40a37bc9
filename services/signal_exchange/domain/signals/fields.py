"""The one table of the fields of a signal: what each is, where it is entered, and who gets to see it.

Shapes, drafting, pruning, delivered fields, CSV columns, causes and descriptions follow from its rows. Rows that travel stand in
the order of the schema. What no row can say, as an age that becomes a band, is a function of `drafts` or `pruning`.
"""

from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Final


class Kind(Enum):
    """The kind of a value."""

    ID = "a random UUID"
    TEXT = "a name, number or code that is no free text"
    WORDS = "what people write as they like"
    CODE = "one code of a list"
    CODES = "codes of a list"
    TEXTS = "a list of texts"
    FLAG = "true or false"
    COUNT = "a whole number"
    DAY = "a date"
    MOMENT = "a date with a clock time and a zone"
    GROUP = "fields within a field"
    ROWS = "a list of groups"


class Need(Enum):
    """The demand of the coded signal on a field (R-VAL-01, R-VAL-22)."""

    REQUIRED = "it is there"
    FILLED = "it is there and holds something"
    NOT_NULL = "it is there; null counts as absent"
    OPTIONAL = "it may be absent, and is never null"
    NULLABLE = "it may be absent or null"


class Origin(Enum):
    """The origin of a field, and whether it leaves the municipality."""

    KEPT = "people enter it and it stays inside"
    COPIED = "people enter it and it leaves as it is"
    TURNED = "people enter it and a function makes of it what leaves"
    GIVEN = "nobody enters it: a function makes it"


class Audience(Enum):
    """A form of delivery at a destination: one class of readers."""

    CARE = ("FULL_PSEUDONYMOUS", "CARE_COORDINATOR")
    CARE_CONSULT = ("CONSULT", "CARE_COORDINATOR")
    YOUTH = ("YOUTH_ROUTE", "CARE_COORDINATOR")
    TABLE = ("FULL_PSEUDONYMOUS", "SCREENING_AGENDA")
    TABLE_STUB = ("MINOR_STUB", "SCREENING_AGENDA")
    STATISTICS = ("STAT_RECORD", "STATISTICS")
    CHAIN_DIRECTOR = ("ALERT", "CHAIR_ALERT")


Audiences = frozenset[Audience]
NOBODY: Final[Audiences] = frozenset()
CARE_ONLY: Final = frozenset({Audience.CARE, Audience.CARE_CONSULT, Audience.YOUTH})
FULL: Final = frozenset({Audience.CARE, Audience.YOUTH, Audience.TABLE})
CODED: Final = FULL | CARE_ONLY
COUNTED: Final = CODED | {Audience.STATISTICS}
IN_STUBS: Final = COUNTED | {Audience.TABLE_STUB}
CARERS: Final = frozenset({Audience.CARE, Audience.YOUTH})
YOUTH_ONLY: Final = frozenset({Audience.YOUTH})
BY_AGE: Final = frozenset({Audience.TABLE, Audience.TABLE_STUB, Audience.STATISTICS})
PERSONS: Final = FULL | BY_AGE
HEAD: Final = CODED | {Audience.TABLE_STUB, Audience.CHAIN_DIRECTOR}
EVERYBODY: Final = frozenset(Audience)


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `seen_by` names who gets it in a delivery; of a person only who serves that person's care class.

    `of_others` gets it of persons of the other care class too (R-ROUTE-13). `beside` marks what a delivery carries in its own
    record, beside the signal. `line` orders what a reader is shown, and 0 is not shown; `word` is the key of its label in the
    catalogue of words, for what its value alone does not say. `entered_as` is its name in the municipal record where that
    differs, or that of what it is made from. A CSV numbers ROWS up to `most`.
    """

    name: str
    kind: Kind
    codes: str | None = None
    need: Need = Need.OPTIONAL
    seen_by: Audiences = NOBODY
    origin: Origin = Origin.COPIED
    parts: tuple["Field", ...] = field(default=(), repr=False)
    of_others: Audiences = NOBODY
    beside: bool = False
    line: int = 0
    word: str = ""
    entered_as: str | None = None
    most: int = 0

    @property
    def inside(self) -> str:
        """Its name in the municipal record."""
        return self.entered_as or self.name


_kept = partial(Field, origin=Origin.KEPT, need=Need.NULLABLE)
_given = partial(Field, origin=Origin.GIVEN, need=Need.REQUIRED)
_turned = partial(Field, origin=Origin.TURNED)

_OBSERVED: Final = (_kept("from", Kind.DAY), _kept("to", Kind.DAY))
_WEEKS: Final = (_given("from", Kind.TEXT, seen_by=CODED), _given("to", Kind.TEXT, seen_by=CODED))
_REPORTER: Final = (
    _kept("name", Kind.WORDS),
    _kept("function", Kind.WORDS),
    _kept("phone", Kind.TEXT),
    _kept("email", Kind.TEXT),
)
_FORMS: Final = (
    Field("primary", Kind.CODE, "form_of_exploitation", Need.REQUIRED, IN_STUBS, line=1),
    Field("secondary", Kind.CODES, "form_of_exploitation", seen_by=CODED, line=2),
)
SUBJECT: Final = (
    Field("ref", Kind.TEXT, need=Need.REQUIRED, seen_by=FULL, of_others=CARERS),
    Field("role", Kind.CODE, "subject_role", Need.REQUIRED, FULL, of_others=CARERS, line=1),
    _kept("family_name", Kind.WORDS),
    _kept("given_names", Kind.WORDS),
    _kept("birth_date", Kind.DAY),
    _turned("age_band", Kind.CODE, "age_band", Need.REQUIRED, FULL, of_others=BY_AGE, line=2),
    _given("is_minor", Kind.FLAG, seen_by=FULL, line=6, word="field.is_minor", entered_as="birth_date"),
    _given("minor_at_event", Kind.FLAG, seen_by=FULL, entered_as="birth_date"),
    Field("sex", Kind.CODE, "sex", Need.NULLABLE, FULL, line=3),
    _kept("nationality", Kind.TEXT),
    Field("nationality_group", Kind.CODE, "nationality_group", Need.NULLABLE, FULL, line=4),
    _kept("bsn", Kind.TEXT),
    _kept("phone", Kind.TEXT),
    Field(
        "relation_to_offender", Kind.CODE, "relation", Need.NULLABLE, FULL, of_others=YOUTH_ONLY, line=5, entered_as="relation"
    ),
)
_PLACE: Final = (
    Field("kind", Kind.CODE, "place_kind", Need.REQUIRED, CODED),
    _kept("postcode", Kind.TEXT),
    _kept("number", Kind.TEXT),
    _kept("addition", Kind.TEXT),
    _kept("street", Kind.WORDS),
    _kept("bag_id", Kind.TEXT),
)
_PLATE: Final = (_kept("plate", Kind.TEXT), _kept("country", Kind.TEXT))
_CONSENT: Final = (
    Field("status", Kind.CODE, "consent_status", Need.REQUIRED, CODED, line=1),
    Field("given_by", Kind.CODE, "consent_giver", Need.NULLABLE, FULL),
    Field("recorded_on", Kind.DAY, need=Need.NULLABLE, seen_by=FULL),
)
_EXCHANGE: Final = (
    Field("purpose", Kind.CODE, "purpose"),
    Field("legal_basis", Kind.CODE, "legal_basis"),
    Field("partnership", Kind.CODE, "partnership"),
    Field("release_ref", Kind.TEXT, need=Need.NULLABLE),
)
_OVERRIDE: Final = (
    _given("type", Kind.CODE, "leak_type", need=Need.OPTIONAL),
    _given("reason", Kind.CODE, "override_reason", need=Need.OPTIONAL),
)
_GUARD: Final = (
    _given("version", Kind.TEXT, need=Need.OPTIONAL),
    _given("result", Kind.TEXT, need=Need.OPTIONAL),
    _given("findings", Kind.CODES, "leak_type", need=Need.OPTIONAL),
    _given("overrides", Kind.ROWS, need=Need.OPTIONAL, parts=_OVERRIDE),
)
SIGNAL: Final = (
    _kept("synthetic", Kind.FLAG),
    _given("signal_id", Kind.ID, seen_by=HEAD, beside=True),
    _given("version", Kind.COUNT, seen_by=HEAD, beside=True),
    _given("supersedes", Kind.COUNT, need=Need.NULLABLE),
    _kept("local_ref", Kind.TEXT),
    Field("municipality", Kind.TEXT, None, Need.REQUIRED, EVERYBODY, beside=True),
    _kept("received_at", Kind.MOMENT),
    _kept("emergency_advised_at", Kind.MOMENT),
    _kept("observed", Kind.GROUP, need=Need.OPTIONAL, parts=_OBSERVED),
    _given("observed_weeks", Kind.GROUP, seen_by=CODED, parts=_WEEKS, line=1, word="field.observed_weeks", entered_as="observed"),
    _kept("reporter", Kind.GROUP, parts=_REPORTER),
    Field("reporter_source", Kind.CODE, "reporter_source", Need.REQUIRED, COUNTED, line=4, word="field.reporter_source"),
    Field("corroborated", Kind.FLAG, None, Need.REQUIRED, CODED),
    Field("forms", Kind.GROUP, None, Need.REQUIRED, IN_STUBS, parts=_FORMS, line=2, word="field.forms"),
    Field("sector", Kind.CODE, "sector", Need.REQUIRED, COUNTED, line=3, word="field.sector"),
    _turned("urgency", Kind.CODE, "urgency", Need.REQUIRED, EVERYBODY, beside=True),
    _kept("narrative", Kind.WORDS),
    _kept("summary", Kind.WORDS),
    _kept("erasure_key_id", Kind.TEXT),
    Field("acts", Kind.CODES, "act", seen_by=CODED, line=5, word="field.acts"),
    Field("means", Kind.CODES, "means", seen_by=CODED, line=6, word="field.means"),
    Field("indicators", Kind.CODES, "indicator", seen_by=CODED, line=7, word="field.indicators"),
    _turned("vulnerabilities", Kind.CODES, "vulnerability", seen_by=CODED, line=8, word="field.vulnerabilities"),
    _turned("subjects", Kind.ROWS, None, Need.REQUIRED, PERSONS, parts=SUBJECT, most=4, line=12, word="field.subjects"),
    Field("places", Kind.ROWS, seen_by=CODED, parts=_PLACE, most=4),
    _kept("plates", Kind.ROWS, parts=_PLATE, most=4),
    Field("estimated_victims", Kind.COUNT, None, Need.NULLABLE, COUNTED, line=11, word="field.estimated_victims"),
    Field("care_needs", Kind.CODES, "care_need", seen_by=CODED, line=9, word="field.care_needs"),
    _kept("accounts", Kind.TEXTS),
    _kept("companies", Kind.TEXTS),
    Field("consent", Kind.GROUP, None, Need.REQUIRED, CODED, parts=_CONSENT, line=10, word="field.consent"),
    Field("police_data", Kind.FLAG, None, Need.REQUIRED, CODED),
    Field("exchanges", Kind.ROWS, None, Need.FILLED, parts=_EXCHANGE, most=8),
    _given("guard", Kind.GROUP, need=Need.NOT_NULL, parts=_GUARD),
    _given("emergency_advised", Kind.FLAG, entered_as="emergency_advised_at"),
)
"""Every field of a signal, inside and on the wire."""


def entered(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return the fields that people enter: those of the municipal record."""
    return tuple(each for each in fields if each.origin is not Origin.GIVEN)


def coded(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return the fields that leave the municipality: those of the coded signal."""
    return tuple(each for each in fields if each.origin is not Origin.KEPT)


def copied(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return the fields that leave as they were entered."""
    return tuple(each for each in fields if each.origin is Origin.COPIED)


def shown(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return the fields that a reader is shown, in the order of their lines."""
    return tuple(sorted((each for each in fields if each.line), key=lambda each: each.line))


DELIVERED: Final = tuple(each for each in SIGNAL if each.seen_by and not each.beside)
"""The fields that a delivery may carry of a signal."""
DELIVERED_SUBJECT: Final = tuple(each for each in SUBJECT if each.seen_by)
"""The fields that a delivery may carry of a person."""
