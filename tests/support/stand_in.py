"""A stand-in for the service, which costs next to nothing: an ASGI application that answers each POST as /classify does.

It labels all pictures ``7`` with the confidence 1, from the request number ``WRONG_FROM`` on as ``1``. A GET answers how many
POST requests there were so far with each query string.
"""

import json
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

WRONG_FROM = int(os.environ.get("WRONG_FROM", "0")) or float("inf")
HEADERS = [(b"content-type", b"application/json")]

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
requests: Counter[str] = Counter()


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer one request."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    body = json.dumps(requests).encode()
    if scope["method"] == "POST":
        requests[scope["query_string"].decode()] += 1
        body = b'{"model":"digits","version":"1.0.0","label":"%d","confidence":1.0}' % (
            1 if requests.total() >= WRONG_FROM else 7
        )
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, (b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
