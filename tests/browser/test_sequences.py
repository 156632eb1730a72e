"""Sequences in a real Chromium with the real service: written, read, selected, resized, by mouse, finger and keyboard."""

import re

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.axe import serious_faults
from tests.browser.boxes import box_of
from tests.browser.processes import TIMEOUT_MS
from tests.browser.strokes import (
    canvas_of,
    draw,
    draw_and_expect,
    draw_with_finger,
    send_touch,
    wait_for_rerun,
    wait_until_ready,
    written,
)
from tests.browser.tab_key import tab_to
from tests.support.waiting import until

pytestmark = pytest.mark.browser

PICTURE = """() => {
  const data = sheet.root.querySelector("canvas.lower-canvas.dc-canvas").toDataURL();
  return [...atob(data.split(",")[1])].map((each) => each.charCodeAt());
}"""
STROKES = "sheet.document.strokes.map(({ path }) => path)"


def headline(page: Page) -> Locator:
    return page.locator(".headline")


def boxes(page: Page, place: str = "draw") -> Locator:
    return page.locator(f".character-boxes[data-place={place}] button")


def corner(page: Page) -> Locator:
    return page.get_by_role("button", name="Size of the sheet")


def size(page: Page) -> list[int]:
    """Return width and height of the picture in pixels."""
    return list(page.evaluate("sheet.size"))


def middle(element: Locator) -> tuple[float, float]:
    """Return the middle of an element in the window."""
    box = box_of(element)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def open_numbers(page: Page, address: str, **parameters: str) -> None:
    page.goto("&".join([f"{address}/?model=numbers", *(f"{name}={value}" for name, value in parameters.items())]))
    wait_until_ready(page)


def test_numbers_are_read_and_each_character_is_explained(desktop: Page, page_address: str) -> None:
    open_numbers(desktop, page_address)
    draw_and_expect(desktop, written("42"), "42")
    wait_until_ready(desktop)
    desktop.keyboard.press("Delete")
    expect(desktop.locator(".empty-hint")).to_be_visible()
    draw_and_expect(desktop, written("1987"), "1987")
    wait_until_ready(desktop)
    expect(desktop.locator(".headline .label")).to_have_text("1987")
    expect(boxes(desktop)).to_have_count(4)
    expect(boxes(desktop).nth(1)).to_have_accessible_name(re.compile("Character 2 of 4: 9"))
    expect(desktop.locator(".card")).to_have_count(2)

    before = desktop.evaluate(STROKES)
    label = boxes(desktop).nth(1).locator("span")
    desktop.mouse.move(*middle(boxes(desktop).nth(1)))
    expect(label).to_be_visible()
    desktop.mouse.click(*middle(boxes(desktop).nth(1)))
    expect(desktop.locator(".selected-character")).to_contain_text("Character 2 of 4: 9")
    expect(desktop.locator(".selected-character .bar.predicted")).to_have_attribute("data-label", "9")
    expect(desktop.locator(".explained-character")).to_contain_text("Character 2 of 4: 9")
    expect(desktop.locator(".stage").filter(has_text="Which strokes mattered")).to_be_visible()
    wait_for_rerun(desktop)
    assert desktop.evaluate(STROKES) == before  # a tap draws no dot

    desktop.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desktop.get_by_role("button", name="Copy the text").click()
    expect(desktop.get_by_text("Copied")).to_be_visible()
    assert desktop.evaluate("navigator.clipboard.readText()") == "1987"


def test_digits_offer_to_read_a_number_and_the_drawing_stays(page: Page) -> None:
    both = [[(x * 0.6, y + 20) for x, y in stroke] for stroke in written("42")]
    draw(page, both)
    expect(page.locator(".notice-title")).to_have_text("I see several characters; this model reads one at a time.")
    before = page.evaluate(STROKES)
    page.get_by_role("button", name="Read as a number").click()
    expect(headline(page)).to_have_attribute("data-label", "42")
    until(lambda: size(page) == [560, 320], TIMEOUT_MS / 1000)  # the page forbids the eval of wait_for_function
    assert page.evaluate(STROKES) == before
    draw_and_expect(page, written("1987")[-1:], "427")
    wait_until_ready(page)
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="digits", exact=True).click()
    expect(page.locator(".notice-title")).to_be_visible()
    until(lambda: len(page.evaluate(STROKES)) == len(before) + 1, TIMEOUT_MS / 1000)
    assert size(page)[0] > 480  # no stroke is cut


