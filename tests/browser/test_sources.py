"""Upload and camera: real Chromium, real page, mostly the real service."""

import os

import httpx
import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.boxes import box_of
from tests.browser.processes import ServiceSwitch
from tests.browser.strokes import SEVEN, canvas_of, draw_and_expect, wait_for_rerun, wait_until_ready
from tests.support.pictures import WHITE, canvas, digit, encoded
from tests.ui.fake_service import JPEG, WEBP, FakeService, classification, fashion_model, models_response

pytestmark = pytest.mark.browser


def headline(page: Page) -> Locator:
    return page.locator(".headline")


def cards(page: Page) -> Locator:
    return page.locator(".card")


def source(page: Page, name: str) -> Locator:
    return page.get_by_role("radio", name=name)


def upload(page: Page, *files: tuple[str, bytes]) -> None:
    """Upload files, given by name and content, instead of those uploaded before."""
    chips = page.get_by_test_id("stFileChipName")
    while before := chips.count():
        page.get_by_test_id("stFileChipDeleteBtn").first.get_by_role("button").click()
        expect(chips).to_have_count(before - 1)
        if before == 1:  # Streamlit loses files that are chosen while it runs the page without the last one.
            expect(page.get_by_text("Upload a picture of")).to_be_visible()
            wait_for_rerun(page)
    payloads = [FilePayload(name=name, mimeType="image/png", buffer=data) for name, data in files]
    page.locator("input[type=file]").set_input_files(payloads)
    expect(chips).to_have_text([name for name, _ in files])


def choose_model(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name=name, exact=True).click()


@pytest.mark.parametrize(("name", "data"), [("seven.webp", WEBP), ("seven.jpg", JPEG), ("a-jpeg.png", JPEG)])
def test_uploaded_file_is_classified(page: Page, name: str, data: bytes) -> None:
    source(page, "Upload").click()
    expect(page.get_by_text("Upload a picture of a digit")).to_be_visible()
    expect(canvas_of(page)).to_be_hidden()
    expect(page.locator(".st-key-tools")).to_be_hidden()
    upload(page, (name, data))
    expect(headline(page)).to_have_attribute("data-label", "7")
    expect(page.locator(".upload-preview img")).to_be_visible()
    expect(cards(page)).to_have_count(1)
    assert cards(page).locator("img").evaluate("image => image.naturalWidth") == 280


