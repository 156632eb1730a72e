"""Drawing on the page: real Chromium, real page, real service."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.boxes import box_of
from tests.browser.processes import TIMEOUT_MS, start_page_for
from tests.browser.states import settings
from tests.browser.strokes import DIGITS, SEVEN, THREE, canvas_of, draw, draw_and_expect, draw_with_pen, wait_until_ready
from tests.support.metrics import Counted
from tests.support.processes import free_port, start_service
from tests.support.waiting import until

pytestmark = pytest.mark.browser

WHITE = [255, 255, 255]
BLACK = [0, 0, 0]
NAVY = [0, 0, 128]
YELLOW = [255, 255, 0]


def headline(page: Page) -> Locator:
    return page.locator(".headline")


def empty_hint(page: Page) -> Locator:
    return page.locator(".empty-hint")


def cards(page: Page) -> Locator:
    return page.locator(".card")


def button(page: Page, name: str) -> Locator:
    return page.locator(".st-key-tools").get_by_role("button", name=name)


def clear(page: Page) -> None:
    button(page, "Clear").click()
    expect(empty_hint(page)).to_be_visible()


def colours(page: Page) -> list[list[int]]:
    """Return the colours of the canvas with more than 500 pixels, the most frequent first."""
    found: list[list[int]] = page.locator("canvas.dc-canvas.lower-canvas").evaluate(
        """canvas => {
            const counts = new Map(), data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            for (let i = 0; i < data.length; i += 4) {
                const colour = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
                counts.set(colour, (counts.get(colour) ?? 0) + 1);
            }
            const often = [...counts].filter(([, count]) => count > 500).sort((a, b) => b[1] - a[1]);
            return often.map(([colour]) => [colour >> 16, (colour >> 8) & 255, colour & 255]);
        }"""
    )
    return found


def expect_colours(page: Page, *expected: list[int]) -> None:
    """Wait until the canvas has exactly these colours; the browser paints it after the rerun."""
    until(lambda: colours(page) == [*expected], TIMEOUT_MS / 1000)


def pick(page: Page, name: str, colour: str) -> None:
    """Enter a colour in the open controls of the pen."""
    swatch = page.get_by_role("button", name=f"{name} color picker")
    swatch.click()
    popover = page.get_by_test_id("stColorPickerPopover")
    popover.locator("input").first.fill(colour)
    swatch.click()
    expect(popover).to_have_count(0)


def test_every_digit_is_recognised(page: Page) -> None:
    for digit, strokes in DIGITS.items():
        draw_and_expect(page, strokes, digit)
        clear(page)
    expect(cards(page)).to_have_count(10)
    labels = cards(page).evaluate_all("cards => cards.map(card => card.dataset.label)")
    assert labels == list(DIGITS)[::-1]


def test_drawing_with_a_pen(page: Page) -> None:
    wait_until_ready(page)
    page.evaluate("addEventListener('pointerdown', event => (document.title = event.pointerType), true)")
    draw_with_pen(page, DIGITS["4"])
    expect(headline(page)).to_have_attribute("data-label", "4")
    expect(page).to_have_title("pen")


def test_all_parts_of_an_answer(page: Page) -> None:
    expect(empty_hint(page)).to_contain_text("Draw a digit on the canvas")
    expect(empty_hint(page)).to_contain_text("0, 1, 2, 3, 4, 5, 6, 7, 8, 9")
    expect(cards(page)).to_have_count(0)
    draw_and_expect(page, SEVEN, "7")
    expect(page.locator(".headline .confidence-text")).to_have_text("almost certain")
    expect(page.locator(".bar.predicted .bar-name")).to_have_text("7")
    expect(page.locator(".other-classes")).to_contain_text("under 0.1% each")
    page.get_by_role("button", name="Details").click()
    expect(page.locator(".answer-details")).to_contain_text("digits 1.3.0")
    expect(page.locator(".answer-details")).to_contain_text("CPU")
    page.keyboard.press("Escape")
    expect(page.locator(".stages")).to_have_count(0)

    # While open, the explanation follows the drawing.
    page.get_by_text("How this answer was computed").click()
    names = ["Your picture in shades of grey", "Only the strokes", "What the model sees", "Which strokes mattered"]
    expect(page.locator(".stages figcaption b")).to_have_text(names)
    before = page.locator(".stages img").last.get_attribute("src")
    draw(page, [[(60, 250), (220, 250)]])
    expect(page.locator(".stages img").last).not_to_have_attribute("src", before or "")
    expect(page.locator(".stages figcaption b")).to_have_text(names)


def test_undo_and_clear_by_button_and_shortcut(page: Page) -> None:
    four = DIGITS["4"][::-1]
    draw_and_expect(page, four[:1], "1")
    draw_and_expect(page, four[1:], "4")

    button(page, "Undo").click()
    expect(headline(page)).to_have_attribute("data-label", "1")
    draw_and_expect(page, four[1:], "4")  # drawing continues on the undone canvas
    page.keyboard.press("Control+z")
    expect(headline(page)).to_have_attribute("data-label", "1")
    page.keyboard.press("Control+z")
    expect(empty_hint(page)).to_be_visible()
    expect(button(page, "Undo")).to_be_disabled()
    expect_colours(page, WHITE)

    draw_and_expect(page, SEVEN, "7")
    expect(cards(page)).to_have_count(2)  # the finished drawing is answered too, not only its last movement
    page.keyboard.press("Delete")
    expect(empty_hint(page)).to_be_visible()
    expect(button(page, "Clear")).to_be_disabled()
    draw_and_expect(page, THREE, "3")
    expect(cards(page)).to_have_count(3)
    clear(page)
    expect_colours(page, WHITE)
    expect(cards(page)).to_have_count(3)


def test_undo_and_clear_in_quick_succession(page: Page) -> None:
    draw_and_expect(page, DIGITS["4"], "4")
    wait_until_ready(page)
    page.keyboard.press("Control+z")
    page.keyboard.press("Delete")
    expect(empty_hint(page)).to_be_visible()
    expect_colours(page, WHITE)
    draw_and_expect(page, THREE, "3")
    expect(cards(page)).to_have_count(2)


def test_enter_sends_the_request_again(page: Page, service_address: str) -> None:
    draw(page, SEVEN)
    expect(cards(page)).to_have_count(1)  # the finished drawing is answered; until then more requests follow
    wait_until_ready(page)
    batches = Counted(service_address)
    page.keyboard.press("Enter")
    until(lambda: batches("batch_size_count{cpu,digits}") == 1, TIMEOUT_MS / 1000)
    wait_until_ready(page)
    expect(headline(page)).to_have_attribute("data-label", "7")
    expect(cards(page)).to_have_count(1)


def test_pen_colours_apply_to_the_drawing(page: Page) -> None:
    draw_and_expect(page, SEVEN, "7")
    expect_colours(page, WHITE, BLACK)
    button(page, "Pen").click()
    page.get_by_role("slider", name="Stroke width").press("ArrowRight")
    expect(page.get_by_text("21 px", exact=True)).to_be_visible()
    pick(page, "Background", "#000080")
    pick(page, "Ink", "#FFFF00")
    page.keyboard.press("Escape")
    expect(page.get_by_role("slider")).to_have_count(0)
    wait_until_ready(page)
    expect(headline(page)).to_have_attribute("data-label", "7")
    expect_colours(page, NAVY, YELLOW)

    # Further strokes, undo and a new drawing use the new colours too.
    draw(page, [[(60, 250), (220, 250)]])
    wait_until_ready(page)
    button(page, "Undo").click()
    expect_colours(page, NAVY, YELLOW)
    wait_until_ready(page)
    expect(headline(page)).to_have_attribute("data-label", "7")
    clear(page)
    draw_and_expect(page, THREE, "3")
    expect_colours(page, NAVY, YELLOW)
    expect(cards(page)).to_have_count(2)


def test_language_and_theme_changes_keep_the_drawing(page: Page) -> None:
    draw_and_expect(page, SEVEN, "7")
    page.get_by_role("radio", name="한국어").click()
    expect(page.get_by_role("radio", name="자동", include_hidden=True)).to_be_checked()
    wait_until_ready(page)
    with settings(page):
        page.get_by_text("CPU", exact=True).click()
        wait_until_ready(page)
    page.get_by_role("radio", name="English").click()
    expect(page.get_by_role("heading", name="Image classifier")).to_be_visible()
    wait_until_ready(page)
    page.get_by_role("radio", name="한국어").click()
    expect(page.get_by_role("heading", name="그림 분류기")).to_be_visible()
    expect(page.locator(".headline .confidence-text")).to_have_text("거의 확실")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page).to_have_url(re.compile(r"[?&]lang=ko\b"))
    wait_until_ready(page)
    expect(page.get_by_role("radio", name="CPU", include_hidden=True)).to_be_checked()

    page.get_by_test_id("stMainMenuButton").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    page.keyboard.press("Escape")
    app = page.get_by_test_id("stApp")
    expect(app).to_have_css("background-color", "rgb(19, 21, 26)")
    expect(app).to_have_css("color-scheme", "dark")
    wait_until_ready(page)
    expect(headline(page)).to_have_attribute("data-label", "7")
    expect_colours(page, WHITE, BLACK)
    expect(cards(page)).to_have_count(1)

    # The drawing can be continued.
    draw(page, [[(100, 140), (190, 140)]])
    wait_until_ready(page)
    expect(headline(page)).to_be_visible()
    expect(cards(page)).to_have_count(1)

    page.reload()
    expect(page.get_by_role("heading", name="그림 분류기")).to_be_visible()
    expect(app).to_have_css("color-scheme", "dark")


def test_comparison_model_classifies_the_same_drawing(page: Page) -> None:
    draw_and_expect(page, SEVEN, "7")
    wait_until_ready(page)
    with settings(page):
        page.get_by_role("combobox", name="Compare with").click()
        page.get_by_role("option", name="characters", exact=True).click()
    answers = page.locator(".answer")
    expect(answers).to_have_count(2)
    expect(answers.nth(1)).to_have_attribute("data-model", "characters")
    expect(answers.nth(1).locator(".headline .muted")).to_have_text("digit")
    left, right = (box_of(answers.nth(place)) for place in range(2))
    assert left["x"] + left["width"] <= right["x"]
    wait_until_ready(page)
    clear(page)
    draw_and_expect(page, THREE, "3")
    expect(headline(page).nth(1)).to_have_attribute("data-label", "3")
    expect(cards(page)).to_have_count(2)


def test_gpu_is_available_or_a_sentence_says_why_not(page: Page) -> None:
    wait_until_ready(page)
    with settings(page):
        expect(page.get_by_text("Automatic", exact=True)).to_be_visible()
        if page.get_by_role("radio", name="GPU").count() == 0:
            expect(page.get_by_text("This server cannot use a GPU.")).to_be_visible()
            page.get_by_text("Details", exact=True).click()
            expect(page.get_by_test_id("stSidebar").locator("details")).not_to_have_text("Details")


def test_screen_readers_announce_the_answer(page: Page) -> None:
    wait_until_ready(page)
    expect(canvas_of(page)).to_have_attribute("aria-label", "Drawing canvas for mouse, pen or finger")
    draw(page, SEVEN)
    expect(page.get_by_role("status").filter(has_text="7: almost certain")).to_have_count(1)
    page.get_by_text("How this answer was computed").click()
    expect(page.locator(".stages img")).to_have_count(4)
    wait_until_ready(page)
    assert page.locator("img").evaluate_all("images => images.filter(image => !image.alt.trim()).length") == 0
    clear(page)
    expect(page.locator(".st-key-announcer p")).to_be_empty()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_horizontal_scrolling_on_a_phone(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    draw(page, SEVEN)
    expect(cards(page)).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".stApp").evaluate("app => getComputedStyle(app).colorScheme") == scheme


def test_service_outage_and_recovery(desktop: Page, model_store: Path, logs: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    retry = desktop.get_by_role("button", name="Retry")
    with start_page_for(desktop, address, logs) as page_address:
        desktop.goto(page_address)
        expect(desktop.locator(".alert")).to_contain_text(f"{address} does not answer")
        draw(desktop, SEVEN)
        wait_until_ready(desktop)
        with start_service(model_store, port, WORKERS="1"):  # which the page sees by itself
            expect(headline(desktop)).to_have_attribute("data-label", "7")
            expect(retry).to_have_count(0)
            clear(desktop)
        draw(desktop, THREE)
        expect(desktop.locator(".alert")).to_contain_text(f"{address} does not answer")
        expect(retry).to_be_visible()
        expect(cards(desktop)).to_have_count(1)
        with start_service(model_store, port, WORKERS="1"):
            draw_and_expect(desktop, [[(128, 134), (150, 134)]], "3")  # a stroke retries like the button
            expect(cards(desktop)).to_have_count(2)
