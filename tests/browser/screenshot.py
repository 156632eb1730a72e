"""`python -m tests.browser.screenshot`: the picture of the page in the README, with a real service behind it."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.processes import CHROMIUM, NO_CHROMIUM, launch, start_page
from tests.browser.strokes import SEVEN, THREE, draw, settle
from tests.processes import ROOT, free_port, service_environment, start_service

PICTURE: Final = ROOT / "docs" / "images" / "page.png"
WIDTH: Final = 1280
HEIGHT: Final = 1000


def main() -> None:
    """Start service and page, draw a 3 and a 7, keep what it looks like."""
    if CHROMIUM is None:
        sys.exit(f"There is {NO_CHROMIUM}.")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        home = Path(folder)
        environment = {**os.environ, **service_environment(home, 0)}
        subprocess.run([sys.executable, "-m", "models", "import"], cwd=ROOT, env=environment, check=True)
        # One worker, so that the second drawing meets a warm one.
        with (
            start_service(home, free_port(), WORKERS="1") as service,
            start_page(service, home) as address,
            sync_playwright() as playwright,
        ):
            browser = launch(playwright)
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
            page.goto(address)
            take(page)
            browser.close()


def take(page: Page) -> None:
    """Draw and take the picture."""
    draw(page, THREE)
    expect(page.locator(".headline")).to_be_visible()
    page.get_by_role("button", name="New drawing").click()
    expect(page.locator(".headline")).to_have_count(0)
    draw(page, SEVEN)
    expect(page.locator(".card")).to_have_count(2)
    page.mouse.move(WIDTH - 1, 1)
    settle(page)
    page.evaluate("document.fonts.ready")
    # Streamlit scrolls inside the page: a window as high as its content shows all of it.
    page.set_viewport_size(
        {"width": WIDTH, "height": page.locator(".stMainBlockContainer").evaluate("main => main.scrollHeight")}
    )
    expect(page.get_by_role("button", name="Forget these")).to_be_in_viewport()
    page.screenshot(path=PICTURE, animations="disabled")


if __name__ == "__main__":
    main()
