"""What every template keeps to: nothing inline, a label for each field, and only icons and classes that the screens have."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, nodes
from screen_parts import parts_site
from visiting import Browser

import signal_exchange
from signal_exchange.web.app import pages_app
from signal_exchange.web.rendering import KIT, _icons, environment, static_files

SERVICES = Path(signal_exchange.__file__ or "").parent.parent
WEB = SERVICES / "signal_exchange" / "web"
TEMPLATES = sorted(SERVICES.rglob("*.j2"))
OF_LOOK = re.compile(r"(?<![\w-])(?:sp|nl|utrecht)-[a-z0-9_-]*[a-z0-9]")
FIELDS = {"input", "select", "textarea"}


class Page(HTMLParser):
    """The start tags of a page in order, and for each field whether it has a label."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.labelled: list[bool] = []
        self._labels = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._labels += tag == "label"
        if tag in FIELDS:
            self.labelled.append(self._labels > 0)

    def handle_endtag(self, tag: str) -> None:
        self._labels -= tag == "label"

    def unlabelled(self) -> list[str]:
        labels = {attrs.get("for") for tag, attrs in self.tags if tag == "label"}
        fields = [attrs for tag, attrs in self.tags if tag in FIELDS]
        seen = [(each, within) for each, within in zip(fields, self.labelled, strict=True) if each.get("type") != "hidden"]
        return [str(each) for each, within in seen if not within and each.get("id") not in labels]

    def ids(self) -> Counter[str]:
        return Counter(attrs["id"] or "" for _, attrs in self.tags if "id" in attrs)

    def named_ids(self) -> set[str]:
        named = (attrs.get(name) or "" for _, attrs in self.tags for name in ("aria-describedby", "aria-labelledby", "for"))
        return {each for names in named for each in names.split()}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give the pages of the kit, by their address."""
    with parts_site(tmp_path_factory.mktemp("parts")) as site:
        browser = Browser(pages_app(site))
        found = {path: browser.get(path).text for path in ("/aanmelden", "/afgemeld", "/toegang")}
        browser.become("af-1")
        found |= {path: browser.get(path).text for path in ("/", "/verlengen-kan-niet", "/rijen", "/nergens")}
        return found | {"rows alone": browser.get("/rijen", headers={"HX-Request": "true"}).text}


@cache
def parsed(file: Path) -> nodes.Template:
    return Environment(autoescape=True).parse(file.read_text(encoding="utf-8"))


def test_no_page_has_a_style_or_a_script_inline(pages: dict[str, str]) -> None:
    for path, text in pages.items():
        for tag, attrs in Page(text).tags:
            assert tag != "style", path
            assert tag != "script" or attrs.get("src"), path
            assert not [name for name in attrs if name == "style" or name.startswith("on") or name == "hx-on"], path


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: str(file.relative_to(SERVICES)))
def test_no_template_writes_one(file: Path) -> None:
    assert re.findall(r"\sstyle=|\son[a-z]+=|hx-on|<style|javascript:|\|safe\(", file.read_text(encoding="utf-8")) == []


def test_every_field_has_a_label_and_every_name_of_another_element_leads_to_one(pages: dict[str, str]) -> None:
    for path, text in pages.items():
        page = Page(text)
        assert page.unlabelled() == [], path
        assert [each for each, count in page.ids().items() if count > 1] == [], path
        assert page.named_ids() - set(page.ids()) == set(), path


def test_a_field_that_is_wrong_says_so_beside_it_and_above_the_form(pages: dict[str, str]) -> None:
    page = Page(pages["/"])
    due = next(attrs for tag, attrs in page.tags if attrs.get("id") == "due")
    assert (due["aria-invalid"], due["aria-describedby"], due["value"]) == ("true", "due-hint due-error", "25-12-2026")
    assert [attrs["href"] for tag, attrs in page.tags if tag == "a" and (attrs["href"] or "").startswith("#")] == [
        "#inhoud",
        "#due",
        "#age",
    ]
    assert "Kijk nog naar 3 punten" in pages["/"]
    age = [attrs for tag, attrs in page.tags if attrs.get("name") == "age" and "checked" in attrs]
    assert [each["value"] for each in age] == ["MINOR"]


def test_a_table_keeps_its_meaning_on_a_phone(pages: dict[str, str]) -> None:
    tags = Page(pages["/"]).tags
    roles = {tag: {attrs.get("role") for each, attrs in tags if each == tag} for tag in ("table", "thead", "tbody", "tr", "td")}
    assert roles == {"table": {"table"}, "thead": {"rowgroup"}, "tbody": {"rowgroup"}, "tr": {"row"}, "td": {"cell"}}
    assert {attrs.get("role") for tag, attrs in tags if tag == "th"} == {"columnheader", "rowheader"}
    assert all(attrs.get("data-l") for tag, attrs in tags if tag == "td" or attrs.get("role") == "rowheader")


def test_a_block_that_is_asked_for_alone_has_the_parts_of_the_screens_and_no_frame(pages: dict[str, str]) -> None:
    assert pages["rows alone"].lstrip().startswith("<table")
    assert "<html" not in pages["rows alone"]


def test_every_icon_that_a_template_names_is_drawn() -> None:
    named = {name for file in TEMPLATES for name in icons_of(parsed(file))}
    assert named - _icons().keys() == set()
    assert {"clock-exclamation", "user-heart", "send"} <= named


def icons_of(tree: nodes.Template) -> Iterator[str]:
    for call in tree.find_all(nodes.Call):
        name = getattr(call.node, "name", getattr(call.node, "attr", ""))
        given = [each.value for each in call.kwargs if each.key == "icon"]
        place = place_of_icon(name)
        if place is not None:
            given += call.args[place : place + 1]
        for each in given:
            yield from names_in(each)


def names_in(node: nodes.Expr | None) -> list[str]:
    match node:
        case nodes.Const(value=str(name)):
            return [name] if name else []
        case nodes.CondExpr(expr1=one, expr2=other):
            return [*names_in(one), *names_in(other)]
    return []


@cache
def place_of_icon(called: str) -> int | None:
    """Return which argument of a macro, or of the function itself, is the name of an icon."""
    if called in {"icon", "drawing"}:
        return 0
    arguments = getattr(getattr(environment((KIT,)).globals["m"], called, None), "arguments", ())
    return arguments.index("icon") if "icon" in arguments else None


def test_every_class_that_a_template_names_is_in_the_stylesheet() -> None:
    css = (WEB / "static" / "signaalpunt.css").read_text(encoding="utf-8")
    styled = set(re.findall(r"\.((?:sp|nl|utrecht)-[\w-]+)", css))
    named = {name for file in TEMPLATES for name in OF_LOOK.findall(file.read_text(encoding="utf-8"))}
    assert named - styled == set()


def test_the_static_files_are_those_that_the_look_of_the_screens_was_compiled_to() -> None:
    """`make ui` writes the list, with the digest of what it read: who changes one of both runs it again."""
    lines = (WEB / "ui" / "static.sha256").read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    assert listed == {name: sha256((WEB / name).read_bytes()).hexdigest() for name in listed}
    there = [each for folder in ("static", "ui") for each in (WEB / folder).rglob("*") if each.is_file()]
    assert {str(each.relative_to(WEB)) for each in there} - {"ui/static.sha256"} == listed.keys()


def test_the_stylesheet_asks_for_nothing_but_the_font_of_this_site() -> None:
    css = (WEB / "static" / "signaalpunt.css").read_text(encoding="utf-8")
    asked = [each for each in re.findall(r"url\(\"?([^\")]+)", css) if not each.startswith("data:")]
    assert len(asked) == 1
    assert asked[0] in static_files()


def test_the_tool_of_the_accessibility_tests_is_the_pinned_one() -> None:
    pinned = json.loads((WEB / "ui" / "package.json").read_text(encoding="utf-8"))["devDependencies"]["axe-core"]
    head = (SERVICES.parent / "tests" / "browser" / "axe.min.js").read_text(encoding="utf-8")[:20]
    assert f"axe v{pinned}" in head
