"""A visitor with a phone: fingers on the sheet, which must not move the page."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.strokes import DIGITS, SEVEN, Stroke, settle, sheet, touch
from tests.support.metrics import Counted
from tests.support.waiting import until

pytestmark = pytest.mark.browser

# Up and down, as one scrolls, from the corner where the canvas has a toolbar of its own.
SCROLLING: list[Stroke] = [[(262, 12), (262, 120), (250, 268), (255, 140), (262, 20)]]


@pytest.fixture
def page(phone: Page, page_address: str) -> Page:
    phone.goto(page_address)
    return phone


def scrolled(page: Page) -> float:
    """How far down the page is."""
    return float(page.get_by_test_id("stMain").evaluate("main => main.scrollTop + document.documentElement.scrollTop"))


@pytest.mark.parametrize("digit", ["7", "4"])
def test_a_finger_draws_and_the_page_stays(page: Page, digit: str) -> None:
    settle(page)
    # Far enough down that the page could go both ways, with all of the sheet in sight.
    page.get_by_test_id("stMain").evaluate("main => main.scrollBy(0, 30)")
    before = scrolled(page)
    touch(page, DIGITS[digit])
    expect(page.locator(".headline")).to_have_attribute("data-label", digit)
    assert scrolled(page) == before


def test_a_finger_in_the_corner_draws_too(page: Page, service_address: str) -> None:
    settle(page)
    before = scrolled(page)
    touch(page, SCROLLING)
    expect(page.locator(".headline")).to_be_visible()
    assert scrolled(page) == before
    settle(page)
    asked = Counted(service_address)
    touch(page, SEVEN)
    until(lambda: asked("batch_size_count{cpu,digits}") == 1, PATIENCE_MS / 1000)
    page.locator(".st-key-tools").get_by_role("button", name="Undo").tap()
    page.locator(".st-key-tools").get_by_role("button", name="Undo").tap()
    expect(page.locator(".blank")).to_be_visible()


def test_everything_fits(page: Page) -> None:
    settle(page)
    touch(page, SEVEN)
    expect(page.locator(".headline")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for part in (sheet(page), page.locator(".headline"), page.locator(".st-key-tools")):
        box = part.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    # The keys are for keyboards.
    expect(page.locator("kbd:visible")).to_have_count(0)
    sizes = page.locator(".st-key-tools button").evaluate_all("all => all.map(each => each.getBoundingClientRect().height)")
    assert min(sizes) >= 44
