"""A visitor who sends pictures: files and the camera, real Chromium, real page, mostly the real service."""

import os
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.processes import stand_in, start_page_for
from tests.browser.strokes import SEVEN, draw, rest, settle, sheet
from tests.support.pictures import WHITE, canvas, digit, encoded
from tests.ui.service import JPEG, WEBP, Service, catalogue, classification, fashion

pytestmark = pytest.mark.browser


def headline(page: Page) -> Locator:
    return page.locator(".headline")


def cards(page: Page) -> Locator:
    return page.locator(".card")


def source(page: Page, name: str) -> Locator:
    return page.get_by_role("radio", name=name)


def send(page: Page, *files: tuple[str, bytes]) -> None:
    """Send files, by name and content, in the place of those that were sent before."""
    chips = page.get_by_test_id("stFileChipName")
    while before := chips.count():
        page.get_by_test_id("stFileChipDeleteBtn").first.get_by_role("button").click()
        expect(chips).to_have_count(before - 1)
    payloads = [FilePayload(name=name, mimeType="image/png", buffer=data) for name, data in files]
    page.locator("input[type=file]").set_input_files(payloads)
    expect(chips).to_have_text([name for name, _ in files])


def choose_model(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name=name, exact=True).click()


@pytest.mark.parametrize(("name", "data"), [("seven.webp", WEBP), ("seven.jpg", JPEG), ("a-jpeg.png", JPEG)])
def test_a_file_is_read(page: Page, name: str, data: bytes) -> None:
    source(page, "Upload").click()
    expect(page.get_by_text("Upload a picture of a digit")).to_be_visible()
    expect(sheet(page)).to_be_hidden()
    expect(page.locator(".st-key-tools")).to_be_hidden()
    send(page, (name, data))
    expect(headline(page)).to_have_attribute("data-label", "7")
    expect(page.locator(".sent img")).to_be_visible()
    expect(cards(page)).to_have_count(1)
    assert cards(page).locator("img").evaluate("image => image.naturalWidth") == 280


