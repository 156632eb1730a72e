"""The page's process, and a Chromium to look at it."""

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright

from tests.support.processes import free_port, running
from tests.ui.service import Service

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NO_CHROMIUM = "no Chromium on this machine; `apt-get install chromium` brings one"
QUIET = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# A camera that is not there, and a visitor who allows it.
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@contextmanager
def start_page(api_address: str, logs: Path, **settings: str) -> Iterator[str]:
    """A real `python -m ui` on a free port, with settings in its environment; gives its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "ui", "--api_address", api_address, "--port", str(port), "--host", "127.0.0.1"]
    with running(command, f"{address}/_stcore/health", logs / f"page-{port}.log", settings):
        yield address


@contextmanager
def start_page_for(tab: Page, api_address: str, logs: Path) -> Iterator[str]:
    """The same for one tab, which leaves before the process ends: what a page says when its server goes is no fault of it."""
    with start_page(api_address, logs) as address:
        yield address
        tab.goto("about:blank")


@contextmanager
def stand_in(service: Service) -> Iterator[str]:
    """The stand-in for the service, listening on a free port; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            address = f"http://{self.headers['Host']}{self.path}"
            try:
                response = service(httpx.Request(self.command, address, headers=dict(self.headers), content=body))
            except httpx.ConnectError:  # a service that is down: the connection closes without a word
                self.close_connection = True
                return
            self.send_response(response.status_code)
            if response.content:
                self.send_header("Content-Type", response.headers["Content-Type"])
                self.send_header("Content-Length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def launch(playwright: Playwright, film: Path | None = None) -> Browser:
    """The machine's own Chromium, without a window and without errands of its own; its camera shows the film (Y4M)."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    arguments = [*QUIET, *(["--no-sandbox"] if root else [])]
    if film is not None:
        arguments += [*CAMERA, f"--use-file-for-fake-video-capture={film}"]
    return playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)


def shoot(image: Image.Image, film: Path) -> None:
    """A film of one frame, in grey, for the camera: YUV4MPEG2 with colours at a quarter of the size."""
    header = f"YUV4MPEG2 W{image.width} H{image.height} F10:1 Ip A1:1 C420mpeg2\nFRAME\n".encode()
    film.write_bytes(header + image.convert("L").tobytes() + bytes([128]) * (image.width * image.height // 2))
