"""The states of the page that docs/ui.md shows, and how a visitor gets there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Final

import httpx
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.strokes import DIGITS, SEVEN, THREE, Stroke, draw, rest, settle, strike
from tests.support.pictures import STROKES, canvas, encoded
from tests.ui.service import Service

PATIENCE_MS: Final = 60_000
INK: Final = (38, 52, 104, 255)
NOTEPAPER: Final = (226, 222, 211, 255)
HOUSE: Final[list[Stroke]] = [
    [(70, 130), (140, 65), (212, 130)],
    [(82, 122), (84, 220), (200, 220), (198, 122)],
    [(125, 220), (126, 170), (158, 170), (158, 220)],
]


@dataclass
class Relay(Service):
    """Stands before the real service, and can keep its answers waiting."""

    address: str = ""
    go: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.go.set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """What the real service answers."""
        self.go.wait(PATIENCE_MS / 1000)
        headers = {name: request.headers[name] for name in ("Content-Type",) if name in request.headers}
        url = f"{self.address}{request.url.raw_path.decode()}"
        return httpx.request(request.method, url, content=request.content, headers=headers, timeout=60)


@dataclass(frozen=True)
class Stage:
    """Where the pictures are taken: a page with the service behind it, and one whose service is down."""

    page: str
    forlorn: str
    relay: Relay

    def tidy(self) -> None:
        """Nothing waits and nothing is kept."""
        self.relay.go.set()
        httpx.delete(f"{self.relay.address}/gallery", timeout=60).raise_for_status()


def loading(page: Page, stage: Stage) -> None:
    """The service has not said yet which models it has."""
    stage.relay.go.clear()
    page.goto(stage.page)
    expect(page.get_by_text("Asking the service which models it has")).to_be_visible()


def empty(page: Page, stage: Stage) -> None:
    """Nothing drawn yet."""
    page.goto(stage.page)
    settle(page)
    expect(page.get_by_text("Nothing is kept here yet")).to_be_visible()


def answer(page: Page, stage: Stage, language: str = "en") -> None:
    """A 3 and a 7, the first in the gallery."""
    page.goto(f"{stage.page}/?lang={language}")
    draw(page, THREE)
    expect(headline(page)).to_have_attribute("data-label", "3")
    settle(page)
    page.locator(".st-key-clear button").click()
    expect(page.locator(".blank")).to_be_visible()
    draw(page, SEVEN)
    expect(headline(page)).to_have_attribute("data-label", "7")
    expect(page.locator(".card")).to_have_count(2)


def pen(page: Page, stage: Stage) -> None:
    """A 2, and what the pen is chosen with."""
    page.goto(stage.page)
    draw(page, DIGITS["2"])
    expect(headline(page)).to_have_attribute("data-label", "2")
    settle(page)
    page.locator(".st-key-tools").get_by_role("button", name="Pen").click()
    expect(page.get_by_role("slider", name="Brush width")).to_be_visible()


def rejected(page: Page, stage: Stage) -> None:
    """A house, which is no digit."""
    page.goto(stage.page)
    draw(page, HOUSE)
    settle(page)
    expect(page.locator(".doubt")).to_be_visible()


def explained(page: Page, stage: Stage) -> None:
    """A 5 and how it was read."""
    page.goto(stage.page)
    draw(page, DIGITS["5"])
    expect(headline(page)).to_have_attribute("data-label", "5")
    page.get_by_text("How this answer came about").click()
    expect(page.locator(".stages img")).to_have_count(5)


def compared(page: Page, stage: Stage) -> None:
    """A 7 for two models."""
    page.goto(stage.page)
    settle(page)
    with settings(page):
        page.get_by_role("combobox", name="Compare with").click()
        page.get_by_role("option", name="characters", exact=True).click()
        expect(page.get_by_role("option")).to_have_count(0)
    draw(page, SEVEN)
    expect(page.locator(".answer")).to_have_count(2)


def uploaded(page: Page, stage: Stage) -> None:
    """A photo of a 4."""
    send(page, stage, photo("4"))
    expect(page.locator(".sent img")).to_be_visible()
    expect(headline(page)).to_have_attribute("data-label", "4")


def files(page: Page, stage: Stage) -> None:
    """Several files, one of them no picture."""
    broken = FilePayload(name="notes.png", mimeType="image/png", buffer=b"this is no picture")
    send(page, stage, photo("7"), photo("4"), broken, photo("1"))
    expect(page.locator(".files tbody tr")).to_have_count(4)


def refused(page: Page, stage: Stage) -> None:
    """A file that is no picture."""
    send(page, stage, FilePayload(name="notes.png", mimeType="image/png", buffer=b"this is no picture"))
    expect(page.locator(".alert")).to_be_visible()


def camera(page: Page, stage: Stage) -> None:
    """A photo taken of a 4."""
    page.goto(stage.page)
    settle(page)
    page.get_by_role("radio", name="Camera").click()
    expect(page.locator("video")).to_have_js_property("readyState", 4)  # HAVE_ENOUGH_DATA
    page.get_by_role("button", name="Take photo").click()
    expect(headline(page)).to_have_attribute("data-label", "4")


def gallery(page: Page, stage: Stage) -> None:
    """Drawings that are kept, one of them corrected."""
    page.goto(stage.page)
    settle(page)
    page.get_by_text("Keep my drawings").click()
    expect(page.get_by_role("switch", name="Keep my drawings")).to_be_checked()
    for count, label in enumerate("3594", start=1):
        draw(page, DIGITS[label])
        expect(page.locator(".st-key-kept .card")).to_have_count(count)
        settle(page)
        page.locator(".st-key-clear button").click()
        expect(page.locator(".blank")).to_be_visible()
    kept = httpx.get(f"{stage.relay.address}/gallery", timeout=60).json()["entries"]
    httpx.patch(f"{stage.relay.address}/gallery/{kept[1]['id']}", json={"label": "4"}, timeout=60).raise_for_status()
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_text("corrected, was 9")).to_be_visible()


def code(page: Page, stage: Stage) -> None:
    """A 6, and how a program asks the same."""
    page.goto(stage.page)
    draw(page, DIGITS["6"])
    expect(headline(page)).to_have_attribute("data-label", "6")
    page.get_by_text("Use it from code").click()
    page.get_by_role("tab", name="Python: bentoml").click()
    expect(page.get_by_role("tabpanel").filter(visible=True).locator("code")).to_be_visible()


def slow(page: Page, stage: Stage) -> None:
    """The service has not answered the second stroke yet."""
    page.goto(stage.page)
    draw(page, SEVEN)
    expect(headline(page)).to_be_visible()
    settle(page)
    stage.relay.go.clear()
    strike(page, [[(100, 140), (190, 140)]])
    expect(page.locator(".answer .slow")).to_be_visible()


def down(page: Page, stage: Stage) -> None:
    """The service does not answer."""
    page.goto(stage.forlorn)
    draw(page, SEVEN)
    expect(page.locator(".alert")).to_be_visible()


def korean(page: Page, stage: Stage) -> None:
    """An answer in Korean."""
    answer(page, stage, "ko")


# In the order of docs/ui.md.
ALL: Final[tuple[Callable[[Page, Stage], None], ...]] = (
    *(loading, empty, answer, pen, rejected, explained, compared, uploaded, camera, files),
    *(gallery, code, refused, slow, down, korean),
)
STATES: Final = {state.__name__: state for state in ALL}


def headline(page: Page) -> Locator:
    """The answer, large."""
    return page.locator(".headline")


def photo(digit: str) -> FilePayload:
    """A digit in blue ink on notepaper."""
    image: Image.Image = canvas(STROKES[digit], ink=INK, paper=NOTEPAPER, width=12).convert("RGB")
    return FilePayload(name=f"{digit}.jpg", mimeType="image/jpeg", buffer=encoded(image, "JPEG"))


def send(page: Page, stage: Stage, *sent: FilePayload) -> None:
    """Upload files."""
    page.goto(stage.page)
    settle(page)
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").set_input_files(list(sent))
    rest(page)


@contextmanager
def settings(page: Page) -> Iterator[None]:
    """The sidebar, open; a phone hides it."""
    hidden = page.get_by_test_id("stExpandSidebarButton")
    folded = hidden.is_visible()
    if folded:
        hidden.click()
    yield
    if folded:
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
        expect(hidden).to_be_visible()
        expect(page.get_by_test_id("stSidebar")).not_to_be_in_viewport()  # it slides out, over the sheet
