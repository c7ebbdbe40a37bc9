"""From the start page of the demo alone: a signal is entered, arrives, is accepted, and its answer is seen at home."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import looking
import pytest
from hands import Hands, Keyboard, Mouse
from playwright.sync_api import Browser, Locator, Page, expect

from signal_exchange.domain.times import local_day
from signal_exchange.runtime import clock
from signal_exchange.words import label
from signal_exchange.words import text as said
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.start.page import serving, start_site

pytestmark = pytest.mark.timeout(360)
ARRIVES_SECONDS = 90.0
SERVICES = ("routing", "worklist", "feedback")
SEEN = "Een vrouw werkt elke nacht en mag het huis niet alleen verlaten. De buurman bracht haar eten."

IN_DOCUMENTS = {
    "melden-1": "signaal-melden",
    "melden-4": "signaal-controleren",
    "signalen": "mijn-signalen",
    "verwijzingen-vol": "verwijzingen",
    "verwijzing": "verwijzing",
}
"""The pages whose pictures stand in the documents for people, by the name of the file."""
CHOSEN = {"form": "SEXUAL", "urgency": "URGENT", "age_band": "AGE_18_22", "care_needs": "SHELTER_REGULAR"}
"""What the officer knows of a person who wants help and agrees (rule C50)."""


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """Give an exchange of one municipality and the care coordinator, as the demo starts it, with its start page."""
    folder = tmp_path_factory.mktemp("journey")
    today = local_day(clock.now())
    with Exchange(folder, today, municipalities=("GM0983",), services=SERVICES, sites=("worklist",)) as started:
        assert started.practice is not None
        number = len(started.processes.children)
        with serving(start_site(started.practice, lambda: (number, number)), started.practice.ports["start"]):
            yield started


class Journey:
    """One way from the start page and back, by some hands. Where each page is passed it is looked at."""

    def __init__(self, exchange: Exchange, page: Page, hands: Hands, looked: Callable[[Page, str], None]) -> None:
        assert exchange.practice is not None
        self.exchange, self.page, self.hands, self.looked = exchange, page, hands, looked
        self.start = f"{exchange.practice.start}/"

    def be(self, number: int, name: str) -> None:
        """Take a step of the path, as its person."""
        self.page.goto(self.start)
        self.looked(self.page, "start")
        self.press("button", said("start.step", number=number, name=name))

    def press(self, role: str, name: str) -> None:
        """Press a button or a link by its words."""
        found = self.page.get_by_role("button" if role == "button" else "link", name=name, exact=True).first
        self.go(found)

    def go(self, what: Locator) -> None:
        """Press what leads to another page, and wait for that page."""
        with self.page.expect_navigation():
            self.hands.press(what)

    def choose(self, name: str, code: str) -> None:
        """Choose an option of a question."""
        self.hands.choose(self.page.locator(f"input[name='{name}'][value='{code}']").first)

    def enter(self) -> None:
        """Fill the form of the officer up to its last step."""
        page = self.page
        self.looked(page, "melden-1")
        self.hands.write(page.locator("#summary"), SEEN)
        self.onward("soort", "melden-2")
        for question, code in CHOSEN.items():
            self.choose(question, code)
        self.hands.pick(self.page.locator("#consent"), label("consent_status", "GIVEN").capitalize())
        self.onward("wie-en-waar", "melden-3")
        self.onward("controleren", "melden-4")

    def onward(self, step: str, shown: str) -> None:
        """Go to a step."""
        self.press("button", said("entering.to_step", title=said(f"entering.step.{step}")))
        expect(self.page).to_have_url(re.compile(f"/{step}"))
        self.looked(self.page, shown)

    def send(self) -> str:
        """Send the signal and return its number."""
        self.hands.choose(self.page.locator("#gelezen"))
        self.press("button", said("entering.send"))
        self.looked(self.page, "ontvangen")
        follow = self.page.get_by_role("link", name=said("entering.received.follow"))
        return str(follow.get_attribute("href")).rpartition("/")[2]

    def find(self, signal: str) -> None:
        """Look at the worklist until the referral stands there, and open it."""
        self.looked(self.page, "verwijzingen")
        self.arrives(f"a[href='/verwijzingen/{signal}']")
        self.looked(self.page, "verwijzingen-vol")
        self.go(self.page.locator(f"a[href='/verwijzingen/{signal}']"))
        self.looked(self.page, "verwijzing")

    def accept(self) -> None:
        """Accept the referral that is shown."""
        self.hands.write(self.page.locator("#planned_contact"), local_day(clock.now()).strftime("%d-%m-%Y"))
        self.press("button", said("worklist.act.accept"))
        self.looked(self.page, "verwijzing-aangenomen")

    def arrives(self, selector: str) -> None:
        """Load the page again, as a person does, until something stands there."""
        until = time.monotonic() + ARRIVES_SECONDS
        while not self.page.locator(selector).count():
            assert time.monotonic() < until, f"{selector} did not come"
            self.page.wait_for_timeout(500)
            self.page.reload()

    def answered(self, signal: str) -> None:
        """See at home that somebody takes care of it."""
        row = f"tr:has(a[href*='{signal}'])"
        self.arrives(f"{row}:has-text('{said('municipality.place.CARE_TAKEN')}')")
        self.looked(self.page, "signalen")


@contextmanager
def away(exchange: Exchange, name: str) -> Iterator[None]:
    """Let a process be dead while the block runs, killed by its number, and start it again."""
    child = exchange.processes.children[name]
    assert child.process is not None
    child.process.kill()
    child.process.wait()
    yield
    child.start()


def whole_way(journey: Journey) -> None:
    """Go the whole way; the consumer of the worklist is dead while the signal is sent."""
    journey.be(1, "Iris")
    journey.enter()
    with away(journey.exchange, "worklist"):
        signal = journey.send()
        journey.be(2, "Mila")
        expect(journey.page.get_by_role("heading", level=1)).to_have_text(said("worklist.page.title"))
        assert not journey.page.locator(f"a[href='/verwijzingen/{signal}']").count()
    journey.find(signal)
    journey.accept()
    journey.be(3, "Iris")
    journey.answered(signal)


class Looked:
    """Looks at each page once: what axe finds, and at 320 pixels what is too wide or over each other; keeps pictures."""

    def __init__(self) -> None:
        self.faults: dict[str, list[str]] = {}

    def __call__(self, page: Page, name: str) -> None:
        """Look at a page."""
        if name in self.faults:
            return
        found = looking.violations(page)
        looking.picture(page, f"reis-{name}")
        if name in IN_DOCUMENTS:
            looking.picture(page, f"documents/{IN_DOCUMENTS[name]}", whole=False)
        size = page.viewport_size or {"width": 1280, "height": 800}
        page.set_viewport_size({"width": 320, "height": 800})
        found += [f"{looking.sideways(page)} pixels too wide"] if looking.sideways(page) else []
        found += [f"over each other: {each}" for each in looking.overlaps(page)]
        looking.picture(page, f"reis-{name}-320")
        page.set_viewport_size(size)
        self.faults[name] = found


def test_somebody_who_never_saw_it_goes_the_whole_way_with_a_mouse(exchange: Exchange, page_at: Callable[[int], Page]) -> None:
    looked = Looked()
    whole_way(Journey(exchange, page_at(1280), Mouse(), looked))
    assert {name: found for name, found in looked.faults.items() if found} == {}
    assert len(looked.faults) == 11


def test_the_whole_way_needs_no_mouse(exchange: Exchange, page_at: Callable[[int], Page]) -> None:
    whole_way(Journey(exchange, page_at(1280), Keyboard(), lambda _page, _name: None))


def test_the_whole_way_needs_no_script(exchange: Exchange, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, locale="nl-NL")
    try:
        whole_way(Journey(exchange, context.new_page(), Mouse(), lambda _page, _name: None))
    finally:
        context.close()
