"""The states of the page that docs/ui.md shows, and the actions that lead to them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Final

import httpx
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.boxes import box_of
from tests.browser.processes import TIMEOUT_MS
from tests.browser.strokes import (
    DIGITS,
    SEVEN,
    THREE,
    Stroke,
    draw,
    draw_and_expect,
    draw_without_waiting,
    wait_for_rerun,
    wait_until_ready,
    written,
)
from tests.support.pictures import STROKES, canvas, encoded
from tests.ui.fake_service import FakeService

INK: Final = (38, 52, 104, 255)
NOTEPAPER: Final = (226, 222, 211, 255)
SQUIGGLE: Final[list[Stroke]] = [
    [(270, 120), (300, 100), (310, 150), (280, 190), (320, 200), (340, 120), (350, 190), (300, 220), (270, 160), (345, 150)]
]
HOUSE: Final[list[Stroke]] = [
    [(70, 130), (140, 65), (212, 130)],
    [(82, 122), (84, 220), (200, 220), (198, 122)],
    [(125, 220), (126, 170), (158, 170), (158, 220)],
]


@dataclass
class ProxyService(FakeService):
    """Forwards requests to the real service; answers wait while `may_answer` is cleared."""

    address: str = ""
    may_answer: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Return the response of the real service."""
        self.may_answer.wait(TIMEOUT_MS / 1000)
        headers = {name: request.headers[name] for name in ("Content-Type",) if name in request.headers}
        url = f"{self.address}{request.url.raw_path.decode()}"
        return httpx.request(request.method, url, content=request.content, headers=headers, timeout=60)


@dataclass(frozen=True)
class Setup:
    """The pages for the screenshots: one with a service, and one without."""

    page: str
    page_without_service: str
    proxy: ProxyService

    def reset(self) -> None:
        """Let requests through and delete all saved pictures."""
        self.proxy.may_answer.set()
        httpx.delete(f"{self.proxy.address}/gallery", timeout=60).raise_for_status()


def loading(page: Page, setup: Setup) -> None:
    """The list of models has not been loaded yet."""
    setup.proxy.may_answer.clear()
    page.goto(setup.page)
    expect(page.get_by_text("Loading the list of models")).to_be_visible()


def empty(page: Page, setup: Setup) -> None:
    """Nothing drawn yet."""
    page.goto(setup.page)
    wait_until_ready(page)
    expect(page.get_by_role("switch", name="Save my pictures")).to_be_visible()


def answer(page: Page, setup: Setup, language: str = "en") -> None:
    """An answer to a 7, after a 3 that is in the gallery."""
    page.goto(f"{setup.page}/?lang={language}")
    draw_and_expect(page, THREE, "3")
    wait_until_ready(page)
    page.locator("[data-tool=clear]").click()  # its name depends on the language
    expect(page.locator(".empty-hint")).to_be_visible()
    draw_and_expect(page, SEVEN, "7")
    expect(page.locator(".card")).to_have_count(2)


def pen(page: Page, setup: Setup) -> None:
    """A 2, with the controls of the pen open."""
    page.goto(setup.page)
    draw_and_expect(page, DIGITS["2"], "2")
    wait_until_ready(page)
    page.locator(".st-key-tools").get_by_role("button", name="Pen").click()
    expect(page.get_by_role("slider", name="Stroke width")).to_be_visible()


def rejected(page: Page, setup: Setup) -> None:
    """A house, which is not a digit."""
    page.goto(setup.page)
    draw(page, HOUSE)
    wait_until_ready(page)
    expect(page.locator(".notice")).to_be_visible()


def several(page: Page, setup: Setup) -> None:
    """Two digits, of which a model that reads one at a time says that they are several."""
    page.goto(setup.page)
    wait_until_ready(page)
    draw(page, [[(x * 0.55 + 30, y + 20) for x, y in stroke] for stroke in written("42")])
    expect(page.get_by_role("button", name="Read as a number")).to_be_visible()


