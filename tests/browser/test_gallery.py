"""The saved gallery: real Chromium, real page, and the real service with its own database or a fake service."""

import io
import json
import re
import zipfile
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, TimeoutError, expect

from tests.browser.boxes import box_of
from tests.browser.processes import ServiceSwitch, start_page_for
from tests.browser.strokes import DIGITS, SEVEN, THREE, canvas_of, draw, draw_and_expect, wait_for_rerun, wait_until_ready
from tests.support.pictures import WHITE, digit, encoded
from tests.support.processes import free_port, start_service
from tests.support.waiting import until
from tests.ui.fake_service import FakeGallery, FakeService, gallery_entry, problem_response
from ui.state.saved_gallery import PAGE_SIZE

pytestmark = pytest.mark.browser

MAX_ATTEMPTS = 5
ATTEMPT_MS = 1_000.0  # of the first; each waits twice as long as the one before


def saved_cards(page: Page) -> Locator:
    return page.locator(".st-key-saved .card")


def unsaved_cards(page: Page) -> Locator:
    return page.locator(".st-key-session-pictures .card")


def tool(page: Page, name: str) -> Locator:
    """Return a button of the canvas."""
    return page.locator(".st-key-tools").get_by_role("button", name=name)


def clear(page: Page) -> None:
    wait_until_ready(page)
    tool(page, "Clear").click()
    expect(page.locator(".empty-hint")).to_be_visible()


def turn_saving_on(page: Page) -> None:
    wait_until_ready(page)
    page.get_by_text("Save my pictures").click()
    expect(page.get_by_role("switch", name="Save my pictures")).to_be_checked()
    wait_until_ready(page)


def press(page: Page, name: str, index: int = 0) -> None:
    """Press a button whose name begins so."""
    page.get_by_role("button", name=re.compile(f"^{name}")).nth(index).click()


def correct(page: Page, index: int, label: str) -> None:
    """Choose a corrected label. A rerun of the page closes the list; then it is opened again."""
    labels = page.get_by_role("combobox", name="Correct label of").nth(index)
    option = page.get_by_role("option", name=label, exact=True)
    for attempt in range(MAX_ATTEMPTS):
        wait_for_rerun(page)
        labels.press("ArrowDown")
        try:
            option.click(timeout=ATTEMPT_MS * 2**attempt)
            return
        except TimeoutError:
            continue
    expect(option).to_be_visible()


@pytest.fixture
def gallery(switch: ServiceSwitch) -> FakeGallery:
    """The empty gallery of the page's service."""
    gallery = FakeGallery()
    switch.target = FakeService(gallery=gallery)
    return gallery


def test_saved_pictures_survive_a_restart(desktop: Page, model_store: Path, logs: Path, tmp_path: Path) -> None:
    port = free_port()
    serve = partial(start_service, model_store, port, GALLERY_URL=f"sqlite:///{tmp_path / 'gallery.db'}", WORKERS="1")
    with start_page_for(desktop, f"http://127.0.0.1:{port}", logs) as page_address:
        with serve():
            desktop.goto(page_address)
            turn_saving_on(desktop)
            draw(desktop, SEVEN)
            expect(saved_cards(desktop)).to_have_count(1)
            draw(desktop, [[(100, 140), (190, 140)]])  # another stroke: the same drawing
            expect(desktop.locator(".headline")).to_be_visible()
            wait_until_ready(desktop)
            desktop.get_by_role("radio", name="Upload").click()
            four = FilePayload(name="4.png", mimeType="image/png", buffer=encoded(digit("4", paper=WHITE)))
            desktop.locator("input[type=file]").set_input_files(four)
            expect(saved_cards(desktop)).to_have_count(2)
            expect(unsaved_cards(desktop)).to_have_count(0)
            expect(saved_cards(desktop).first).to_have_attribute("data-label", "4")
            correct(desktop, 0, "9")
            expect(saved_cards(desktop).first).to_have_attribute("data-label", "9")
            expect(saved_cards(desktop).first).to_contain_text("corrected, was 4")
        with serve():
            desktop.goto(page_address)
            expect(saved_cards(desktop)).to_have_count(2)
            expect(saved_cards(desktop).first).to_contain_text("corrected, was 4")
            expect(saved_cards(desktop).first.locator("img")).to_be_visible()
            expect(desktop.get_by_role("switch", name="Save my pictures")).not_to_be_checked()
            with desktop.expect_download() as download:
                desktop.get_by_role("link", name="Export ZIP").click()
            download.value.save_as(tmp_path / "gallery.zip")
    with zipfile.ZipFile(tmp_path / "gallery.zip") as archive:
        assert archive.testzip() is None
        entries = json.loads(archive.read("manifest.json"))
        names = sorted(set(archive.namelist()) - {"manifest.json"})
        assert {(entry["label"], entry["corrected"]) for entry in entries} == {("4", "9"), ("7", None)}
        assert names == sorted(f"{entry['corrected'] or entry['label']}/{entry['id']}.png" for entry in entries)
        assert all(Image.open(io.BytesIO(archive.read(name))).format == "PNG" for name in names)


