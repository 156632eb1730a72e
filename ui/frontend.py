"""ASGI middleware for the files of Streamlit's web frontend: smaller, and with something to read before they have arrived.

Streamlit sends its scripts uncompressed and an empty page. On a line of 180 kB/s nothing is visible for many seconds then. Here
each script is compressed once and kept, and the empty page has the title and a sentence.
"""

import gzip
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

import streamlit
from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.i18n.translation import DEFAULT_LANGUAGE, LANGUAGES, translate_to

INDEX_HTML: Final = Path(streamlit.__file__).parent / "static" / "index.html"
COMPRESSIBLE: Final = ("text/css", "text/javascript", "application/javascript", "application/json", "text/html")
# Of what may be kept for good: its name changes with its content.
IMMUTABLE: Final = "immutable"
STYLE: Final = """
:root { color-scheme: light dark; background: light-dark(#ffffff, #13151a); color: light-dark(#1b1f27, #e7e9ee); }
.loading { max-width: 68rem; margin: 0 auto; padding: 1rem 2rem; font: 1rem/1.5 system-ui, sans-serif; }
.loading h1 { font-size: 1.75rem; font-weight: 650; margin: 0 0 1.25rem; }
.loading p { margin: 0 0 1.25rem; }
.loading div { width: 280px; height: 280px; border-radius: .5rem; background: light-dark(#eceef3, #262a33); }
"""


class FrontendMiddleware:
    """Compresses the frontend's files, each once, and replaces its empty page by `loading_page`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._index = INDEX_HTML.read_text(encoding="utf-8")
        self._compressed: dict[str, tuple[list[tuple[bytes, bytes]], bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        response = _Response(send, loading_page(self._index, requested_language(scope)), self._compressed, scope)
        if not await response.send_kept():
            await self.app(scope, receive, response.receive_part)


class _Response:
    """Takes over one response of the application and sends it, changed where it is a file of the frontend."""

    def __init__(
        self, send: Send, page: str, compressed: dict[str, tuple[list[tuple[bytes, bytes]], bytes]], scope: Scope
    ) -> None:
        self._send = send
        self._page = page
        self._kept = compressed
        self._path: str = scope["path"]
        self._may_compress = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        self._start: Message | None = None
        self._body = bytearray()

    async def send_kept(self) -> bool:
        """Send the compressed file if it is kept; return whether it was."""
        if not self._may_compress or self._path not in self._kept:
            return False
        headers, body = self._kept[self._path]
        await self._send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        await self._send({"type": "http.response.body", "body": body})
        return True

    async def receive_part(self, message: Message) -> None:
        """Send what the application sends, or collect it to send it changed."""
        if message["type"] == "http.response.start" and self._is_file(message):
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)
        else:
            await self._send(message)

    def _is_file(self, message: Message) -> bool:
        headers = Headers(raw=message["headers"])
        kind = headers.get("content-type", "").partition(";")[0]
        if message["status"] != 200 or kind not in COMPRESSIBLE or "content-encoding" in headers:
            return False
        return kind == "text/html" or (self._may_compress and IMMUTABLE in headers.get("cache-control", ""))

    async def _finish(self, start: Message) -> None:
        headers = MutableHeaders(raw=list(start["headers"]))
        is_page = headers["content-type"].startswith("text/html")
        body = self._page.encode() if is_page else bytes(self._body)
        for name in ("etag", "last-modified", "accept-ranges"):
            del headers[name]
        if self._may_compress:
            body = await to_thread.run_sync(gzip.compress, body, 6)
            headers["content-encoding"] = "gzip"
        headers.add_vary_header("Accept-Encoding")
        headers["content-length"] = str(len(body))
        if not is_page:
            self._kept[self._path] = list(headers.raw), body
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})


def requested_language(scope: Scope) -> str:
    """Return the language of `LANGUAGES` for a request: the one in the address, else the first that the browser accepts."""
    asked = QueryParams(scope["query_string"]).get("lang", "")
    accepted = Headers(scope=scope).get("accept-language", "").split(",")
    codes = [re.split(r"[-_;]", text.strip())[0].lower() for text in (asked, *accepted)]
    return next((code for code in codes if code in LANGUAGES), DEFAULT_LANGUAGE)


@cache
def loading_page(index: str, language: str) -> str:
    """Return Streamlit's page with a title and a sentence that are visible until the scripts have arrived.

    The font is not loaded before the scripts: the text can be read without it, but the page does not work without them.
    """
    title, text = translate_to(language, "page.title"), translate_to(language, "page.loading")
    content = f'<main class="loading"><h1>{escape(title)}</h1><p>{escape(text)}</p><div></div></main>'
    page = re.sub(r'<html lang="[^"]*">', f'<html lang="{language}">', index, count=1)
    page = re.sub(r"<title>.*?</title>", f"<title>{escape(title)}</title><style>{STYLE}</style>", page, count=1)
    page = re.sub(r'<link\s+rel="preload"[^>]*as="font"[^>]*>', "", page)
    needs_script = f"<noscript><p>{escape(translate_to(language, 'page.needs_script'))}</p></noscript>"
    page = re.sub(r"<noscript>.*?</noscript>", needs_script, page, count=1, flags=re.DOTALL)
    return page.replace('<div id="root"></div>', f'<div id="root">{content}</div>', 1)
