"""Contrast of all text on the page as the browser renders it: WCAG 2 level AA, in both themes."""

import re
from contextlib import suppress

import httpx
import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.processes import TIMEOUT_MS, ServiceSwitch
from tests.browser.strokes import SEVEN, draw, wait_for_rerun, wait_until_ready
from tests.support.waiting import until
from tests.ui.fake_service import (
    JPEG,
    FakeGallery,
    FakeService,
    classification,
    gallery_entry,
    models_response,
    problem_response,
)
from ui.state.saved_gallery import PAGE_SIZE
from ui.views.snippets import TABS

pytestmark = pytest.mark.browser

# Returns every visible text whose contrast is too low, with its ratio. Large text needs less. Disabled elements, icons and the
# number above a slider's thumb are exempt.
LOW_CONTRAST = """async () => {
  const moving = document.getAnimations().filter(each => each.effect.getComputedTiming().endTime !== Infinity);
  await Promise.allSettled(moving.map(each => each.finished));
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = colour => {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = colour;
    pixel.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((top, i) => top * a + under[i] * (1 - a));
  const behind = element => {
    if (!element) return [255, 255, 255];
    const colour = rgba(getComputedStyle(element).backgroundColor);
    return colour[3] === 1 ? colour.slice(0, 3) : over(colour, behind(element.parentElement));
  };
  const opacity = element => (element ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1);
  const luminance = colour => {
    const [r, g, b] = colour.map(v => v / 255).map(v => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const box = element.getBoundingClientRect();
    if (box.width <= 1 || box.height <= 1) continue;
    if (element.closest("style, script, :disabled, [aria-disabled=true], label:has(:disabled), [data-disabled=true]")) continue;
    if (element.closest("[data-testid=stIconMaterial], [data-testid=stSliderThumbValue]")) continue;
    const style = getComputedStyle(element), ground = behind(element), [r, g, b, a] = rgba(style.color);
    const [dark, light] = [over([r, g, b, a * opacity(element)], ground), ground].map(luminance).sort((x, y) => x - y);
    const ratio = (light + 0.05) / (dark + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) {
      faint.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}, ${style.color} at ${opacity(element)} on ${ground}`);
    }
  }
  return faint;
}"""


@pytest.fixture
def service() -> FakeService:
    entries = {
        f"e{number}": gallery_entry(f"e{number}", corrected="1" if number % 2 else None) for number in range(PAGE_SIZE + 2)
    }
    service = FakeService(gallery=FakeGallery(entries))
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response("digits", "letters"))
    return service


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    """The colour scheme of the visitor's system."""
    return str(request.param)


@pytest.fixture
def page(desktop: Page, service: FakeService, switch: ServiceSwitch, switched_page: str, scheme: str) -> Page:
    switch.target = service
    desktop.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    desktop.goto(switched_page)
    return desktop


def check_contrast(page: Page) -> None:
    """Fail for the text that stays faint; while Streamlit redraws, some is faint for a moment."""
    wait_for_rerun(page)
    faint: list[str] = []

    def all_legible() -> bool:
        faint[:] = page.evaluate(LOW_CONTRAST)
        return not faint

    with suppress(AssertionError):
        until(all_legible, TIMEOUT_MS / 1000)
    assert faint == []


def test_all_text_has_enough_contrast(page: Page, service: FakeService, scheme: str) -> None:
    wait_until_ready(page)
    expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
    expect(page.locator(".st-key-saved .card")).to_have_count(PAGE_SIZE)
    check_contrast(page)
    draw(page, SEVEN)
    page.get_by_text("How this answer was computed").click()
    expect(page.locator(".stages img")).to_have_count(4)
    wait_for_rerun(page)  # the expander moves the elements below it
    page.get_by_text("Use it from code").click()
    for name in TABS:
        page.get_by_role("tab", name=name, exact=True).click()
        expect(page.get_by_role("tabpanel").filter(visible=True).locator("code")).to_be_visible()
        check_contrast(page)
    page.locator(".st-key-tools").get_by_role("button", name="Pen").click()
    expect(page.get_by_role("slider")).to_be_visible()
    check_contrast(page)
    page.keyboard.press("Escape")

    reply = classification(rejected=True, reject_reason="Energy too low.")
    service.replies["/classify"] = lambda _: httpx.Response(200, json=reply)
    page.locator(".st-key-ask button").click()
    expect(page.locator(".notice")).to_be_visible()
    check_contrast(page)
    page.get_by_role("button", name="Delete all saved pictures").click()
    expect(page.get_by_role("button", name=re.compile("Delete all [0-9]+ pictures"))).to_be_visible()
    check_contrast(page)


def test_error_messages_have_enough_contrast(page: Page, service: FakeService, scheme: str) -> None:
    wait_until_ready(page)
    expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
    page.get_by_role("radio", name="Upload").click()
    expect(page.get_by_text("Upload a picture of a digit")).to_be_visible()
    check_contrast(page)
    files = [("seven.jpg", JPEG), ("broken.png", b"this is no picture")]
    page.locator("input[type=file]").set_input_files([FilePayload(name=n, mimeType="image/png", buffer=d) for n, d in files])
    expect(page.locator(".files tbody tr")).to_have_count(2)
    check_contrast(page)
    page.get_by_role("radio", name="Draw").click()
    service.replies["/classify"] = lambda _: problem_response(429, "overloaded")
    draw(page, SEVEN)
    expect(page.locator(".alert")).to_contain_text("Too many pictures")
    check_contrast(page)
    service.down = True
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".alert")).to_contain_text("does not answer")
    check_contrast(page)