def test_nothing_is_saved_while_saving_is_off(desktop: Page, switch: ServiceSwitch, switched_page: str) -> None:
    switch.target = FakeService(gallery=FakeGallery())
    desktop.goto(switched_page)
    draw(desktop, SEVEN)
    expect(unsaved_cards(desktop)).to_have_count(1)
    wait_until_ready(desktop)
    assert {request.method for request in switch.target.requests_to("/gallery")} == {"GET"}
    press(desktop, "Save picture 1")
    expect(saved_cards(desktop)).to_have_count(1)
    expect(unsaved_cards(desktop)).to_have_count(0)
    assert [request.method for request in switch.target.requests_to("/gallery")].count("POST") == 1


def test_two_open_pages_do_not_conflict(desktop: Page, gallery: FakeGallery, switched_page: str) -> None:
    for id in "abc":
        gallery.entries[id] = gallery_entry(id)
    desktop.goto(switched_page)
    other = desktop.context.new_page()
    other.goto(desktop.url)
    for page in (desktop, other):
        expect(saved_cards(page)).to_have_count(3)
    correct(other, 0, "5")
    expect(saved_cards(other).nth(0)).to_have_attribute("data-label", "5")
    press(other, "Delete picture 3")
    expect(saved_cards(other)).to_have_count(2)
    desktop.reload()
    expect(saved_cards(desktop)).to_have_count(2)  # hidden from all while the deletion can be undone
    del gallery.entries["b"]
    correct(desktop, 1, "5")
    expect(desktop.get_by_text("had already been deleted on another page")).to_be_visible()
    expect(saved_cards(desktop)).to_have_count(1)
    expect(saved_cards(desktop).nth(0)).to_have_attribute("data-label", "5")


def test_load_more_and_delete_all(desktop: Page, gallery: FakeGallery, switched_page: str) -> None:
    for number in range(PAGE_SIZE + 3):
        gallery.entries[f"e{number}"] = gallery_entry(f"e{number}")
    desktop.goto(switched_page)
    expect(saved_cards(desktop)).to_have_count(PAGE_SIZE)
    press(desktop, "Load more")
    expect(saved_cards(desktop)).to_have_count(PAGE_SIZE + 3)
    expect(desktop.get_by_role("button", name="Load more")).to_have_count(0)
    desktop.get_by_role("button", name="Delete all").click()
    expect(desktop.get_by_text("those of all visitors and all models")).to_be_visible()
    press(desktop, f"Delete all {PAGE_SIZE + 3} pictures")
    expect(saved_cards(desktop)).to_have_count(0)
    assert len(gallery.entries) == PAGE_SIZE + 3
    press(desktop, "Undo deleting")
    expect(saved_cards(desktop)).to_have_count(PAGE_SIZE)
    desktop.get_by_role("button", name="Delete all saved pictures").click()
    press(desktop, f"Delete all {PAGE_SIZE + 3} pictures")
    expect(saved_cards(desktop)).to_have_count(0)
    desktop.goto("about:blank")
    until(lambda: gallery.entries == {})  # also when the visitor has left the page


def test_pending_picture_is_saved_after_a_database_outage(desktop: Page, gallery: FakeGallery, switched_page: str) -> None:
    desktop.goto(switched_page)
    turn_saving_on(desktop)
    gallery.database_down = True
    draw_and_expect(desktop, THREE, "7")
    expect(desktop.get_by_text("Not saved yet because the service does not answer: 1")).to_be_visible()
    expect(unsaved_cards(desktop)).to_have_count(1)
    gallery.database_down = False
    expect(saved_cards(desktop)).to_have_count(1, timeout=60_000)  # automatically, a few seconds later
    expect(unsaved_cards(desktop)).to_have_count(0)