def test_broken_file_does_not_affect_the_drawing(page: Page) -> None:
    alert = page.locator(".alert")
    draw_and_expect(page, SEVEN, "7")
    source(page, "Upload").click()
    upload(page, ("broken.png", b"this is no picture"))
    expect(alert).to_contain_text("This file is not a picture the service can read")
    expect(alert).to_contain_text("The content is text")
    upload(page, ("cut.jpg", JPEG[: len(JPEG) // 2]))
    expect(alert).to_contain_text("This picture is damaged")
    # The page would shrink a picture that it can decode.
    upload(page, ("large.png", encoded(digit("7"))[:200] + os.urandom(11_000_000)))
    expect(alert).to_contain_text("This picture is too large. Send a smaller one.")
    expect(cards(page)).to_have_count(1)

    source(page, "Draw").click()
    expect(headline(page)).to_have_attribute("data-label", "7")
    expect(cards(page)).to_have_count(1)
    # The strokes are still there, and drawing continues.
    wait_until_ready(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Draw a digit on the canvas")).to_be_visible()
    draw_and_expect(page, SEVEN, "7")


def test_several_files_are_listed_in_a_table(page: Page) -> None:
    source(page, "Upload").click()
    upload(page, ("seven.webp", WEBP), ("broken.png", b"this is no picture"), ("seven.jpg", JPEG))
    rows = page.locator(".st-key-files tbody tr")
    expect(rows).to_have_count(3)
    expect(headline(page)).to_have_count(0)
    page.get_by_test_id("stFileChipDeleteBtn").first.get_by_role("button").click()
    page.get_by_test_id("stFileChipDeleteBtn").first.get_by_role("button").click()
    expect(headline(page)).to_have_attribute("data-label", "7")
    expect(rows).to_have_count(0)


def test_delete_key_does_not_clear_a_hidden_canvas(page: Page) -> None:
    draw_and_expect(page, SEVEN, "7")
    source(page, "Upload").click()
    wait_for_rerun(page)
    expect(canvas_of(page)).to_be_hidden()
    page.keyboard.press("Delete")
    source(page, "Draw").click()
    expect(headline(page)).to_have_attribute("data-label", "7")


def test_photo_is_classified(page: Page) -> None:
    wait_until_ready(page)
    expect(page.locator("video")).to_have_count(0)
    source(page, "Camera").click()
    expect(page.get_by_text("Take a photo of a digit")).to_be_visible()
    expect(page.locator("video")).to_have_js_property("readyState", 4)  # HAVE_ENOUGH_DATA
    page.get_by_role("button", name="Take photo").click()
    expect(headline(page)).to_have_attribute("data-label", "4")
    expect(cards(page)).to_have_count(1)
    source(page, "Draw").click()
    expect(page.get_by_text("Draw a digit on the canvas")).to_be_visible()
    expect(page.locator("video")).to_have_count(0)
    expect(cards(page)).to_have_count(1)


def test_picture_without_ink_shows_an_error(page: Page) -> None:
    source(page, "Upload").click()
    upload(page, ("paper.png", encoded(canvas([], paper=WHITE))))
    expect(page.locator(".alert")).to_contain_text("There is nothing to read in this picture")


def test_sources_by_keyboard(page: Page) -> None:
    wait_until_ready(page)
    source(page, "Draw").focus()
    page.keyboard.press("ArrowRight")
    expect(source(page, "Upload")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_text("Upload a picture of a digit")).to_be_visible()
    expect(source(page, "Upload")).to_be_checked()


def test_sources_depend_on_the_model(desktop: Page, switch: ServiceSwitch, switched_page: str) -> None:
    service = FakeService()
    reply = classification("Ankle boot", model="fashion")
    service.replies["/models"] = lambda _: httpx.Response(
        200, json=models_response("digits", "letters", others=[fashion_model()])
    )
    service.replies["/classify"] = lambda request: httpx.Response(
        200, json=reply if request.url.params["model"] == "fashion" else classification()
    )
    switch.target = service
    desktop.goto(switched_page)
    draw_and_expect(desktop, SEVEN, "7")
    choose_model(desktop, "fashion")
    expect(source(desktop, "Draw")).to_have_count(0)
    expect(canvas_of(desktop)).to_be_hidden()
    expect(desktop.locator(".st-key-tools")).to_be_hidden()
    upload(desktop, ("boot.webp", WEBP))
    expect(headline(desktop)).to_have_attribute("data-label", "Ankle boot")
    desktop.get_by_text("How this answer was computed").click()
    expect(desktop.get_by_text("Which parts mattered")).to_be_visible()
    choose_model(desktop, "letters")
    expect(headline(desktop)).to_have_attribute("data-label", "7")
    wait_until_ready(desktop)
    source(desktop, "Upload").click()
    expect(desktop.locator(".upload-preview img")).to_be_visible()
    expect(cards(desktop)).to_have_count(2)


@pytest.mark.parametrize("name", ["Upload", "Camera"])
def test_no_horizontal_scrolling_on_a_phone(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    source(page, name).click()
    expect(canvas_of(page)).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = box_of(source(page, "Camera"))
    assert box["x"] + box["width"] <= 390


def test_texts_of_streamlit_s_widgets_are_translated(page: Page) -> None:
    wait_until_ready(page)
    source(page, "Upload").click()
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    page.get_by_role("radio", name="한국어").click()
    expect(page.get_by_role("button", name="파일 고르기")).to_be_visible()
    expect(source(page, "올리기")).to_be_checked()
    wait_for_rerun(page)
    upload(page, ("seven.webp", WEBP))
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
