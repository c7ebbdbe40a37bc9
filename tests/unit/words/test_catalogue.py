"""The catalogue of words: each text that the code names, in both languages, with exactly the facts that it is given."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from string import Formatter
from threading import Thread

import pytest
from jinja2 import Environment, nodes
from speaking import speaking

import signal_exchange
from signal_exchange import words
from signal_exchange.domain.refusals import Coded, Phrase, RefusedError

SERVICES = Path(signal_exchange.__file__ or "").parent.parent
NOT_FACTS = {"field", "rule"}
IS_KEY = re.compile(r"[A-Za-z0-9_.]+")


@dataclass(frozen=True)
class Use:
    """One place in the code that names a text; `facts` is None where the code gives them by a mapping of its own."""

    file: Path
    line: int
    key: str
    facts: frozenset[str] | None

    @property
    def where(self) -> str:
        return f"{self.file.relative_to(SERVICES)}:{self.line} {self.key}"

    @property
    def is_of_commands(self) -> bool:
        return "command" in self.file.stem or self.file.parent.name == "cli"


@cache
def trees() -> dict[Path, ast.Module]:
    return {file: ast.parse(file.read_text(encoding="utf-8")) for file in sorted(SERVICES.rglob("*.py"))}


@cache
def refusals() -> frozenset[str]:
    """Return the names of the classes of refusals."""
    classes = [node for tree in trees().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found = {"RefusedError"}
    for _ in classes:
        found |= {each.name for each in classes if {ast.unparse(base) for base in each.bases} & found}
    return frozenset(found)


def keys_of(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str(key)):
            return [key]
        case ast.IfExp(body=one, orelse=other):
            return [*keys_of(one), *keys_of(other)]
    return []


def given(call: ast.Call, name: str) -> frozenset[str] | None:
    if name == "Phrase":
        facts = call.args[1] if len(call.args) > 1 else ast.Dict([], [])
        return frozenset(key for each in facts.keys if each for key in keys_of(each)) if isinstance(facts, ast.Dict) else None
    named = [each.arg for each in call.keywords]
    return None if None in named else frozenset(each for each in named if each is not None)


@cache
def uses() -> tuple[Use, ...]:
    return (*_uses(), *_uses_of_templates())


def _uses() -> Iterator[Use]:
    says = refusals() | {"Phrase", "words.text", "visit.tell", "super().__init__"}
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (name := ast.unparse(node.func)) in says and node.args:
                for key in filter(IS_KEY.fullmatch, keys_of(node.args[0])):
                    yield Use(file, node.lineno, key, given(node, name))


def templates() -> dict[Path, nodes.Template]:
    parse = Environment(autoescape=True).parse
    return {file: parse(file.read_text(encoding="utf-8")) for file in sorted(SERVICES.rglob("*.j2"))}


def _uses_of_templates() -> Iterator[Use]:
    for file, tree in templates().items():
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_" and call.args:
                facts = None if call.dyn_kwargs else frozenset(each.key for each in call.kwargs)
                for key in filter(IS_KEY.fullmatch, keys_in(call.args[0])):
                    yield Use(file, call.lineno, key, facts)


def keys_in(node: nodes.Expr | None) -> list[str]:
    match node:
        case nodes.Const(value=str(key)):
            return [key]
        case nodes.CondExpr(expr1=one, expr2=other):
            return [*keys_in(one), *keys_in(other)]
    return []


def literals() -> set[str]:
    of_templates = {const.value for tree in templates().values() for const in tree.find_all(nodes.Const)}
    return of_templates | {
        node.value
        for file, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def texts(language: words.Language) -> dict[str, tuple[str, ...]]:
    """Return every text by its key, those with a plural as two."""
    found: dict[str, tuple[str, ...]] = {}
    for message in words.catalogue(language):
        key = message.id if isinstance(message.id, str) else message.id[0]
        if key:
            found[key] = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
    return found


def named_in(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys_and_no_text_is_empty() -> None:
    dutch, english = texts("nl"), texts("en")
    assert dutch.keys() == english.keys()
    assert [key for found in (dutch, english) for key, each in found.items() if not all(each)] == []


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_a_key_stands_in_one_file_once(language: words.Language) -> None:
    """Another package's text would else be said in place of its own."""
    folder = SERVICES / "signal_exchange" / "words" / language
    written = "".join(file.read_text(encoding="utf-8") for file in folder.glob("*.po"))
    keys = re.findall(r'^msgid "(.+)"$', written, re.MULTILINE)
    assert [key for key, count in Counter(keys).items() if count > 1] == []


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_each_text_that_the_code_names_says_exactly_the_facts_that_it_is_given(language: words.Language) -> None:
    found, wrong = texts(language), []
    for use in uses():
        named = {name for text in found.get(use.key, ()) for name in named_in(text)}
        facts = named if use.facts is None else use.facts
        # A rule and a field may stay unsaid; what a sentence names must be there.
        if use.key not in found or named - facts or facts - named - NOT_FACTS:
            wrong.append(f"{use.where}: given {sorted(facts)}, named {sorted(named)}")
    assert wrong == []
    assert len(uses()) > 2