def test_same_drawing_twice_does_not_break_the_gallery(desktop: Page, switch: ServiceSwitch, switched_page: str) -> None:
    switch.target = FakeService()
    desktop.goto(switched_page)
    for _ in range(2):
        for stroke in DIGITS["4"]:
            answered = len(switch.target.requests_to("/classify"))
            draw(desktop, [stroke])
            until(lambda: len(switch.target.requests_to("/classify")) > answered)  # noqa: B023 - called at once
            wait_until_ready(desktop)
        clear(desktop)
    expect(unsaved_cards(desktop)).to_have_count(1)
    expect(desktop.get_by_test_id("stException")).to_have_count(0)


def test_drawing_of_a_card_returns_to_the_canvas(desktop: Page, switch: ServiceSwitch, switched_page: str) -> None:
    switch.target = FakeService()
    desktop.goto(switched_page)
    draw(desktop, SEVEN)
    expect(unsaved_cards(desktop)).to_have_count(1)
    clear(desktop)
    draw(desktop, THREE)
    expect(unsaved_cards(desktop)).to_have_count(2)
    wait_until_ready(desktop)
    desktop.get_by_role("radio", name="Upload").click()
    expect(canvas_of(desktop)).to_be_hidden()
    wait_for_rerun(desktop)
    press(desktop, "Edit picture 2")
    expect(canvas_of(desktop)).to_be_visible()
    expect(desktop.locator(".headline")).to_be_visible()
    draw(desktop, [[(100, 140), (190, 140)]])
    answered = len(switch.target.requests_to("/classify"))
    tool(desktop, "Undo").click()
    until(lambda: len(switch.target.requests_to("/classify")) > answered)
    expect(tool(desktop, "Clear")).to_be_enabled()  # the strokes of the card are there
    expect(unsaved_cards(desktop)).to_have_count(2)  # and what was on the canvas before has its card


def test_saved_picture_is_opened_and_closed(desktop: Page, gallery: FakeGallery, switched_page: str) -> None:
    gallery.entries["a"] = gallery_entry("a")
    desktop.goto(switched_page)
    press(desktop, "Open picture 1")
    expect(desktop.locator(".upload-preview img")).to_be_visible()
    expect(desktop.locator(".headline")).to_be_visible()
    press(desktop, "Close this picture")
    expect(desktop.locator(".upload-preview")).to_have_count(0)
    expect(desktop.locator(".headline")).to_have_count(0)


def test_service_without_a_gallery(desktop: Page, switch: ServiceSwitch, switched_page: str) -> None:
    switch.target = FakeService()
    desktop.goto(switched_page)
    draw(desktop, SEVEN)
    expect(desktop.get_by_text("not saved, gone when you reload the page")).to_be_visible()
    expect(desktop.get_by_role("switch", name="Save my pictures")).to_have_count(0)
    press(desktop, "Remove these pictures from the page")
    expect(desktop.locator(".card")).to_have_count(0)
    press(desktop, "Undo removing")
    expect(desktop.locator(".card")).to_have_count(1)


def test_failed_export_shows_the_reason(desktop: Page, gallery: FakeGallery, switch: ServiceSwitch, switched_page: str) -> None:
    gallery.entries["a"] = gallery_entry("a")
    switch.target.replies["/gallery/export"] = lambda _: problem_response(503, "unavailable", detail="The database is down.")
    desktop.goto(switched_page)
    expect(saved_cards(desktop)).to_have_count(1)
    with desktop.context.expect_page() as opened:
        desktop.get_by_role("link", name="Export ZIP").click()
    expect(opened.value.get_by_text("The database is down.")).to_be_visible()
    expect(saved_cards(desktop)).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_horizontal_scrolling_on_a_phone(desktop: Page, scheme: str, gallery: FakeGallery, switched_page: str) -> None:
    for number, label in enumerate(("7", "Ankle boot", "W" * 40)):
        gallery.entries[f"e{number}"] = gallery_entry(f"e{number}", label, corrected="T-shirt/top")
    desktop.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    desktop.set_viewport_size({"width": 390, "height": 844})
    desktop.goto(switched_page)
    expect(saved_cards(desktop)).to_have_count(3)
    wait_until_ready(desktop)
    assert desktop.evaluate("document.documentElement.scrollWidth") <= 390
    for index in range(3):
        box = box_of(saved_cards(desktop).nth(index))
        assert box["x"] + box["width"] <= 390