def sequence(page: Page, setup: Setup) -> None:
    """The number 1987 with a character selected."""
    page.goto(f"{setup.page}/?model=numbers")
    draw_and_expect(page, written("1987"), "1987")
    wait_until_ready(page)
    select_character(page, 1)
    wait_for_rerun(page)
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")


def unsure(page: Page, setup: Setup) -> None:
    """A number with something in it that is no digit."""
    page.goto(f"{setup.page}/?model=numbers")
    draw(page, [*written("19"), *SQUIGGLE, *(shifted(stroke, 360) for stroke in DIGITS["7"])])
    wait_until_ready(page)
    expect(page.locator(".headline.sequence.rejected")).to_be_visible()


def explained(page: Page, setup: Setup) -> None:
    """A 5 with its explanation."""
    page.goto(setup.page)
    draw_and_expect(page, DIGITS["5"], "5")
    page.get_by_text("How this answer was computed").click()
    expect(page.locator(".stages img")).to_have_count(4)


def replay(page: Page, setup: Setup) -> None:
    """A 5 that is drawn again beside the confidence over time."""
    page.goto(setup.page)
    draw_and_expect(page, DIGITS["5"], "5")
    page.emulate_media(reduced_motion="reduce")  # the same picture in each screenshot
    page.get_by_text("Watch it being drawn").click()
    expect(page.locator(".replay-strip li")).to_have_count(6)


def challenge(page: Page, setup: Setup) -> None:
    """A challenge that has just begun."""
    page.goto(setup.page)
    wait_until_ready(page)
    page.get_by_role("button", name="Challenge").click()
    expect(page.locator(".st-key-challenge-task")).to_be_visible()


def compared(page: Page, setup: Setup) -> None:
    """A 7 classified by two models."""
    page.goto(setup.page)
    wait_until_ready(page)
    with settings(page):
        page.get_by_role("combobox", name="Compare with").click()
        page.get_by_role("option", name="characters", exact=True).click()
        expect(page.get_by_role("option")).to_have_count(0)
    draw(page, SEVEN)
    expect(page.locator(".answer")).to_have_count(2)


def uploaded(page: Page, setup: Setup) -> None:
    """A photo of a 4."""
    send(page, setup, photo("4"))
    expect(page.locator(".upload-preview img")).to_be_visible()
    expect(headline(page)).to_have_attribute("data-label", "4")


def files(page: Page, setup: Setup) -> None:
    """Several files, one of them not a picture."""
    broken = FilePayload(name="notes.png", mimeType="image/png", buffer=b"this is no picture")
    send(page, setup, photo("7"), photo("4"), broken, photo("1"))
    expect(page.locator(".files tbody tr")).to_have_count(4)


def refused(page: Page, setup: Setup) -> None:
    """A file that is not a picture."""
    send(page, setup, FilePayload(name="notes.png", mimeType="image/png", buffer=b"this is no picture"))
    expect(page.locator(".alert")).to_be_visible()


def camera(page: Page, setup: Setup) -> None:
    """A photo taken of a 4."""
    page.goto(setup.page)
    wait_until_ready(page)
    page.get_by_role("radio", name="Camera").click()
    expect(page.locator("video")).to_have_js_property("readyState", 4)  # HAVE_ENOUGH_DATA
    page.get_by_role("button", name="Take photo").click()
    expect(headline(page)).to_have_attribute("data-label", "4")


def gallery(page: Page, setup: Setup) -> None:
    """Saved drawings, one of them corrected."""
    page.goto(setup.page)
    wait_until_ready(page)
    page.get_by_text("Save my pictures").click()
    expect(page.get_by_role("switch", name="Save my pictures")).to_be_checked()
    for count, label in enumerate("3594", start=1):
        draw(page, DIGITS[label])
        expect(page.locator(".st-key-saved .card")).to_have_count(count)
        wait_until_ready(page)
        page.locator(".st-key-tools").get_by_role("button", name="Clear").click()
        expect(page.locator(".empty-hint")).to_be_visible()
    entries = httpx.get(f"{setup.proxy.address}/gallery", timeout=60).json()["entries"]
    httpx.patch(f"{setup.proxy.address}/gallery/{entries[1]['id']}", json={"label": "4"}, timeout=60).raise_for_status()
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_text("corrected, was 9")).to_be_visible()


