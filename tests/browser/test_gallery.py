"""The gallery that the service keeps: real Chromium, real page, mostly the real service with a database of its own."""

import io
import json
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Locator, Page, TimeoutError, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.processes import stand_in, start_page, start_page_for
from tests.browser.strokes import SEVEN, THREE, draw, settle
from tests.support.pictures import WHITE, digit, encoded
from tests.support.processes import free_port, start_service
from tests.ui.service import Gallery, Service, kept, problem
from ui.kept import PAGE

pytestmark = pytest.mark.browser

TRIES = 5


def cards(page: Page) -> Locator:
    return page.locator(".st-key-kept .card")


def fresh(page: Page) -> Locator:
    return page.locator(".st-key-visit .card")


def keep(page: Page) -> None:
    settle(page)
    page.get_by_text("Keep my drawings").click()
    expect(page.get_by_role("switch", name="Keep my drawings")).to_be_checked()
    settle(page)


def press(page: Page, name: str, place: int = 0) -> None:
    page.get_by_role("button", name=name, exact=True).nth(place).click()


def correct(page: Page, place: int, label: str) -> None:
    """Choose a label from a card's list, which closes where the page has just been shown anew: then it is opened again."""
    labels = page.get_by_role("combobox", name="What picture").nth(place)
    option = page.get_by_role("option", name=label, exact=True)
    for _ in range(TRIES):
        labels.press("ArrowDown")
        try:
            option.click(timeout=PATIENCE_MS / TRIES)
            return
        except TimeoutError:
            continue
    expect(option).to_be_visible()


class Relay(Service):
    """Hands on to the service of the test that runs, so that one page serves all tests."""

    to: Service

    def __call__(self, request: httpx.Request) -> httpx.Response:
        return self.to(request)


@pytest.fixture(scope="module")
def relay() -> Relay:
    return Relay()