def test_no_text_of_the_catalogue_is_unused() -> None:
    assert sorted(texts("nl").keys() - literals()) == []


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_a_text_that_no_call_names_has_no_facts(language: words.Language) -> None:
    """Facts can be checked only where the call itself names the key."""
    named = {use.key for use in uses()}
    assert {key: each for key, each in texts(language).items() if key not in named and named_in("".join(each))} == {}


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_no_refusal_outside_commands_names_an_option_of_the_command_line(language: words.Language) -> None:
    found = texts(language)
    assert [use.where for use in uses() if not use.is_of_commands and "--" in " ".join(found[use.key])] == []


def test_facts_are_said_as_people_read_them() -> None:
    moment = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
    named = {"moment": moment, "day": date(2026, 1, 2), "both": ("a", 2), "state": Coded("referral_state", "IN_CARE")}
    with_inner = {**named, "inner": RefusedError("STORE_OPEN_TO_OTHERS", path="x"), "phrase": Phrase("key")}
    assert [words._said(fact, "nl") for fact in named.values()] == ["30-11-2026 13:00", "02-01-2026", "a, 2", "in zorg"]
    assert words._said(with_inner["state"], "en") == "in care"
    assert words._said(with_inner["inner"], "en").startswith("Others may read the store x")


def test_a_refusal_is_said_in_the_language_of_the_reader() -> None:
    refusal = RefusedError("STORE_OPEN_TO_OTHERS", path="/data/x.sqlite")
    assert (
        words.sentence(refusal) == "Anderen mogen de opslag /data/x.sqlite lezen: geef haar modus 600 (chmod 600 /data/x.sqlite)."
    )
    assert (
        words.sentence(refusal, "en") == "Others may read the store /data/x.sqlite: give it mode 600 (chmod 600 /data/x.sqlite)."
    )
    with speaking("en"):
        assert words.sentence(refusal).startswith("Others")
    assert words.sentence(refusal).startswith("Anderen")


def test_a_fact_that_was_forgotten_shows_by_its_name_and_never_hides_the_refusal() -> None:
    assert words.sentence(RefusedError("STORE_OPEN_TO_OTHERS")).startswith("Anderen mogen de opslag {path} lezen")


def test_every_thread_of_a_process_speaks_its_language() -> None:
    heard: list[str] = []
    words.speak("en")
    try:
        thread = Thread(target=lambda: heard.append(words.text("yes")))
        thread.start()
        thread.join()
    finally:
        words.speak("nl")
    assert heard == ["yes"]


def test_what_a_log_says_of_a_refusal_is_its_code_its_rule_and_its_facts() -> None:
    assert str(RefusedError("NO_SUCH_THING", rule="R-X-01", count=2, path="x")) == "NO_SUCH_THING rule=R-X-01 count=2 path=x"
