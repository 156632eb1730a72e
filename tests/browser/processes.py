"""Starts page processes, fake services and Chromium for the browser tests."""

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
from tests.ui.fake_service import FakeService

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
TIMEOUT_MS = 60_000
NO_CHROMIUM = "no Chromium on this machine; `apt-get install chromium` brings one"
CHROMIUM_FLAGS = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# A fake camera, and automatic permission to use it.
CAMERA_FLAGS = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@contextmanager
def start_page(api_address: str, logs: Path, **settings: str) -> Iterator[str]:
    """Start `python -m ui` on a free port with environment variables `settings`; yield its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "ui", "--api_address", api_address, "--port", str(port), "--host", "127.0.0.1"]
    with running(command, f"{address}/_stcore/health", logs / f"page-{port}.log", settings):
        yield address


@contextmanager
def start_page_for(tab: Page, api_address: str, logs: Path) -> Iterator[str]:
    """Start a page for one tab. The tab leaves the page before the process ends, because it would log errors then."""
    with start_page(api_address, logs) as address:
        yield address
        tab.goto("about:blank")


@contextmanager
def serve_fake(service: FakeService) -> Iterator[str]:
    """Serve a fake service on a free port; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            address = f"http://{self.headers['Host']}{self.path}"
            try:
                response = service(httpx.Request(self.command, address, headers=dict(self.headers), content=body))
            except httpx.ConnectError:  # a service that is down: close the connection without a response
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
            """Do not log requests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class ServiceSwitch(FakeService):
    """Forwards requests to the fake service of the current test, so that one page process serves all tests."""

    target: FakeService

    def __call__(self, request: httpx.Request) -> httpx.Response:
        return self.target(request)


def launch_chromium(playwright: Playwright, video: Path | None = None) -> Browser:
    """Launch headless Chromium without background requests; its camera shows `video` (Y4M)."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    arguments = [*CHROMIUM_FLAGS, *(["--no-sandbox"] if root else [])]
    if video is not None:
        arguments += [*CAMERA_FLAGS, f"--use-file-for-fake-video-capture={video}"]
    return playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)


def write_camera_video(image: Image.Image, video: Path) -> None:
    """Write a grey video of one frame for the camera: YUV4MPEG2 with 4:2:0 subsampling."""
    header = f"YUV4MPEG2 W{image.width} H{image.height} F10:1 Ip A1:1 C420mpeg2\nFRAME\n".encode()
    video.write_bytes(header + image.convert("L").tobytes() + bytes([128]) * (image.width * image.height // 2))
