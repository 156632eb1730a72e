"""A slow service: nothing flickers, nothing is lost, and the page shows a notice."""

from collections.abc import Iterator
from threading import Event

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.boxes import box_of
from tests.browser.processes import ServiceSwitch
from tests.browser.strokes import SEVEN, THREE, Stroke, draw_and_expect, draw_without_waiting, wait_until_ready
from tests.ui.fake_service import FakeService, classification, explanation

pytestmark = pytest.mark.browser

BAR: list[Stroke] = [[(60, 250), (220, 250)]]


class Slow(FakeService):
    """Answers pictures only while `may_answer` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = Event()
        self.may_answer.set()
        self.labels = iter("7394")
        self.replies["/classify"] = self.answer
        self.replies["/explain"] = self.explain

    def answer(self, _: httpx.Request) -> httpx.Response:
        """Return the next label as soon as it may answer."""
        assert self.may_answer.wait(120)
        return httpx.Response(200, json=classification(next(self.labels)))

    def explain(self, _: httpx.Request) -> httpx.Response:
        """Return an explanation as soon as it may answer; it is asked for while a stroke is drawn."""
        assert self.may_answer.wait(120)
        return httpx.Response(200, json=explanation("0"))


@pytest.fixture
def service() -> Iterator[Slow]:
    service = Slow()
    yield service
    service.may_answer.set()


@pytest.fixture
def page(desktop: Page, service: Slow, switch: ServiceSwitch, switched_page: str) -> Page:
    switch.target = service
    desktop.goto(switched_page)
    return desktop


def test_slow_answer_keeps_the_previous_one_with_a_notice(page: Page, service: Slow) -> None:
    draw_and_expect(page, SEVEN, "7")
    wait_until_ready(page)
    notice = page.locator(".answer .slow-notice")
    expect(notice).to_be_hidden()

    service.may_answer.clear()
    draw_without_waiting(page, BAR)
    expect(notice).to_be_visible()
    expect(notice).to_contain_text("This takes longer than usual")
    expect(page.locator(".headline")).to_have_attribute("data-label", "7")
    expect(page.locator(".headline")).to_have_css("opacity", "0.45")
    box = box_of(page.locator(".answer"))
    service.may_answer.set()
    expect(page.locator(".headline")).to_have_attribute("data-label", "3")
    expect(notice).to_be_hidden()
    expect(page.locator(".headline")).to_have_css("opacity", "1")
    wait_until_ready(page)
    assert box_of(page.locator(".answer")) == box


def test_slow_first_answer_shows_a_notice(page: Page, service: Slow) -> None:
    wait_until_ready(page)
    service.may_answer.clear()
    draw_without_waiting(page, SEVEN)
    expect(page.locator(".empty-hint .slow-notice")).to_be_visible()
    service.may_answer.set()
    expect(page.locator(".headline")).to_have_attribute("data-label", "7")


def test_strokes_drawn_meanwhile_are_not_lost(page: Page, service: Slow) -> None:
    wait_until_ready(page)
    service.may_answer.clear()
    draw_without_waiting(page, SEVEN)
    expect(page.locator(".empty-hint .slow-notice")).to_be_visible()
    draw_without_waiting(page, BAR)
    draw_without_waiting(page, THREE)
    service.may_answer.set()
    expect(page.locator(".st-key-announcer p")).not_to_be_empty()
    wait_until_ready(page)
    last = service.requests_to("/classify")[-1].content
    undo = page.locator(".st-key-tools").get_by_role("button", name="Undo")
    for _ in range(2):
        undo.click()
        wait_until_ready(page)
    expect(undo).to_be_enabled()
    undo.click()
    expect(page.locator(".empty-hint")).to_be_visible()
    assert len(last) > len(service.requests_to("/classify")[0].content)
