"""Why a value or a row cannot be read, in the words that its owner sees: one cause each, where R-VAL-22 has one code for all."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Cause(StrEnum):
    """What is wrong, beside field and rule."""

    DATE_FORM = "DATE_FORM"
    DATE_SERIAL = "DATE_SERIAL"
    DATE_SHORT_YEAR = "DATE_SHORT_YEAR"
    DATE_ORDER = "DATE_ORDER"
    NO_SUCH_DAY = "NO_SUCH_DAY"
    MOMENT_FORM = "MOMENT_FORM"
    FLAG_FORM = "FLAG_FORM"
    COUNT_FORM = "COUNT_FORM"
    TEXT_FORM = "TEXT_FORM"
    LIST_FORM = "LIST_FORM"
    GROUP_FORM = "GROUP_FORM"
    REF_FORM = "REF_FORM"
    REF_TWICE = "REF_TWICE"
    NO_RECORD = "NO_RECORD"
    NO_JSON = "NO_JSON"
    FIELD_TWICE = "FIELD_TWICE"
    QUOTE = "QUOTE"
    CELLS = "CELLS"
    HEADER_AGAIN = "HEADER_AGAIN"
    ENCODING = "ENCODING"
    CONTROL = "CONTROL"
    FORMULA = "FORMULA"
    LONG_LINE = "LONG_LINE"
    TOO_BIG = "TOO_BIG"
    DOUBLE = "DOUBLE"
    CHANGES = "CHANGES"
    WITHDRAWN = "WITHDRAWN"


WORDS: Final = {
    Cause.DATE_FORM: "dit is geen datum: schrijf 2026-11-13 of 13-11-2026",
    Cause.DATE_SERIAL: "een volgnummer in plaats van een datum: maak de cel op als datum, of schrijf 2026-11-13",
    Cause.DATE_SHORT_YEAR: "het jaar heeft twee cijfers: schrijf het voluit, als 2026-11-13 of 13-11-2026",
    Cause.DATE_ORDER: "dag en maand zijn niet te onderscheiden: schrijf 2026-11-13 of 13-11-2026",
    Cause.NO_SUCH_DAY: "deze dag bestaat niet: schrijf jaar-maand-dag als 2026-11-13, of dag-maand-jaar als 13-11-2026",
    Cause.MOMENT_FORM: "geen tijdstip: schrijf 2026-11-17T14:10:00+01:00 of 17-11-2026 14:10",
    Cause.FLAG_FORM: "schrijf ja of nee",
    Cause.COUNT_FORM: "schrijf een heel getal",
    Cause.TEXT_FORM: "hier hoort tekst",
    Cause.LIST_FORM: "hier hoort een lijst",
    Cause.GROUP_FORM: "hier hoort een groep velden",
    Cause.REF_FORM: "schrijf een of twee kleine letters en een nummer, als s1",
    Cause.REF_TWICE: "twee personen hebben dezelfde aanduiding",
    Cause.NO_RECORD: "dit is geen record",
    Cause.NO_JSON: "dit is geen JSON",
    Cause.FIELD_TWICE: "een veld staat twee keer in het record",
    Cause.QUOTE: "een aanhalingsteken dat niet sluit, of op een verkeerde plaats staat",
    Cause.CELLS: "er zijn meer gevulde cellen dan kolommen",
    Cause.HEADER_AGAIN: "dit is de kop, nog een keer",
    Cause.ENCODING: "tekens die geen UTF-8 zijn: sla het bestand op als UTF-8",
    Cause.CONTROL: "een stuurteken of een teken dat verloren ging: typ deze tekst opnieuw",
    Cause.FORMULA: "een formule: zet er de waarde neer",
    Cause.LONG_LINE: "de regel is te lang",
    Cause.TOO_BIG: "een getal of tekst past niet in het bericht",
    Cause.DOUBLE: "dezelfde verwijzing staat met andere inhoud ook in {unit} {row}",
    Cause.CHANGES: "verandert: bevestig dat met --yes, of laat het zo",
    Cause.WITHDRAWN: "dit signaal is ingetrokken: --again publiceert het opnieuw",
}
"""What a person reads; `{unit} {row}` is where the other one stands."""
