"""All words that people read, of commands and screens, by key and language: nl/*.po and en/*.po, one file per package.

The files are read at first use, so that nothing has to be compiled. A key in capitals is the code of a refusal; other keys are
labels, headings and lines. A text names its facts between braces; one with a plural form chooses it by the fact `count`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final, Literal, get_args

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from signal_exchange.domain.refusals import Coded, Phrase, RefusedError
from signal_exchange.domain.times import local
from signal_exchange.reference.loading import load_code_lists

Language = Literal["nl", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
_OF_PROCESS: Final[list[Language]] = ["nl"]
_SPOKEN: ContextVar[Language | None] = ContextVar("language", default=None)
"""The language of one request, where that is another than the one of its process."""


class _Facts(dict[str, str]):
    """Facts of a text. One that is missing shows by its name: a refusal that nobody can read would hide what is refused."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def speak(language: Language) -> None:
    """Let what this process says from now on be in a language, in each of its threads."""
    _OF_PROCESS[0] = language


def spoken() -> Language:
    """Return the language of the person who is spoken to."""
    return _SPOKEN.get() or _OF_PROCESS[0]


def sentence(refusal: RefusedError, language: Language | None = None) -> str:
    """Return the sentence of a refusal."""
    named = {"field": refusal.field, "rule": refusal.rule, **refusal.facts}
    return _text(refusal.code, named, language or spoken())


def text(key: str, /, **facts: object) -> str:
    """Return a text of the catalogue in the language that is spoken, with its facts."""
    return _text(key, facts, spoken())


def keyed(*keys: str) -> dict[str, str]:
    """Return keys of texts, each by the name with which it ends."""
    return {key.rpartition(".")[2]: key for key in keys}


def phrase(said: Phrase) -> str:
    """Return a phrase in the language that is spoken."""
    return _said(said, spoken())


def label(code_list: str, code: str) -> str:
    """Return the label of a code in the language that is spoken; an unknown code stands for itself."""
    return _said(Coded(code_list, code), spoken())


def catalogue(language: Language) -> Catalog:
    """Return every text of a language."""
    whole = Catalog(locale=language)
    for each in (files(__name__) / language).iterdir():
        for message in read_po(BytesIO(each.read_bytes()), locale=language):
            whole[message.id] = message
    return whole


@cache
def _translations(language: Language) -> Translations:
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Translations(compiled)


def _text(key: str, facts: dict[str, object], language: Language) -> str:
    found = _translations(language)
    count = facts.get("count")
    pattern = found.ungettext(key, key, count) if isinstance(count, int) else key
    pattern = found.ugettext(key) if pattern == key else pattern
    return pattern.format_map(_Facts((name, _said(fact, language)) for name, fact in facts.items()))


def _said(fact: object, language: Language) -> str:
    """Return a fact as a person reads it; of several, words stand between commas and phrases between semicolons."""
    if isinstance(fact, RefusedError):
        return sentence(fact, language)
    if isinstance(fact, Phrase):
        return _text(fact.key, dict(fact.facts), language)
    if isinstance(fact, Coded):
        codes = load_code_lists()
        return (codes.label_nl if language == "nl" else codes.label_en)(fact.code_list, fact.code)
    if isinstance(fact, date):
        return local(fact).strftime("%d-%m-%Y %H:%M") if isinstance(fact, datetime) else fact.strftime("%d-%m-%Y")
    if isinstance(fact, Sequence) and not isinstance(fact, str):
        apart = "; " if any(isinstance(each, Phrase | RefusedError) for each in fact) else ", "
        return apart.join(_said(each, language) for each in fact)
    return str(fact)
