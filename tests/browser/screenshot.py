"""`python -m tests.browser.screenshot [NAME...]` takes the screenshots in docs/: both themes, wide and narrow."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal, TypedDict

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.browser.boxes import box_of
from tests.browser.processes import (
    CHROMIUM,
    NO_CHROMIUM,
    TIMEOUT_MS,
    launch_chromium,
    serve_fake,
    start_page,
    write_camera_video,
)
from tests.browser.states import STATES, ProxyService, Setup
from tests.browser.strokes import wait_for_rerun
from tests.support.pictures import STROKES, WHITE, canvas
from tests.support.processes import ROOT, free_port, service_environment, start_service


class Window(TypedDict):
    """Options of a browser window."""

    viewport: ViewportSize
    has_touch: bool
    is_mobile: bool


FOLDER: Final = ROOT / "docs" / "images"
WINDOWS: Final[dict[str, Window]] = {
    "wide": {"viewport": {"width": 1280, "height": 800}, "has_touch": False, "is_mobile": False},
    "narrow": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "landscape": {"viewport": {"width": 844, "height": 390}, "has_touch": True, "is_mobile": True},
}
# States that are shown in this window too, as far as it shows them without scrolling.
LANDSCAPE_STATES: Final = ("answer",)
THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
# The screenshot that the README shows too.
README: Final = ("explained", "light", "wide")
# The page has few colours; a small palette keeps the files small.
COLOURS: Final = 64
# Waits for running animations, then returns the height of the page.
HEIGHT: Final = """async main => {
  await Promise.allSettled(document.getAnimations().filter(each => each.playState === "running"
    && each.effect.getComputedTiming().endTime !== Infinity).map(each => each.finished));
  return Math.ceil(main.getBoundingClientRect().height);
}"""


def windows_of(state: str) -> list[str]:
    """Return the names of the windows in which a state is shown."""
    return [name for name in WINDOWS if name != "landscape" or state in LANDSCAPE_STATES]


def take_screenshot(page: Page, *, whole: bool = True) -> Image.Image:
    """Take a screenshot of the whole page, or of what the window shows."""
    page.mouse.move(1, 1)
    page.evaluate("document.fonts.ready")
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")
    if whole:
        grow_window(page)
    image = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    return image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)


def grow_window(page: Page) -> None:
    """Make the window as high as the page, which scrolls inside of it otherwise."""
    size = page.viewport_size
    assert size is not None
    height = 0
    while height != (height := page.locator(".stMainBlockContainer").evaluate(HEIGHT)):
        page.set_viewport_size({"width": size["width"], "height": max(height, size["height"] // 2)})


def crop_above(page: Page, image: Image.Image, part: str) -> Image.Image:
    """Crop a screenshot above an element."""
    box = box_of(page.locator(part))
    return image.crop((0, 0, image.width, int(box["y"])))


def write_screenshots(browser: Browser, setup: Setup, names: Sequence[str]) -> None:
    """Take screenshots of the states in every theme and window and write them to docs/images."""
    (FOLDER / "ui").mkdir(exist_ok=True)
    for name in names:
        for theme in THEMES:
            for window in windows_of(name):
                options = WINDOWS[window]
                with browser.new_context(color_scheme=theme, locale="en-US", permissions=["camera"], **options) as context:
                    context.set_default_timeout(TIMEOUT_MS)
                    page = context.new_page()
                    STATES[name](page, setup)
                    if setup.proxy.may_answer.is_set():
                        wait_for_rerun(page)
                    image = take_screenshot(page, whole=window != "landscape")
                    image.save(FOLDER / "ui" / f"{name}-{theme}-{window}.png", optimize=True)
                    if (name, theme, window) == README:
                        crop_above(page, image, ".st-key-gallery").save(FOLDER / "page.png", optimize=True)
                    setup.reset()


@contextmanager
def run_setup() -> Iterator[Setup]:
    """Start the real service, a page with it and a page without a service."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        environment = {**os.environ, **service_environment(home, 0)}
        subprocess.run([sys.executable, "-m", "models", "import"], cwd=ROOT, env=environment, check=True)
        with start_service(home, free_port(), WORKERS="1") as address:
            proxy = ProxyService(address=address)
            with (
                serve_fake(proxy) as proxy_address,
                start_page(proxy_address, home) as page,
                start_page(f"http://127.0.0.1:{free_port()}", home) as page_without_service,
            ):
                yield Setup(page, page_without_service, proxy)


def main(names: Sequence[str]) -> None:
    """Take screenshots of the given states, or of all, and of the README."""
    if CHROMIUM is None:
        sys.exit(f"There is {NO_CHROMIUM}.")
    if unknown := set(names) - set(STATES):
        sys.exit(f"Unknown state {', '.join(sorted(unknown))}. Known states: {', '.join(STATES)}.")
    names = names or tuple(STATES)
    expect.set_options(timeout=TIMEOUT_MS)
    with TemporaryDirectory() as folder, run_setup() as setup, sync_playwright() as playwright:
        video = Path(folder) / "four.y4m"
        write_camera_video(canvas(STROKES["4"], paper=WHITE, side=480, offset=(100, 100)), video)
        browser = launch_chromium(playwright, video)
        write_screenshots(browser, setup, names)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
