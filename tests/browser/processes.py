"""The page's process, and a Chromium to look at it."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from tests.processes import free_port, running

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NO_CHROMIUM = "no Chromium on this machine; `apt-get install chromium` brings one"
QUIET = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def start_page(api_address: str, logs: Path) -> Iterator[str]:
    """A real `python -m ui` on a free port; gives its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "ui", "--api_address", api_address, "--port", str(port), "--host", "127.0.0.1"]
    with running(command, f"{address}/_stcore/health", logs / f"page-{port}.log", {}):
        yield address


def launch(playwright: Playwright) -> Browser:
    """The machine's own Chromium, without a window and without errands of its own."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *(["--no-sandbox"] if root else [])])
