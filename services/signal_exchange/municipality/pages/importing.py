"""The pages by which a file of signals comes in: choose it, see what would happen row by row, and only then send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from signal_exchange import words
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.pages.uploads import Uploads
from signal_exchange.municipality.pages.wording import Badge
from signal_exchange.municipality.publishing.csv_format import COLUMNS
from signal_exchange.municipality.publishing.field_faults import FieldFault
from signal_exchange.municipality.publishing.file_check import CheckedRow
from signal_exchange.municipality.publishing.submissions import Outcome
from signal_exchange.municipality.publishing.unreadable import UnreadableFileError
from signal_exchange.municipality.publishing.wording import said_of
from signal_exchange.people.access import Act, require
from signal_exchange.web.forms import FieldFault as Wrong
from signal_exchange.web.forms import Form
from signal_exchange.web.rendering import page
from signal_exchange.web.visits import Submitted, Visit, Visitor

IMPORT: Final = "/signalen/importeren"
LONGEST_BYTES: Final = 8_388_608
SHOWN: Final = 200
"""Remarks on one page; the file of refused rows has all of them."""
_BOM: Final = "\ufeff"
_LINKING_RULE: Final = "R-LINK-08"


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark on a row: its column, what is the matter, what to do, and the rule. It never holds what stands in a cell."""

    row: int
    badge: Badge
    column: str
    what: str
    do: str
    rule: str


async def _file(visit: Submitted) -> tuple[str, bytes]:
    """Return the name and the content of the file of a form; both empty without one."""
    given = (await visit.request.form()).get("bestand")
    if given is None or isinstance(given, str):
        return "", b""
    content = await given.read()
    await given.close()
    return given.filename or "", content


File = Annotated[tuple[str, bytes], Depends(_file)]


def router(actions: MunicipalityActions) -> APIRouter:
    """Return the routes of importing a file."""
    found, uploads = APIRouter(), Uploads(actions.now)

    @found.get(IMPORT)
    def choose(visit: Visitor) -> Response:
        """Ask for a file, and offer a template."""
        return _choose(visit, Form())

    @found.get(IMPORT + "/sjabloon.csv")
    def template(visit: Visitor) -> Response:
        """Give an empty table with every column, as a spreadsheet opens it."""
        require(visit.person, Act.MUNICIPALITY_PUBLISH)
        return _download(f"{_BOM}{';'.join(COLUMNS)}\r\n".encode(), "sjabloon.csv")

    @found.post(IMPORT)
    def look(visit: Submitted, file: File) -> Response:
        """Read a file, and show what would become of its rows."""
        require(visit.person, Act.MUNICIPALITY_PUBLISH)
        try:
            actions.check_file(file[1])
        except UnreadableFileError as fault:
            return _choose(visit, visit.form.with_faults([Wrong("bestand", words.sentence(fault))]))
        return visit.go(f"{IMPORT}/{uploads.keep(*file, visit.sitting.digest)}")

    @found.get(IMPORT + "/{token}")
    def result(visit: Visitor, token: str) -> Response:
        """Show the result that each row would have."""
        require(visit.person, Act.MUNICIPALITY_PUBLISH)
        upload = uploads.find(token, visit.sitting.digest)
        rows = actions.check_file(upload.content)
        remarks = [remark for row in sorted(rows, key=lambda each: each.may_go) for remark in _remarks(row)]
        return page(
            visit,
            "municipality/import_result.html.j2",
            name=upload.name,
            read_at=upload.at,
            counts=_counts(rows),
            remarks=remarks[:SHOWN],
            more=len(remarks) - SHOWN,
            at=f"{IMPORT}/{token}",
        )

    @found.post(IMPORT + "/{token}/versturen")
    def send(visit: Submitted, token: str) -> Response:
        """Send the rows that may go."""
        require(visit.person, Act.MUNICIPALITY_PUBLISH)
        tally = actions.publish_file(uploads.find(token, visit.sitting.digest).content)
        uploads.drop(token)
        sent = tally.counts[Outcome.PUBLISHED]
        visit.tell("municipality.page.import.sent", count=sent, left=tally.rows - sent)
        return visit.go("/signalen")

    @found.post(IMPORT + "/{token}/geweigerd")
    def refused(visit: Submitted, token: str) -> Response:
        """Give a file with the refused rows; nothing of it is kept."""
        require(visit.person, Act.MUNICIPALITY_PUBLISH)
        ending, content = actions.refused_rows(uploads.find(token, visit.sitting.digest).content)
        return _download(content, f"geweigerd.{ending}")

    return found


def _choose(visit: Visit, form: Form) -> Response:
    require(visit.person, Act.MUNICIPALITY_PUBLISH)
    most = LONGEST_BYTES // 1_048_576
    return page(visit, "municipality/import.html.j2", status=422 if form.faults else 200, form=form, most=most)


def _download(content: bytes, name: str) -> Response:
    return Response(content, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _counts(rows: Sequence[CheckedRow]) -> dict[str, int]:
    good = [each for each in rows if each.may_go]
    warned = sum(bool(each.warnings) for each in good)
    return {"rows": len(rows), "go": len(good), "plain": len(good) - warned, "warned": warned, "refused": len(rows) - len(good)}


def _remarks(row: CheckedRow) -> Iterator[Remark]:
    number = row.line.number
    for fault in row.faults:
        said, do = said_of(fault, row.line.unit).capitalize(), words.text(_what_to_do(fault))
        yield Remark(number, _badge(fault), fault.field, said, do, fault.rule)
    for warned in row.warnings:
        badge = Badge("warn", icon="link-off", text=words.text("municipality.page.import.unlinked"))
        do = words.text("municipality.page.import.do.unlinked")
        yield Remark(number, badge, warned.field, warned.text.capitalize(), do, _LINKING_RULE)


def _badge(fault: FieldFault) -> Badge:
    if fault.asks:
        return Badge("warn", icon="help-circle", text=words.text("municipality.page.import.asks"))
    return Badge("danger", icon="circle-x", text=words.text("node.outcome.REFUSED").capitalize())


_DO: Final = {
    "V01_MISSING": "municipality.page.import.do.V01_MISSING",
    "V03_CODE": "municipality.page.import.do.V03_CODE",
    "V13_GUARD": "municipality.page.import.do.V13_GUARD",
    "V17_UNKNOWN_FIELD": "municipality.page.import.do.V17_UNKNOWN_FIELD",
    "V22_TYPE": "municipality.page.import.do.V22_TYPE",
    "V24_WINDOW": "municipality.page.import.do.V24_WINDOW",
    "V25_CONTRADICTION": "municipality.page.import.do.V25_CONTRADICTION",
}


def _what_to_do(fault: FieldFault) -> str:
    return _DO.get(fault.code, "municipality.page.import.do.other")
