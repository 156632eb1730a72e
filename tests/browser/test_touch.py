"""Touch on a phone: drawing must not scroll the page."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.boxes import box_of
from tests.browser.strokes import DIGITS, SEVEN, Stroke, canvas_of, draw_with_finger, wait_until_ready

pytestmark = pytest.mark.browser

# Up and down like scrolling, from the corner where the canvas has its toolbar.
SCROLLING: list[Stroke] = [[(262, 12), (262, 120), (250, 268), (255, 140), (262, 20)]]


@pytest.fixture
def page(phone: Page, page_address: str) -> Page:
    phone.goto(page_address)
    return phone


def scrolled(page: Page) -> float:
    """Return the scroll position of the page in pixels."""
    return float(page.get_by_test_id("stMain").evaluate("main => main.scrollTop + document.documentElement.scrollTop"))


@pytest.mark.parametrize("digit", ["7", "4"])
def test_drawing_does_not_scroll_the_page(page: Page, digit: str) -> None:
    wait_until_ready(page)
    # The page could scroll in both directions, and the whole canvas is visible.
    page.get_by_test_id("stMain").evaluate("main => main.scrollBy(0, 30)")
    before = scrolled(page)
    draw_with_finger(page, DIGITS[digit])
    expect(page.locator(".headline")).to_have_attribute("data-label", digit)
    assert scrolled(page) == before


def test_drawing_in_the_corner_with_the_toolbar(page: Page) -> None:
    wait_until_ready(page)
    before = scrolled(page)
    draw_with_finger(page, SCROLLING)
    expect(page.locator(".headline")).to_be_visible()
    assert scrolled(page) == before
    wait_until_ready(page)
    draw_with_finger(page, SEVEN)
    page.locator(".st-key-tools").get_by_role("button", name="Undo").tap()
    page.locator(".st-key-tools").get_by_role("button", name="Undo").tap()
    expect(page.locator(".empty-hint")).to_be_visible()


def test_everything_fits_on_the_screen(page: Page) -> None:
    wait_until_ready(page)
    draw_with_finger(page, SEVEN)
    expect(page.locator(".headline")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for part in (canvas_of(page), page.locator(".headline"), page.locator(".st-key-tools")):
        box = box_of(part)
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    # Keyboard shortcuts are not shown on touch devices.
    expect(page.locator("kbd:visible")).to_have_count(0)
    sizes = page.locator(".st-key-tools button").evaluate_all("all => all.map(each => each.getBoundingClientRect().height)")
    assert min(sizes) >= 44
