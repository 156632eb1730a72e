"""What brings visitors in and back: samples, dropped and pasted pictures, shared drawings, replay and challenge."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, JSHandle, Locator, Page, expect

from tests.browser.held_messages import HeldMessages, has_uploaded_files
from tests.browser.strokes import DIGITS, SEVEN, draw, draw_and_expect, wait_until_ready
from tests.support.pictures import WHITE, digit, encoded

pytestmark = pytest.mark.browser

FOUR = encoded(digit("4", paper=WHITE))
# A data transfer with a picture and, where one is given, a text.
TRANSFER = """([bytes, text]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], "four.png", { type: "image/png" }));
  if (text) transfer.setData("text/plain", text);
  return transfer;
}"""
COPY_PICTURE = """bytes => navigator.clipboard.write([
  new ClipboardItem({ "image/png": new Blob([new Uint8Array(bytes)], { type: "image/png" }) })
])"""
# Whether the page takes a paste of a picture with a text; browsers put both into the clipboard when text is copied elsewhere.
TAKES_PASTE = """(element, transfer) => {
  const event = new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
  element.dispatchEvent(event);
  return event.defaultPrevented;
}"""


def headline(page: Page) -> Locator:
    return page.locator(".headline")


def transfer(page: Page, text: str = "") -> JSHandle:
    """Return a data transfer in the browser with a picture of a 4."""
    return page.evaluate_handle(TRANSFER, [list(FOUR), text])


def bar_values(page: Page) -> dict[str, float]:
    """Return the probability of each class in percent, as the bars show it."""
    rows = page.locator(".bar").all_inner_texts()
    found = (re.search(r"([\d.]+)%", row) for row in rows)
    names = page.locator(".bar-name").all_inner_texts()
    return {name: float(value[1]) for name, value in zip(names, found, strict=True) if value}


def test_sample_is_drawn_on_the_sheet_and_answered(page: Page) -> None:
    wait_until_ready(page)
    page.get_by_role("button", name="Sample: 3").click()
    expect(headline(page)).to_have_attribute("data-label", "3")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Sample: 3")).to_be_visible()


def test_picture_dropped_on_the_sheet_is_classified(page: Page) -> None:
    draw_and_expect(page, SEVEN, "7")
    wait_until_ready(page)
    target = page.locator(".drop-target")
    dropped = transfer(page)
    page.dispatch_event("canvas.upper-canvas", "dragover", {"dataTransfer": dropped})
    expect(target).to_be_visible()
    page.dispatch_event("canvas.upper-canvas", "drop", {"dataTransfer": dropped})
    expect(target).to_be_hidden()
    expect(headline(page)).to_have_attribute("data-label", "4")
    expect(page.get_by_role("radio", name="Upload")).to_be_checked()
    expect(page.get_by_test_id("stFileChipName")).to_have_text(["four.png"])
    page.get_by_role("radio", name="Draw").click()  # the drawing is not lost
    expect(headline(page)).to_have_attribute("data-label", "7")


def test_picture_is_pasted_from_the_clipboard(page: Page) -> None:
    wait_until_ready(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(COPY_PICTURE, list(FOUR))
    page.keyboard.press("Control+V")
    expect(headline(page)).to_have_attribute("data-label", "4")
    expect(page.get_by_role("radio", name="Upload")).to_be_checked()


def test_picture_is_classified_though_the_browser_reports_the_former_source(chromium: Browser, page_address: str) -> None:
    with chromium.new_context() as context:
        messages = HeldMessages(context, release=has_uploaded_files)
        page = context.new_page()
        page.goto(page_address)
        wait_until_ready(page)
        messages.hold()
        assert page.locator("body").evaluate(TAKES_PASTE, transfer(page))
        expect(headline(page)).to_have_attribute("data-label", "4")
        expect(page.get_by_role("radio", name="Upload")).to_be_checked()
        assert not messages.holding


def test_text_pasted_into_a_field_stays_there(page: Page) -> None:
    wait_until_ready(page)
    field = page.get_by_role("combobox", name="Model")
    assert not field.evaluate(TAKES_PASTE, transfer(page, "letters"))
    assert page.locator("body").evaluate(TAKES_PASTE, transfer(page, "letters"))


@pytest.fixture
def shared(page: Page) -> Iterator[str]:
    """The link to a drawing of a 2, whose answer is on the page."""
    draw_and_expect(page, DIGITS["2"], "2")
    wait_until_ready(page)
    page.get_by_role("button", name="Share").click()
    code = page.get_by_test_id("stPopoverBody").locator("code")
    expect(code).to_contain_text("drawing=")
    yield code.inner_text()


def test_shared_link_opens_with_the_drawing_and_its_answer(page: Page, shared: str) -> None:
    before = bar_values(page)
    assert urlsplit(shared).netloc == urlsplit(page.url).netloc
    page.goto(shared)
    expect(headline(page)).to_have_attribute("data-label", "2")
    after = bar_values(page)
    assert before
    assert all(abs(after.get(name, 0.05) - value) < 2 for name, value in before.items())
    wait_until_ready(page)
    page.get_by_role("button", name="Undo").click()  # it is made of strokes
    expect(page.get_by_text("Draw a digit on the canvas")).to_be_visible()


def test_damaged_link_says_so(page: Page, shared: str) -> None:
    page.goto(shared[:-20])
    expect(page.get_by_role("alert")).to_contain_text("The drawing in this link is damaged")
    expect(page.get_by_text("Draw a digit on the canvas")).to_be_visible()


def test_replay_ends_with_the_answer_to_the_drawing(page: Page) -> None:
    draw_and_expect(page, DIGITS["5"], "5")
    answered = bar_values(page)["5"]
    page.get_by_text("Watch it being drawn").click()
    steps = page.locator(".replay-strip li")
    expect(steps).to_have_count(6)
    expect(steps.last).to_contain_text("5")
    value = re.search(r"([\d.]+)%", steps.last.inner_text())
    assert value is not None
    assert abs(float(value[1]) - answered) < 2
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".replay-label")).to_have_text("5")
    expect(page.get_by_role("button", name="Play")).to_be_visible()  # it has come to its end
    expect(page.get_by_role("img", name="How sure the model was of 5")).to_be_visible()
    page.emulate_media(reduced_motion="reduce")
    expect(page.locator(".replay")).to_be_hidden()
    expect(steps.last).to_be_visible()
    page.emulate_media(reduced_motion="no-preference")


def test_challenge_with_the_mouse(page: Page) -> None:
    page.clock.install()
    page.reload()
    wait_until_ready(page)
    page.get_by_role("button", name="Challenge").click()
    task = page.locator(".task b")
    for score in (1, 2):
        wanted = task.inner_text()
        draw(page, DIGITS[wanted])
        expect(page.locator(".challenge-score")).to_have_text(f"Score {score}")
        expect(task).not_to_have_text(wanted)
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"^[1-5]?\d s$"))
    page.clock.fast_forward(60_000)
    expect(page.get_by_text("Your score: 2")).to_be_visible()
    expect(page.locator(".card")).to_have_count(0)
    page.get_by_role("button", name="Keep these drawings").click()
    expect(page.get_by_text("Kept in the gallery below: 2")).to_be_visible()
    expect(page.locator(".st-key-saved .card")).to_have_count(2)
