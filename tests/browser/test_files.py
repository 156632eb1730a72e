"""Upload of many files: real Chromium, real page, real service."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.strokes import wait_until_ready
from tests.support.pictures import WHITE, digit, encoded
from tests.ui.fake_service import JPEG, WEBP

pytestmark = pytest.mark.browser


def file(name: str, data: bytes) -> FilePayload:
    return FilePayload(name=name, mimeType="image/png", buffer=data)


def twelve_files() -> list[FilePayload]:
    """Return eleven digits, some with unusual file names, and one file that is not a picture."""
    digits = [(name, encoded(digit(name, paper=WHITE, offset=(shift, 0)))) for shift in (0, 12, 24) for name in "147"]
    files = [file(f"{name} moved {place}.png", data) for place, (name, data) in enumerate(digits)]
    return [*files, file("=칠.jpg", JPEG), file("<b>7.webp", WEBP), file("broken.png", b"this is no picture")]


def send(page: Page, files: list[FilePayload]) -> None:
    wait_until_ready(page)
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").set_input_files(files)


def choose_order(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Order of the files").click()
    page.get_by_role("option", name=name).click()
    wait_without_canvas(page)


def rows(page: Page) -> Locator:
    return page.locator(".files tbody tr")


def test_broken_file_does_not_affect_the_others(page: Page, tmp_path: Path) -> None:
    send(page, twelve_files())
    expect(rows(page)).to_have_count(12)
    expect(page.get_by_text("11 of 12 files classified. 1 failed: broken.png")).to_be_visible()
    expect(rows(page).first).to_contain_text("broken.png")
    expect(rows(page).first).to_contain_text("This file is not a picture the service can read")
    expect(page.locator(".files .error")).to_have_count(1)
    choose_order(page, "In the order of upload")
    for place, name in enumerate("147147147"):
        expect(rows(page).nth(place)).to_have_attribute("data-label", name)
    expect(rows(page).last).to_contain_text("broken.png")
    expect(page.locator(".label-counts li")).to_have_text(["7 5", "1 3", "4 3", "not read 1"])
    expect(page.locator(".performance")).to_contain_text("(12 in all, requests: 1)")
    expect(page.locator(".files img")).to_have_count(11)
    expect(page.locator(".alert")).to_have_count(0)

    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "answers.csv")
    text = (tmp_path / "answers.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    table = list(csv.DictReader(text.decode("utf-8-sig").splitlines()))
    assert [row["label"] for row in table] == [*"147147147", "7", "7", ""]
    assert [row["file"] for row in table[-3:]] == ["'=칠.jpg", "<b>7.webp", "broken.png"]
    assert all(float(row["confidence"]) > 0.5 for row in table[:-1])
    assert "not a picture" in table[-1]["error"]


def test_another_file_is_added_to_the_list(page: Page) -> None:
    send(page, twelve_files()[:2])
    expect(rows(page)).to_have_count(2)
    page.locator("input[type=file]").set_input_files(file("seven.jpg", JPEG))
    expect(rows(page)).to_have_count(3)
    expect(rows(page).filter(has_text="seven.jpg")).to_have_attribute("data-label", "7")
    page.get_by_role("button", name="Remove all 3 files").click()
    expect(page.locator(".empty-hint")).to_be_visible()
    page.locator("input[type=file]").set_input_files(file("seven.jpg", JPEG))
    expect(page.locator(".headline")).to_have_attribute("data-label", "7")


def test_files_that_cannot_be_read_are_listed_with_their_reason(page: Page, tmp_path: Path) -> None:
    wait_until_ready(page)
    page.get_by_role("radio", name="Upload").click()
    contents = {
        "seven.png": encoded(digit("7", paper=WHITE)),
        "iphone.HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64),
        "seven.bmp": encoded(digit("7", paper=WHITE).convert("RGB"), "BMP"),
        "holiday.tif": bytes(33 * 2**20),
        "nothing.png": b"",
        "notes.txt": b"no picture",
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    page.locator("input[type=file]").set_input_files([tmp_path / name for name in contents])
    expect(rows(page)).to_have_count(6)
    expect(page.get_by_text("2 of 6 files classified. 4 failed: ")).to_be_visible()
    for name, reason in {
        "iphone.HEIC": "HEIC",
        "holiday.tif": "it has 33.0 MB, and the page takes up to 32 MB",
        "nothing.png": "The file is empty",
        "notes.txt": "This file is not a picture the service can read",
    }.items():
        expect(rows(page).filter(has_text=name)).to_contain_text(reason)
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)


def test_dropped_file_that_is_too_large_is_listed(page: Page) -> None:
    wait_until_ready(page)
    page.get_by_role("radio", name="Upload").click()
    zone = page.get_by_test_id("stFileUploaderDropzone")
    files = page.evaluate_handle(
        """() => {
            const files = new DataTransfer();
            files.items.add(new File([new Uint8Array(33 * 2 ** 20)], "holiday.tif"));
            files.items.add(new File(["no picture"], "notes.txt"));
            return files;
        }"""
    )
    zone.dispatch_event("dragenter", {"dataTransfer": files})
    zone.dispatch_event("drop", {"dataTransfer": files})
    expect(rows(page)).to_have_count(2)
    expect(rows(page).filter(has_text="holiday.tif")).to_contain_text("it has 33.0 MB")
    expect(page.get_by_text("Drag and drop files here")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_horizontal_scrolling_on_a_phone(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    send(page, [*twelve_files(), file("a very long name that somebody gave to a file " * 3 + ".png", JPEG)])
    expect(rows(page)).to_have_count(13)
    wait_without_canvas(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".files").evaluate("box => box.scrollWidth <= box.clientWidth")


def wait_without_canvas(page: Page) -> None:
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
