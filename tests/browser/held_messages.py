"""Holds back what the page's server sends to the browser, as a busy machine does, until the browser has sent something."""

import re
from collections.abc import Callable
from typing import Final

from playwright.sync_api import BrowserContext, WebSocketRoute
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

STREAM: Final = re.compile("/_stcore/stream")


class HeldMessages:
    """From `hold` on, the browser gets only addresses to upload files to, until it sends a message that `release` accepts."""

    def __init__(self, context: BrowserContext, release: Callable[[BackMsg], bool]) -> None:
        self.holding = False
        self._release = release
        self._held: list[str | bytes] = []
        context.route_web_socket(STREAM, self._connect)

    def hold(self) -> None:
        self.holding = True

    def _connect(self, browser: WebSocketRoute) -> None:
        server = browser.connect_to_server()

        def to_server(message: str | bytes) -> None:
            server.send(message)
            if self.holding and self._release(BackMsg.FromString(encoded(message))):
                self.holding = False
                while self._held:
                    browser.send(self._held.pop(0))

        def to_browser(message: str | bytes) -> None:
            if self.holding and ForwardMsg.FromString(encoded(message)).WhichOneof("type") != "file_urls_response":
                self._held.append(message)
            else:
                browser.send(message)

        browser.on_message(to_server)
        server.on_message(to_browser)


def encoded(message: str | bytes) -> bytes:
    return message if isinstance(message, bytes) else message.encode()


def has_uploaded_files(message: BackMsg) -> bool:
    """Tell whether the browser asks for a run of the page with uploaded files."""
    widgets = message.rerun_script.widget_states.widgets
    return any(widget.file_uploader_state_value.uploaded_file_info for widget in widgets)
