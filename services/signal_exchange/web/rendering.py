"""Templates: one for the whole page and for its parts, with the words of the catalogue and nothing unescaped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from babel.dates import format_date, format_datetime
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
from jinja2_fragments import render_block
from markupsafe import Markup

from signal_exchange import words
from signal_exchange.domain.times import local
from signal_exchange.web.site import Site
from signal_exchange.web.visits import CSRF_FIELD, Visit, site_of

KIT: Final = "signal_exchange.web"
STATIC: Final = "/static"


def page(visit: Visit, template: str, *, block: str | None = None, status: int = 200, **facts: Any) -> HTMLResponse:  # noqa: ANN401 - facts of a template
    """Return a page for who asks, or one `block` of it."""
    around = _around(visit.site, visit, visit.request, whole=block is None)
    return HTMLResponse(_rendered(visit.site, template, block, {**around, **facts}), status_code=status)


def open_page(request: Request, template: str, *, block: str | None = None, status: int = 200, **facts: Any) -> HTMLResponse:  # noqa: ANN401 - as above
    """Return a page that needs no log-in, or one `block` of it."""
    site = site_of(request)
    return HTMLResponse(_rendered(site, template, block, {**_around(site, None, request), **facts}), status_code=status)


def _around(site: Site, visit: Visit | None, request: Request, *, whole: bool = True) -> dict[str, Any]:
    """Return the facts that every template has: a part of a page tells no notice, since the next whole page should."""
    notices = visit.sittings.told(visit.sitting) if visit and whole else ()
    return {
        "site": site,
        "visit": visit,
        "menu": site.menu(visit.person) if visit else (),
        "notices": notices,
        "ending": visit.sittings.ending(visit.sitting) if visit else None,
        "path": request.url.path,
    }


def _rendered(site: Site, template: str, block: str | None, facts: Mapping[str, Any]) -> str:
    templates = environment((KIT, *site.templates))
    return templates.get_template(template).render(facts) if block is None else render_block(templates, template, block, **facts)


@cache
def environment(packages: tuple[str, ...]) -> Environment:
    """Return the environment of the templates of some packages: each names its own as PACKAGE/FILE, by the end of its name."""
    loaders = {name.rpartition(".")[2]: PackageLoader(name) for name in packages}
    made = Environment(
        loader=PrefixLoader(loaders), undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.globals.update(_=words.text, label=words.label, phrase=words.phrase, icon=icon, static=static)
    made.globals["csrf_field"] = csrf_field
    # Not by `import` in each template: a block that is asked for alone would be without it.
    made.globals["m"] = made.get_template("web/macros.html.j2").module
    made.filters.update(day=day, full_day=full_day, moment=moment, full_moment=full_moment)
    return made


def icon(name: str, cls: str = "") -> Markup:
    """Return an icon as SVG; it is decoration, the words beside it say the same.

    Raises:
        KeyError: `make ui` did not take this icon along.
    """
    return Markup('<svg class="sp-i {}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{}</svg>').format(
        cls,
        Markup(_icons()[name]),  # noqa: S704 - our own file
    )


def csrf_field(visit: Visit) -> Markup:
    """Return the hidden field by which a form shows that it is of this log-in."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, visit.csrf)


@cache
def _icons() -> dict[str, str]:
    found: dict[str, str] = json.loads((files("signal_exchange.web") / "static" / "icons.json").read_text(encoding="utf-8"))
    return found


@cache
def static_files() -> dict[str, bytes]:
    """Return every static file by the name under which it is served, which holds the digest of its bytes."""
    folder = files("signal_exchange.web") / "static"
    return {_hashed(each.name, each.read_bytes()): each.read_bytes() for each in folder.iterdir() if each.is_file()}


@cache
def static(name: str) -> str:
    """Return the address of a static file."""
    content = (files("signal_exchange.web") / "static" / name).read_bytes()
    return f"{STATIC}/{_hashed(name, content)}"


def _hashed(name: str, content: bytes) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{sha256(content).hexdigest()[:12]}.{suffix}"


def day(value: date) -> str:
    """Return a day as lists have it: ma 23 nov."""
    return format_date(local(value) if isinstance(value, datetime) else value, "EEEEEE d MMM", locale=words.spoken()).rstrip(".")


def full_day(value: date) -> str:
    """Return a day in full: maandag 23 november 2026."""
    return format_date(local(value) if isinstance(value, datetime) else value, "full", locale=words.spoken())


def moment(value: datetime) -> str:
    """Return a moment as lists have it: ma 23 nov, 17.00."""
    return f"{day(value)}, {format_datetime(local(value), 'HH.mm', locale=words.spoken())}"


def full_moment(value: datetime) -> str:
    """Return a moment in full."""
    return f"{full_day(value)}, {format_datetime(local(value), 'HH.mm', locale=words.spoken())}"