def code(page: Page, setup: Setup) -> None:
    """A 6 with the code examples."""
    page.goto(setup.page)
    draw_and_expect(page, DIGITS["6"], "6")
    page.get_by_text("Use it from code").click()
    page.get_by_role("tab", name="Python: bentoml").click()
    expect(page.get_by_role("tabpanel").filter(visible=True).locator("code")).to_be_visible()


def monitor(page: Page, setup: Setup) -> None:
    """The figures of a service that answers requests."""
    page.goto(setup.page)
    wait_until_ready(page)
    page.get_by_text("Live: how the service is doing").click()
    for label in "357":
        draw(page, DIGITS[label])
    expect(page.locator(".live-figures")).to_be_visible()


def slow(page: Page, setup: Setup) -> None:
    """The service has not answered the second stroke yet."""
    page.goto(setup.page)
    draw(page, SEVEN)
    expect(headline(page)).to_be_visible()
    wait_until_ready(page)
    setup.proxy.may_answer.clear()
    draw_without_waiting(page, [[(100, 140), (190, 140)]])
    expect(page.locator(".answer .slow-notice")).to_be_visible()


def down(page: Page, setup: Setup) -> None:
    """The service does not answer."""
    page.goto(setup.page_without_service)
    draw(page, SEVEN)
    expect(page.locator(".alert")).to_be_visible()


def korean(page: Page, setup: Setup) -> None:
    """An answer in Korean."""
    answer(page, setup, "ko")


# In the order of docs/ui.md.
ALL: Final[tuple[Callable[[Page, Setup], None], ...]] = (
    *(
        loading,
        empty,
        answer,
        pen,
        rejected,
        several,
        sequence,
        unsure,
        explained,
        replay,
        challenge,
        compared,
        uploaded,
        camera,
        files,
    ),
    *(gallery, code, monitor, refused, slow, down, korean),
)
STATES: Final = {state.__name__: state for state in ALL}


def select_character(page: Page, number: int) -> None:
    """Select a character of the answer by a tap on the sheet."""
    box = box_of(page.locator(".character-boxes[data-place=draw] button").nth(number))
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".selected-character .bars")).to_be_visible()


def shifted(stroke: Stroke, right: float) -> Stroke:
    """Return a stroke of a digit on the sheet for several characters."""
    return [(right + x * 0.6, 60 + y * 0.75) for x, y in stroke]


def headline(page: Page) -> Locator:
    """Return the headline of the answer."""
    return page.locator(".headline")


def photo(digit: str) -> FilePayload:
    """Return a photo of a digit in blue ink on paper."""
    image: Image.Image = canvas(STROKES[digit], ink=INK, paper=NOTEPAPER, width=12).convert("RGB")
    return FilePayload(name=f"{digit}.jpg", mimeType="image/jpeg", buffer=encoded(image, "JPEG"))


def send(page: Page, setup: Setup, *sent: FilePayload) -> None:
    """Upload files."""
    page.goto(setup.page)
    wait_until_ready(page)
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").set_input_files(list(sent))
    wait_for_rerun(page)


@contextmanager
def settings(page: Page) -> Iterator[None]:
    """Open the sidebar, which a phone hides, and hide it again."""
    hidden = page.get_by_test_id("stExpandSidebarButton")
    collapsed = hidden.is_visible()
    if collapsed:
        hidden.click()
    yield
    if collapsed:
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
        expect(hidden).to_be_visible()
        expect(page.get_by_test_id("stSidebar")).not_to_be_in_viewport()  # it slides out, over the canvas
