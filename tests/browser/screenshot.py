"""`python -m tests.browser.screenshot [NAME...]`: the pictures of the page in docs/, in both themes, wide and narrow."""

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

from tests.browser.processes import CHROMIUM, NO_CHROMIUM, launch, shoot, stand_in, start_page
from tests.browser.states import PATIENCE_MS, STATES, Relay, Stage
from tests.browser.strokes import rest
from tests.support.pictures import STROKES, WHITE, canvas
from tests.support.processes import ROOT, free_port, service_environment, start_service


class Window(TypedDict):
    """What a visitor looks through."""

    viewport: ViewportSize
    has_touch: bool
    is_mobile: bool


FOLDER: Final = ROOT / "docs" / "images"
WINDOWS: Final[dict[str, Window]] = {
    "wide": {"viewport": {"width": 1280, "height": 800}, "has_touch": False, "is_mobile": False},
    "narrow": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
# The one that the README shows too.
README: Final = ("explained", "light", "wide")
# A page needs few colours, and a repository should stay small.
COLOURS: Final = 64
# Once nothing on the page grows or shrinks any more.
HEIGHT: Final = """async main => {
  await Promise.allSettled(document.getAnimations().filter(each => each.playState === "running"
    && each.effect.getComputedTiming().endTime !== Infinity).map(each => each.finished));
  return Math.ceil(main.getBoundingClientRect().height);
}"""


def take(page: Page) -> Image.Image:
    """What the page looks like, all of it: Streamlit scrolls inside the page, so the window becomes as high as that."""
    page.mouse.move(1, 1)
    page.evaluate("document.fonts.ready")
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")
    size = page.viewport_size
    assert size is not None
    height = 0
    while height != (height := page.locator(".stMainBlockContainer").evaluate(HEIGHT)):
        page.set_viewport_size({"width": size["width"], "height": max(height, size["height"] // 2)})
    image = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    return image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)


def above(page: Page, image: Image.Image, part: str) -> Image.Image:
    """The picture of the page as far as a part of it."""
    box = page.locator(part).bounding_box()
    assert box is not None
    return image.crop((0, 0, image.width, int(box["y"])))


def photograph(browser: Browser, stage: Stage, wanted: Sequence[str]) -> None:
    """Take every wanted state in every theme and window, and keep the pictures."""
    (FOLDER / "ui").mkdir(exist_ok=True)
    for name in wanted:
        for theme in THEMES:
            for window, options in WINDOWS.items():
                with browser.new_context(color_scheme=theme, locale="en-US", permissions=["camera"], **options) as context:
                    context.set_default_timeout(PATIENCE_MS)
                    page = context.new_page()
                    STATES[name](page, stage)
                    if stage.relay.go.is_set():
                        rest(page)
                    image = take(page)
                    image.save(FOLDER / "ui" / f"{name}-{theme}-{window}.png", optimize=True)
                    if (name, theme, window) == README:
                        above(page, image, ".st-key-gallery").save(FOLDER / "page.png", optimize=True)
                    stage.tidy()


@contextmanager
def staged() -> Iterator[Stage]:
    """A real service, and the two pages."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        environment = {**os.environ, **service_environment(home, 0)}
        subprocess.run([sys.executable, "-m", "models", "import"], cwd=ROOT, env=environment, check=True)
        with start_service(home, free_port(), WORKERS="1") as address:
            relay = Relay(address=address)
            with (
                stand_in(relay) as relayed,
                start_page(relayed, home) as page,
                start_page(f"http://127.0.0.1:{free_port()}", home) as forlorn,
            ):
                yield Stage(page, forlorn, relay)


def main(wanted: Sequence[str]) -> None:
    """Take the wanted states, or all of them, and the picture of the README."""
    if CHROMIUM is None:
        sys.exit(f"There is {NO_CHROMIUM}.")
    if unknown := set(wanted) - set(STATES):
        sys.exit(f"There is no state {', '.join(sorted(unknown))}; there are {', '.join(STATES)}.")
    wanted = wanted or tuple(STATES)
    expect.set_options(timeout=PATIENCE_MS)
    with TemporaryDirectory() as folder, staged() as stage, sync_playwright() as playwright:
        film = Path(folder) / "four.y4m"
        shoot(canvas(STROKES["4"], paper=WHITE, side=480, offset=(100, 100)), film)
        browser = launch(playwright, film)
        photograph(browser, stage, wanted)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
