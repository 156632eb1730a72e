"""The layout: sheet, answer and model are in view together on small screens and at 200 % zoom."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.boxes import box_of
from tests.browser.strokes import SEVEN, canvas_of, draw, wait_until_ready

pytestmark = pytest.mark.browser

PHONE_ON_ITS_SIDE = (844, 390)
ZOOM_200 = (640, 400)  # 1280x800 at 200 %
PHONE = (390, 844)
LAPTOP = (1280, 900)


def in_view(part: Locator, size: tuple[int, int]) -> bool:
    """Return whether the whole part is inside of a window of this size."""
    box = box_of(part)
    return box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= size[0] and box["y"] + box["height"] <= size[1]


def sheet_side(page: Page) -> float:
    """Return the side that the layout gives to the sheet, in pixels."""
    box = box_of(page.locator(".st-key-picture"))
    return box["width"]


@pytest.mark.parametrize("size", [PHONE_ON_ITS_SIDE, ZOOM_200, PHONE, LAPTOP])
def test_sheet_answer_and_model_are_in_view(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    wait_until_ready(page)
    draw(page, SEVEN)
    expect(page.locator(".headline")).to_be_visible()
    wait_until_ready(page)
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollTop") == 0
    for part in (canvas_of(page), page.locator(".headline .label"), page.locator(".st-key-model").get_by_role("combobox")):
        assert in_view(part, size), part
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert 280 <= sheet_side(page) <= 560


def test_sheet_grows_with_its_room(page: Page) -> None:
    wait_until_ready(page)
    sides = []
    for width, height in ((320, 568), (1024, 768), (1920, 1200)):
        page.set_viewport_size({"width": width, "height": height})
        sides.append(sheet_side(page))
    assert sides == sorted(set(sides))
    assert sides[0] >= 280
    assert sides[-1] <= 560
