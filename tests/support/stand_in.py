"""A stand-in for the service, to load at no cost: an ASGI application for uvicorn that answers every request as /classify does.

It labels all pictures ``7`` with the confidence 1, from the request number ``WRONG_FROM`` on as ``1``. ``GET /requests`` answers
how many requests there were so far.
"""

import os
from collections.abc import Awaitable, Callable
from typing import Any

WRONG_FROM = int(os.environ.get("WRONG_FROM", "0")) or float("inf")
HEADERS = [(b"content-type", b"application/json")]

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
requests = 0


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer one request."""
    global requests
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    body = str(requests).encode()
    if scope["method"] == "POST":
        requests += 1
        body = b'{"model":"digits","version":"1.0.0","label":"%d","confidence":1.0}' % (1 if requests >= WRONG_FROM else 7)
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, (b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