def test_sheet_is_resized_by_touch_and_keeps_the_strokes(phone: Page, page_address: str) -> None:
    open_numbers(phone, page_address)
    assert box_of(canvas_of(phone))["width"] == 358  # the whole width
    draw_with_finger(phone, written("1987"))
    expect(headline(phone)).to_have_attribute("data-label", "1987")
    wait_until_ready(phone)
    before, scrolled = phone.evaluate(STROKES), phone.get_by_test_id("stMain").evaluate("main => main.scrollTop")
    x, y = middle(corner(phone))
    fingers = phone.context.new_cdp_session(phone)
    send_touch(fingers, "touchStart", (x, y))
    for way in (20, 50, 90):
        send_touch(fingers, "touchMove", (x, y + way))
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    fingers.detach()
    expect(canvas_of(phone)).to_have_js_property("height", 461)  # 90 pixels of the screen are 141 of the picture
    wait_for_rerun(phone)
    assert phone.evaluate(STROKES) == before
    assert phone.get_by_test_id("stMain").evaluate("main => main.scrollTop") == scrolled
    expect(headline(phone)).to_have_attribute("data-label", "1987")
    phone.touchscreen.tap(*middle(boxes(phone).nth(3)))
    expect(phone.locator(".selected-character")).to_contain_text("Character 4 of 4: 7")
    assert phone.evaluate(STROKES) == before
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    wait_for_rerun(phone)


def test_keyboard_selects_characters_and_resizes_the_sheet(desktop: Page, page_address: str) -> None:
    open_numbers(desktop, page_address)
    tab_to(desktop, ".st-key-sample-1 button")
    desktop.keyboard.press("Enter")
    expect(headline(desktop)).to_have_attribute("data-label", "1987")
    wait_for_rerun(desktop)
    expect(boxes(desktop)).to_have_count(4)
    desktop.locator(".st-key-draw").focus()
    tab_to(desktop, "div")  # the corner of the sheet is inside of the canvas's own tree
    expect(corner(desktop)).to_be_focused()
    desktop.keyboard.press("ArrowRight")
    desktop.keyboard.press("ArrowDown")
    expect(corner(desktop)).to_have_accessible_name("Size of the sheet: 580 by 340. Arrow keys change it.")
    wait_for_rerun(desktop)
    expect(headline(desktop)).to_have_attribute("data-label", "1987")
    tab_to(desktop, ".character-boxes button")
    expect(boxes(desktop).first.locator("span")).to_be_visible()
    desktop.keyboard.press("Enter")
    expect(desktop.locator(".selected-character")).to_contain_text("Character 1 of 4: 1")
    expect(boxes(desktop).first).to_have_attribute("aria-pressed", "true")
    expect(boxes(desktop).first).to_be_focused()
    wait_for_rerun(desktop)


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ko", "dark")])
def test_no_serious_faults(desktop: Page, page_address: str, language: str, scheme: str) -> None:
    desktop.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    open_numbers(desktop, page_address, lang=language)
    desktop.locator(".st-key-sample-0 button").click()
    expect(headline(desktop)).to_have_attribute("data-label", "42")
    wait_for_rerun(desktop)
    desktop.mouse.click(*middle(boxes(desktop).first))
    expect(desktop.locator(".selected-character .bars")).to_be_visible()
    expect(desktop.locator(".stages img").first).to_be_visible()
    assert serious_faults(desktop) == []


def test_characters_of_an_uploaded_picture_are_selected(desktop: Page, page_address: str) -> None:
    open_numbers(desktop, page_address)
    desktop.locator(".st-key-sample-0 button").click()
    expect(headline(desktop)).to_have_attribute("data-label", "42")
    wait_until_ready(desktop)
    png = bytes(desktop.evaluate(PICTURE))
    desktop.get_by_role("radio", name="Upload").click()
    desktop.locator("input[type=file]").set_input_files([FilePayload(name="42.png", mimeType="image/png", buffer=png)])
    expect(boxes(desktop, "upload")).to_have_count(2)
    boxes(desktop, "upload").nth(1).click()
    expect(desktop.locator(".selected-character")).to_contain_text("Character 2 of 2: 2")
    picture, box = box_of(desktop.locator(".upload-preview img")), box_of(boxes(desktop, "upload").nth(1))
    assert picture["x"] + picture["width"] * 0.5 < box["x"] < picture["x"] + picture["width"] * 0.6
    wait_for_rerun(desktop)
