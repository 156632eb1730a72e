"""ASGI middleware of the page: checks the Host and Origin headers and sets a Content-Security-Policy.

It protects against DNS rebinding: the owner of another site can point a name of that site at this machine. Browsers would then
treat the other site's page as the same origin as this page, so it could open the WebSocket and read what visitors may read.
IP addresses are allowed as hosts, because nobody can point them elsewhere.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.frontend import INDEX_HTML

POLICY_VIOLATION: Final = 1008  # WebSocket close code, RFC 6455
HOST: Final = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


class SecurityMiddleware:
    """Rejects requests and WebSockets with a foreign Host (421) or Origin (403), and adds security headers to responses.

    Allowed hosts are `hosts`, IP addresses and localhost. The Content-Security-Policy allows requests to this server only.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self.app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        hashes = inline_script_hashes(INDEX_HTML.read_text(encoding="utf-8"))
        self._script_hashes = " ".join(f"'{digest}'" for digest in hashes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origins = headers.get("host", ""), headers.getlist("origin")
        if len(headers.getlist("host")) != 1 or not is_allowed_host(host, self._hosts):
            detail = f"The host name {host[:200]!r} is not allowed. If it is yours, start the page with it in UI_HOSTS."
            await _reject(421, detail, scope, receive, send)
        elif any(origin_host(origin) != host.lower() for origin in origins):
            detail = "Requests from other sites are not allowed. A proxy must pass the Host header on unchanged."
            await _reject(403, detail, scope, receive, send)
        elif scope["type"] == "websocket":
            await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, self._with_security_headers(send, host))

    def _with_security_headers(self, send: Send, host: str) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = content_security_policy(self._script_hashes, host)
                headers["permissions-policy"] = "camera=(self), microphone=(), geolocation=()"
                headers["referrer-policy"] = "no-referrer"
                headers["x-content-type-options"] = "nosniff"
                headers["x-frame-options"] = "DENY"
            await send(message)

        return send_with_headers


def is_allowed_host(host: str, hosts: Collection[str]) -> bool:
    """Return whether a Host header is allowed: one of `hosts` (lower case), an IP address or localhost, with any port."""
    match = HOST.fullmatch(host.lower())
    if match is None:
        return False
    name = match[1]
    return name in hosts or name == "localhost" or name.endswith(".localhost") or _is_ip_address(name.strip("[]"))


def origin_host(origin: str) -> str | None:
    """Return host and port of an Origin header in lower case; None for `null` and for anything that is no origin."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def content_security_policy(script_hashes: str, host: str) -> str:
    """Build the Content-Security-Policy: everything may come from this server, nothing from another."""
    return (
        f"default-src 'none'; script-src 'self' blob: {script_hashes}; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; worker-src 'self' blob:; "
        f"manifest-src 'self'; connect-src 'self' data: blob: ws://{host} wss://{host}; form-action 'none'; base-uri 'none'; "
        f"frame-ancestors 'none'"
    )


def inline_script_hashes(html: str) -> list[str]:
    """Return the CSP hash of each inline script of an HTML page, such as `sha256-...`."""
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    return [f"sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}" for script in scripts]


def _is_ip_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


async def _reject(status: int, detail: str, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": detail[:120]})
    else:
        await PlainTextResponse(f"{detail}\n", status)(scope, receive, send)
