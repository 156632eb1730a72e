"""The keyboard alone leads from the start to an answer: by drawing with arrow keys, and by an upload."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.processes import TIMEOUT_MS
from tests.browser.states import photo
from tests.browser.strokes import wait_for_rerun, wait_until_ready
from tests.browser.tab_key import tab_to

pytestmark = pytest.mark.browser


def press(page: Page, keys: str, times: int) -> None:
    """Press and hold keys such as `ArrowDown+ArrowLeft` together, as a keyboard that repeats the last of them."""
    *held, last = keys.split("+")
    for key in held:
        page.keyboard.down(key)
    for _ in range(times):
        page.keyboard.down(last)
    for key in (last, *held):
        page.keyboard.up(key)


def test_drawing_with_arrow_keys(page: Page) -> None:
    wait_until_ready(page)
    tab_to(page, ".st-key-draw")
    help_text = page.locator(".pen-help")
    expect(help_text).to_be_visible()
    expect(page.locator(".st-key-draw")).to_have_attribute("role", "application")
    press(page, "ArrowLeft", 6)
    press(page, "ArrowUp", 8)
    page.keyboard.press("Space")
    expect(page.locator(".pen-status")).to_have_text(re.compile("Pen down, 29% from the left, 21% from the top"))
    expect(help_text).to_be_hidden()
    press(page, "ArrowRight", 12)
    press(page, "ArrowDown+ArrowLeft", 7)
    press(page, "ArrowDown", 8)
    page.keyboard.press("Space")
    expect(page.locator(".pen-status")).to_have_text(re.compile("Pen lifted"))
    expect(page.locator(".headline")).to_have_attribute("data-label", "7")
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollTop") == 0
    wait_until_ready(page)
    page.keyboard.press("Control+z")
    expect(page.locator(".empty-hint")).to_be_visible()
    expect(page.locator(".st-key-draw")).to_be_focused()


def test_upload_with_the_keyboard(page: Page) -> None:
    wait_until_ready(page)
    tab_to(page, "[class*=st-key-source] :is([role=radio], [role=radio] *)")
    page.keyboard.press("ArrowRight")
    if not page.get_by_role("radio", name="Upload").is_checked():
        page.keyboard.press("Space")
    wait_for_rerun(page)
    expect(page.get_by_text("Upload a picture of a digit")).to_be_visible()
    wait_for_rerun(page)
    tab_to(page, "[data-testid=stFileUploader] button")
    with page.expect_file_chooser(timeout=TIMEOUT_MS) as chooser:
        # Focuses it again first: a run of the page that ends just now may have drawn it anew.
        page.locator("[data-testid=stFileUploader] button").first.press("Enter")
    chooser.value.set_files([photo("4")])
    expect(page.locator(".headline")).to_have_attribute("data-label", "4")