@pytest.fixture(scope="module")
def relayed(chromium: Browser, relay: Relay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page with the relay behind it."""
    assert chromium.is_connected()
    with stand_in(relay) as address, start_page(address, tmp_path_factory.mktemp("page")) as page_address:
        yield page_address


@pytest.fixture
def gallery(relay: Relay) -> Gallery:
    """What the service behind the page keeps, at first nothing."""
    gallery = Gallery()
    relay.to = Service(gallery=gallery)
    return gallery


def test_kept_corrected_and_still_there_after_a_restart(visit: Page, model_store: Path, logs: Path, tmp_path: Path) -> None:
    port = free_port()
    serve = partial(start_service, model_store, port, GALLERY_URL=f"sqlite:///{tmp_path / 'gallery.db'}", WORKERS="1")
    with start_page_for(visit, f"http://127.0.0.1:{port}", logs) as page_address:
        with serve():
            visit.goto(page_address)
            keep(visit)
            draw(visit, SEVEN)
            expect(cards(visit)).to_have_count(1)
            draw(visit, [[(100, 140), (190, 140)]])  # a bar through it: the same drawing
            expect(visit.locator(".headline")).to_be_visible()
            settle(visit)
            visit.get_by_role("radio", name="Upload").click()
            four = FilePayload(name="4.png", mimeType="image/png", buffer=encoded(digit("4", paper=WHITE)))
            visit.locator("input[type=file]").set_input_files(four)
            expect(cards(visit)).to_have_count(2)
            expect(fresh(visit)).to_have_count(0)
            expect(cards(visit).first).to_have_attribute("data-label", "4")
            correct(visit, 0, "9")
            expect(cards(visit).first).to_have_attribute("data-label", "9")
            expect(cards(visit).first).to_contain_text("corrected, was 4")
        with serve():
            visit.goto(page_address)
            expect(cards(visit)).to_have_count(2)
            expect(cards(visit).first).to_contain_text("corrected, was 4")
            expect(cards(visit).first.locator("img")).to_be_visible()
            expect(visit.get_by_role("switch", name="Keep my drawings")).not_to_be_checked()
            with visit.expect_download() as download:
                visit.get_by_role("link", name="Export ZIP").click()
            download.value.save_as(tmp_path / "gallery.zip")
    with zipfile.ZipFile(tmp_path / "gallery.zip") as archive:
        assert archive.testzip() is None
        entries = json.loads(archive.read("manifest.json"))
        names = sorted(set(archive.namelist()) - {"manifest.json"})
        assert {(entry["label"], entry["corrected"]) for entry in entries} == {("4", "9"), ("7", None)}
        assert names == sorted(f"{entry['corrected'] or entry['label']}/{entry['id']}.png" for entry in entries)
        assert all(Image.open(io.BytesIO(archive.read(name))).format == "PNG" for name in names)


def test_without_the_switch_nothing_is_kept(visit: Page, relay: Relay, relayed: str) -> None:
    relay.to = Service(gallery=Gallery())
    visit.goto(relayed)
    draw(visit, SEVEN)
    expect(fresh(visit)).to_have_count(1)
    settle(visit)
    assert {request.method for request in relay.to.asked_for("/gallery")} == {"GET"}
    press(visit, "Keep")
    expect(cards(visit)).to_have_count(1)
    expect(fresh(visit)).to_have_count(0)
    assert [request.method for request in relay.to.asked_for("/gallery")].count("POST") == 1


def test_two_pages_side_by_side_lose_nothing(visit: Page, gallery: Gallery, relayed: str) -> None:
    for id in "abc":
        gallery.entries[id] = kept(id)
    visit.goto(relayed)
    other = visit.context.new_page()
    other.goto(visit.url)
    for page in (visit, other):
        expect(cards(page)).to_have_count(3)
    correct(other, 0, "5")
    expect(cards(other).nth(0)).to_have_attribute("data-label", "5")
    press(other, "Delete", 2)
    expect(cards(other)).to_have_count(2)
    press(visit, "Delete", 2)
    expect(visit.get_by_text("had been deleted elsewhere")).to_be_visible()
    expect(cards(visit)).to_have_count(2)
    expect(cards(visit).nth(0)).to_have_attribute("data-label", "5")
    assert list(gallery.entries) == ["b", "c"]


def test_more_on_demand_and_emptied_after_a_second_thought(visit: Page, gallery: Gallery, relayed: str) -> None:
    for number in range(PAGE + 3):
        gallery.entries[f"e{number}"] = kept(f"e{number}")
    visit.goto(relayed)
    expect(cards(visit)).to_have_count(PAGE)
    press(visit, "Load more")
    expect(cards(visit)).to_have_count(PAGE + 3)
    expect(visit.get_by_role("button", name="Load more")).to_have_count(0)
    visit.get_by_role("button", name="Empty").click()
    expect(visit.get_by_text("everybody's, of every model")).to_be_visible()
    assert len(gallery.entries) == PAGE + 3
    press(visit, "Delete all pictures")
    expect(visit.get_by_text("Nothing is kept here yet")).to_be_visible()
    expect(cards(visit)).to_have_count(0)
    assert gallery.entries == {}


def test_a_database_that_goes_and_comes_back_loses_nothing(visit: Page, gallery: Gallery, relayed: str) -> None:
    visit.goto(relayed)
    keep(visit)
    gallery.away = True
    draw(visit, THREE)
    expect(visit.locator(".headline")).to_have_attribute("data-label", "7")
    expect(visit.get_by_text("Not kept yet because the service does not answer: 1")).to_be_visible()
    expect(fresh(visit)).to_have_count(1)
    gallery.away = False
    expect(cards(visit)).to_have_count(1, timeout=60_000)  # by itself, a few seconds later
    expect(fresh(visit)).to_have_count(0)


def test_a_service_without_a_gallery(visit: Page, relay: Relay, relayed: str) -> None:
    relay.to = Service()
    visit.goto(relayed)
    draw(visit, SEVEN)
    expect(visit.get_by_text("This service keeps no pictures")).to_be_visible()
    expect(visit.get_by_role("switch", name="Keep my drawings")).to_have_count(0)
    press(visit, "Forget these")
    expect(visit.locator(".card")).to_have_count(0)


def test_an_export_that_fails_says_why_and_harms_nothing(visit: Page, gallery: Gallery, relay: Relay, relayed: str) -> None:
    gallery.entries["a"] = kept("a")
    relay.to.replies["/gallery/export"] = lambda _: problem(503, "unavailable", detail="The database is away.")
    visit.goto(relayed)
    expect(cards(visit)).to_have_count(1)
    with visit.context.expect_page() as opened:
        visit.get_by_role("link", name="Export ZIP").click()
    expect(opened.value.get_by_text("The database is away.")).to_be_visible()
    expect(cards(visit)).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(visit: Page, scheme: str, gallery: Gallery, relayed: str) -> None:
    for number, label in enumerate(("7", "Ankle boot", "W" * 40)):
        gallery.entries[f"e{number}"] = kept(f"e{number}", label, corrected="T-shirt/top")
    visit.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    visit.set_viewport_size({"width": 390, "height": 844})
    visit.goto(relayed)
    expect(cards(visit)).to_have_count(3)
    settle(visit)
    assert visit.evaluate("document.documentElement.scrollWidth") <= 390
    for place in range(3):
        box = cards(visit).nth(place).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390