def test_a_broken_file_costs_nothing_else(page: Page) -> None:
    alert = page.locator(".alert")
    draw(page, SEVEN)
    expect(headline(page)).to_have_attribute("data-label", "7")
    source(page, "Upload").click()
    send(page, ("broken.png", b"this is no picture"))
    expect(alert).to_contain_text("This file is not a picture the service can read")
    expect(alert).to_contain_text("The content is text")
    send(page, ("cut.jpg", JPEG[: len(JPEG) // 2]))
    expect(alert).to_contain_text("This picture is damaged")
    # One that can be read would be made smaller by the page.
    send(page, ("large.png", encoded(digit("7"))[:200] + os.urandom(11_000_000)))
    expect(alert).to_contain_text("This picture is too large: The image has 11,000,")
    expect(cards(page)).to_have_count(1)

    source(page, "Draw").click()
    expect(headline(page)).to_have_attribute("data-label", "7")
    expect(cards(page)).to_have_count(1)
    # The strokes are there, and the canvas goes on where it was.
    settle(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Draw a digit on the sheet")).to_be_visible()
    draw(page, SEVEN)
    expect(headline(page)).to_have_attribute("data-label", "7")


def test_several_files_are_listed(page: Page) -> None:
    source(page, "Upload").click()
    send(page, ("seven.webp", WEBP), ("broken.png", b"this is no picture"), ("seven.jpg", JPEG))
    rows = page.locator(".st-key-files tbody tr")
    expect(rows).to_have_count(3)
    expect(headline(page)).to_have_count(0)
    page.get_by_test_id("stFileChipDeleteBtn").first.get_by_role("button").click()
    page.get_by_test_id("stFileChipDeleteBtn").first.get_by_role("button").click()
    expect(headline(page)).to_have_attribute("data-label", "7")
    expect(rows).to_have_count(0)


def test_delete_spares_a_sheet_out_of_sight(page: Page) -> None:
    draw(page, SEVEN)
    expect(headline(page)).to_have_attribute("data-label", "7")
    source(page, "Upload").click()
    rest(page)
    expect(sheet(page)).to_be_hidden()
    page.keyboard.press("Delete")
    source(page, "Draw").click()
    expect(headline(page)).to_have_attribute("data-label", "7")


def test_a_photo_is_taken_and_read(page: Page) -> None:
    settle(page)
    expect(page.locator("video")).to_have_count(0)
    source(page, "Camera").click()
    expect(page.get_by_text("Take a photo of a digit")).to_be_visible()
    expect(page.locator("video")).to_have_js_property("readyState", 4)  # HAVE_ENOUGH_DATA
    page.get_by_role("button", name="Take photo").click()
    expect(headline(page)).to_have_attribute("data-label", "4")
    expect(cards(page)).to_have_count(1)
    source(page, "Draw").click()
    expect(page.get_by_text("Draw a digit on the sheet")).to_be_visible()
    expect(page.locator("video")).to_have_count(0)
    expect(cards(page)).to_have_count(1)


def test_a_picture_without_ink_says_so(page: Page) -> None:
    source(page, "Upload").click()
    send(page, ("paper.png", encoded(canvas([], paper=WHITE))))
    expect(page.locator(".alert")).to_contain_text("There is nothing to read on this picture")


def test_sources_by_keyboard(page: Page) -> None:
    settle(page)
    source(page, "Draw").focus()
    page.keyboard.press("ArrowRight")
    expect(source(page, "Upload")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_text("Upload a picture of a digit")).to_be_visible()
    expect(source(page, "Upload")).to_be_checked()


def test_each_model_offers_its_sources(visit: Page, logs: Path) -> None:
    service = Service()
    reply = classification("Ankle boot", model="fashion")
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue("digits", "letters", others=[fashion()]))
    service.replies["/classify"] = lambda request: httpx.Response(
        200, json=reply if request.url.params["model"] == "fashion" else classification()
    )
    with stand_in(service) as address, start_page_for(visit, address, logs) as page_address:
        visit.goto(page_address)
        draw(visit, SEVEN)
        expect(headline(visit)).to_have_attribute("data-label", "7")
        choose_model(visit, "fashion")
        expect(source(visit, "Draw")).to_have_count(0)
        expect(sheet(visit)).to_be_hidden()
        expect(visit.locator(".st-key-tools")).to_be_hidden()
        send(visit, ("boot.webp", WEBP))
        expect(headline(visit)).to_have_attribute("data-label", "Ankle boot")
        visit.get_by_text("How this answer came about").click()
        expect(visit.get_by_text("Which parts mattered")).to_be_visible()
        choose_model(visit, "letters")
        expect(headline(visit)).to_have_attribute("data-label", "7")
        settle(visit)
        source(visit, "Upload").click()
        expect(visit.locator(".sent img")).to_be_visible()
        expect(cards(visit)).to_have_count(2)


@pytest.mark.parametrize("name", ["Upload", "Camera"])
def test_a_phone_needs_no_sideways_scrolling(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    source(page, name).click()
    expect(sheet(page)).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = source(page, "Camera").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390


def test_streamlit_s_own_words_are_translated(page: Page) -> None:
    settle(page)
    source(page, "Upload").click()
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    page.get_by_role("radio", name="한국어").click()
    expect(page.get_by_role("button", name="파일 고르기")).to_be_visible()
    expect(source(page, "올리기")).to_be_checked()
    rest(page)
    send(page, ("seven.webp", WEBP))
    page.get_by_test_id("stFileChipDeleteBtn").get_by_role("button").click()
    expect(page.get_by_role("button", name="파일 고르기")).to_be_visible()
    source(page, "카메라").click()
    expect(page.locator("video")).to_have_js_property("readyState", 4)  # HAVE_ENOUGH_DATA
    page.get_by_role("button", name="사진 찍기").click()
    expect(headline(page)).to_have_attribute("data-label", "4")
    page.get_by_role("radio", name="English").click()
    expect(page.get_by_role("button", name="Take another")).to_be_visible()
    page.get_by_role("button", name="Take another").click()
    expect(page.get_by_role("button", name="Take photo")).to_be_visible()
