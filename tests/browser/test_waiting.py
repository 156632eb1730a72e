"""A service that takes its time: nothing flickers, nothing is lost, and the visitor is told."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.processes import stand_in, start_page_for
from tests.browser.strokes import SEVEN, THREE, Stroke, draw, settle, strike
from tests.ui.service import Service, classification

pytestmark = pytest.mark.browser

BAR: list[Stroke] = [[(60, 250), (220, 250)]]


class Slow(Service):
    """Holds back every answer to `/classify` until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.go = Event()
        self.go.set()
        self.labels = iter("7394")
        self.replies["/classify"] = self.answer

    def answer(self, _: httpx.Request) -> httpx.Response:
        """The next label, once there is leave to give it."""
        assert self.go.wait(120)
        return httpx.Response(200, json=classification(next(self.labels)))


@pytest.fixture
def service() -> Iterator[Slow]:
    service = Slow()
    yield service
    service.go.set()


@pytest.fixture
def page(chromium: Browser, visit: Page, service: Slow, tmp_path: Path) -> Iterator[Page]:
    assert chromium.is_connected()
    with stand_in(service) as address, start_page_for(visit, address, tmp_path) as page_address:
        visit.goto(page_address)
        yield visit


def test_a_slow_answer_leaves_the_last_and_says_so(page: Page, service: Slow) -> None:
    draw(page, SEVEN)
    expect(page.locator(".headline")).to_have_attribute("data-label", "7")
    settle(page)
    slow = page.locator(".answer .slow")
    expect(slow).to_be_hidden()

    service.go.clear()
    strike(page, BAR)
    expect(slow).to_be_visible()
    expect(slow).to_contain_text("The service is taking its time")
    expect(page.locator(".headline")).to_have_attribute("data-label", "7")
    expect(page.locator(".headline")).to_have_css("opacity", "0.45")
    box = page.locator(".answer").bounding_box()
    service.go.set()
    expect(page.locator(".headline")).to_have_attribute("data-label", "3")
    expect(slow).to_be_hidden()
    expect(page.locator(".headline")).to_have_css("opacity", "1")
    settle(page)
    assert page.locator(".answer").bounding_box() == box


def test_the_first_answer_may_be_slow_too(page: Page, service: Slow) -> None:
    settle(page)
    service.go.clear()
    strike(page, SEVEN)
    expect(page.locator(".blank .slow")).to_be_visible()
    service.go.set()
    expect(page.locator(".headline")).to_have_attribute("data-label", "7")


def test_strokes_drawn_meanwhile_are_not_lost(page: Page, service: Slow) -> None:
    settle(page)
    service.go.clear()
    strike(page, SEVEN)
    expect(page.locator(".blank .slow")).to_be_visible()
    strike(page, BAR)
    strike(page, THREE)
    service.go.set()
    expect(page.locator(".st-key-voice p")).not_to_be_empty()
    settle(page)
    last = service.asked_for("/classify")[-1].content
    undo = page.locator(".st-key-tools").get_by_role("button", name="Undo")
    for _ in range(2):
        undo.click()
        settle(page)
    expect(undo).to_be_enabled()
    undo.click()
    expect(page.locator(".blank")).to_be_visible()
    assert len(last) > len(service.asked_for("/classify")[0].content)
