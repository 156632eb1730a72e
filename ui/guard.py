"""The page's server answers under its own names only, and has browsers ask nobody else.

A name of another site that its owner points at this machine (DNS rebinding) makes that site's page the same origin as this
page: it could open the WebSocket and read what visitors may read. Addresses in numbers cannot be pointed elsewhere.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Collection
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY_VIOLATION: Final = 1008
HOST: Final = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
INDEX: Final = Path(streamlit.__file__).parent / "static" / "index.html"


class Guard:
    """Refuses requests and WebSockets under a host name that is not among `hosts`, an IP address or of this machine's loopback,
    and those that pages of other origins make. Gives every answer a policy that lets the browser ask this server alone."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self.app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._scripts = " ".join(f"'{digest}'" for digest in inline_scripts(INDEX.read_text(encoding="utf-8")))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origins = headers.get("host", ""), headers.getlist("origin")
        if len(headers.getlist("host")) != 1 or not is_own(host, self._hosts):
            wrong = (
                f"This page does not answer under the name {host[:200]!r}. If it is yours, start the page with it in UI_HOSTS."
            )
            await _refuse(421, wrong, scope, receive, send)
        elif any(origin_host(origin) != host.lower() for origin in origins):
            wrong = "Pages of other sites may not use this one. A proxy before it has to pass the Host header on as it is."
            await _refuse(403, wrong, scope, receive, send)
        elif scope["type"] == "websocket":
            await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, self._guarded(send, host))

    def _guarded(self, send: Send, host: str) -> Send:
        """`send` with the headers that hold browsers back."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = policy(self._scripts, host)
                headers["permissions-policy"] = "camera=(self), microphone=(), geolocation=()"
                headers["referrer-policy"] = "no-referrer"
                headers["x-content-type-options"] = "nosniff"
                headers["x-frame-options"] = "DENY"
            await send(message)

        return send_guarded


def is_own(host: str, hosts: Collection[str]) -> bool:
    """Whether a Host header names this server: one of `hosts` (lower case), an IP address, or localhost; with any port."""
    match = HOST.fullmatch(host.lower())
    if match is None:
        return False
    name = match[1]
    return name in hosts or name == "localhost" or name.endswith(".localhost") or _is_address(name.strip("[]"))


def origin_host(origin: str) -> str | None:
    """Host and port of an Origin header, in lower case; None for `null` and what is no origin."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def policy(scripts: str, host: str) -> str:
    """The Content-Security-Policy of the page: everything from this server, nothing from another."""
    return (
        f"default-src 'none'; script-src 'self' blob: {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        f"font-src 'self' data:; media-src 'self' blob:; worker-src 'self' blob:; manifest-src 'self'; "
        f"connect-src 'self' data: blob: ws://{host} wss://{host}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )


def inline_scripts(html: str) -> list[str]:
    """The hashes by which a policy allows the scripts that stand in a page."""
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    return [f"sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}" for script in scripts]


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


async def _refuse(status: int, reason: str, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": reason[:120]})
    else:
        await PlainTextResponse(f"{reason}\n", status)(scope, receive, send)
