"""Models of whole photos: real Chromium, real page, and a real service with such models."""

import csv
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.processes import ServiceSwitch
from tests.browser.states import ProxyService
from tests.browser.strokes import canvas_of, draw_and_expect, wait_for_rerun, wait_until_ready
from tests.models.catalogues import models
from tests.support.photo_catalogue import write_photo_catalogue
from tests.support.pictures import encoded
from tests.support.processes import ROOT, free_port, start_service

pytestmark = pytest.mark.browser

RED = encoded(Image.new("RGB", (60, 40), (220, 20, 10)))
YELLOW = encoded(Image.new("RGB", (60, 40), (230, 220, 10)))
BLACK = encoded(Image.new("RGB", (60, 40)))


@pytest.fixture(scope="module")
def photo_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real service with models of photos only."""
    home = tmp_path_factory.mktemp("photos")
    write_photo_catalogue(home / "catalogue")
    imported = models(home, "import", catalogue=home / "catalogue")
    assert imported.returncode == 0, imported.stderr
    settings = {"CATALOGUE": str(home / "catalogue"), "DEFAULT_MODEL": "colours", "WORKERS": "1"}
    with start_service(home, free_port(), **settings) as address:
        yield address


@pytest.fixture
def page(desktop: Page, switch: ServiceSwitch, switched_page: str, photo_address: str) -> Page:
    switch.target = ProxyService(address=photo_address)
    desktop.goto(switched_page)
    wait_for_rerun(desktop)
    return desktop


def choose_model(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Model", exact=True).click()
    page.get_by_role("option", name=name, exact=True).click()
    expect(page.get_by_text(f"{name}, version")).to_be_visible()  # the run has begun; a file that is sent before may be lost
    wait_for_rerun(page)


def upload(page: Page, **files: bytes) -> None:
    payloads = [FilePayload(name=f"{name}.png", mimeType="image/png", buffer=data) for name, data in files.items()]
    page.locator("input[type=file]").set_input_files(payloads)


def stage_pixel(page: Page, title: str) -> list[int]:
    """Return the middle pixel of a picture of the explanation as the browser shows it."""
    pixel: list[int] = page.get_by_alt_text(title, exact=True).evaluate(
        """async image => {
          await image.decode();
          const context = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext("2d");
          context.drawImage(image, 0, 0);
          return [...context.getImageData(image.naturalWidth / 2, image.naturalHeight / 2, 1, 1).data.slice(0, 3)];
        }"""
    )
    return pixel


def test_photo_is_uploaded_answered_and_explained_in_colour(page: Page) -> None:
    expect(page.get_by_role("radio", name="Upload")).to_be_checked()
    expect(page.get_by_role("radio", name="Camera")).to_be_visible()
    expect(page.get_by_role("radio", name="Draw")).to_have_count(0)
    expect(canvas_of(page)).to_be_hidden()
    expect(page.get_by_text("The whole picture counts")).to_be_visible()
    upload(page, red=RED)
    expect(page.locator(".headline")).to_have_attribute("data-label", "red")
    page.get_by_text("How this answer was computed").click()
    expect(page.locator(".stages img")).to_have_count(3)
    expect(page.locator(".stages figcaption b")).to_have_text(["Your picture", "What the model sees", "Which parts mattered"])
    expect(page.locator(".stages")).not_to_contain_text("Levels")
    assert stage_pixel(page, "Your picture") == stage_pixel(page, "What the model sees") == [220, 20, 10]
    assert page.locator(".card img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 60


def test_code_examples_of_a_photo_run(page: Page, photo_address: str, tmp_path: Path) -> None:
    choose_model(page, "tints")
    upload(page, yellow=YELLOW)
    expect(page.locator(".headline")).to_be_visible()
    page.get_by_text("Use it from code").click()
    expect(page.get_by_role("tab", name="JavaScript: canvas")).to_have_count(0)
    code = page.get_by_role("tabpanel").filter(visible=True).locator("code")
    page.get_by_role("tab", name="Python: httpx").click()
    expect(code).to_contain_text("yellow.png")
    script = code.inner_text()
    assert '"model": "tints"' in script
    (tmp_path / "yellow.png").write_bytes(YELLOW)
    ran = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.startswith("{'red': 0.9") and "'green': 0.9" in ran.stdout and "blue" not in ran.stdout
    assert ROOT not in tmp_path.parents
    page.get_by_role("tab", name="JavaScript: file input").click()
    expect(code).to_contain_text("body: file")
    script = re.sub(r"http://127\.0\.0\.1:\d+/", f"{photo_address}/", code.inner_text())
    page.goto(f"{photo_address}/")  # a page of the same origin
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), { type: 'file', id: 'sent' }))")
    page.locator("#sent").set_input_files([FilePayload(name="yellow.png", mimeType="image/png", buffer=YELLOW)])
    script = script.replace("'input[type=\"file\"]'", "'#sent'").replace("console.log(", "return (")
    assert [label for label, _ in page.evaluate(f"async () => {{ {script}\n}}")] == ["red", "green"]


def test_each_label_of_a_multi_label_model_stands_for_itself(page: Page) -> None:
    choose_model(page, "tints")
    upload(page, yellow=YELLOW)
    expect(page.locator(".headline .label")).to_have_text("red, green")
    expect(page.locator(".headline .score")).to_contain_text("2 of 3 labels")
    expect(page.locator(".bar.predicted .bar-name")).to_have_text(["red", "green"])
    expect(page.get_by_role("status").filter(has_text="red, green: 2 of 3 labels have at least 50%")).to_have_count(1)
    expect(page.locator(".card .card-label")).to_have_text("red, green")

    page.get_by_test_id("stFileChipDeleteBtn").get_by_role("button").click()
    expect(page.locator(".empty-hint")).to_be_visible()
    upload(page, yellow=YELLOW, black=BLACK)
    expect(page.locator(".files tbody .label")).to_have_text(["No label", "red, green"])
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig"))))
    assert [(row["label"], row["labels"]) for row in rows] == [("red", "red; green"), ("red", "")]


def test_thousand_long_labels_fit_the_page(page: Page) -> None:
    choose_model(page, "many")
    upload(page, red=RED)
    expect(page.locator(".headline")).to_have_attribute("data-label", "red")
    expect(page.get_by_text("The other 999: under 0.1% each")).to_be_visible()
    page.get_by_text("How this answer was computed").click()
    page.locator(".explanation-details summary").click()
    expect(page.locator(".logits li")).to_have_count(30)
    page.set_viewport_size({"width": 390, "height": 844})
    wait_for_rerun(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert (
        page.locator(".bars, .logits, .headline, .card").evaluate_all(
            "all => all.filter(each => each.scrollWidth > each.clientWidth + 1).length"
        )
        == 0
    )


def test_grey_photos_can_be_drawn_too(page: Page) -> None:
    choose_model(page, "brightness")
    expect(page.get_by_role("radio", name="Upload")).to_be_checked()
    page.get_by_role("radio", name="Draw").click()
    wait_until_ready(page)
    draw_and_expect(page, [[(100, 100), (180, 180)]], "bright")
    choose_model(page, "colours")
    expect(page.get_by_role("radio", name="Upload")).to_be_checked()
    expect(canvas_of(page)).to_be_hidden()


def test_photo_page_in_korean(page: Page) -> None:
    page.get_by_role("radio", name="한국어").click()
    expect(page.get_by_text("배경까지 그림 전체를 봅니다")).to_be_visible()
    upload(page, red=RED)
    expect(page.locator(".headline")).to_have_attribute("data-label", "red")
    page.get_by_text("이 답이 나온 과정").click()
    expect(page.locator(".stages figcaption b")).to_have_text(["보내신 그림", "모델이 보는 그림", "중요했던 부분"])
