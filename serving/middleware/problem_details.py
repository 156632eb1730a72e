"""Replaces the error bodies of BentoML and Starlette by problem documents (RFC 9457)."""

import logging
from http import HTTPStatus
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import CLIENT_CLOSED_REQUEST, MEDIA_TYPE, Problem

logger = logging.getLogger("bentoml.serving")

# The code for each status that BentoML and Starlette answer by themselves.
CODES: Final = {404: "not_found", 405: "method_not_allowed", 415: "unsupported_media", 429: "overloaded", 503: "unavailable"}
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class ProblemDetailsMiddleware:
    """ASGI middleware that replaces every error response that is no problem document yet, except 499, and every redirect; an
    exception before the response is logged and answered 500.

    The service has no redirects: Starlette's, from a path with an extra slash, would contain the request's Host header.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = replaced = False

        async def send_problem(message: Message) -> None:
            nonlocal started, replaced
            started = True
            if message["type"] == "http.response.start" and _is_error(message["status"]):
                headers = MutableHeaders(raw=list(message["headers"]))
                if not headers.get("content-type", "").startswith(MEDIA_TYPE):
                    replaced = True
                    allow = headers.get("allow")
                    response = _problem_for(message["status"], scope).response()
                    if allow:
                        response.headers["allow"] = allow
                    await response(scope, receive, send)
                    return
            if not replaced:
                await send(message)

        try:
            await self.app(scope, receive, send_problem)
        except Exception as error:
            if started:
                raise
            logger.error("%s failed", scope["path"], exc_info=error)
            await _problem_for(500, scope).response()(scope, receive, send)


def _is_error(status: int) -> bool:
    return (status >= 400 and status != CLIENT_CLOSED_REQUEST) or status in REDIRECTS


def _problem_for(status: int, scope: Scope) -> Problem:
    if status == 404 or status in REDIRECTS:
        return Problem("not_found", f"There is no {scope['path']}. See / for the routes of the API.")
    if status == 405:
        return Problem("method_not_allowed", f"{scope['path']} does not support {scope['method']}.")
    if status in CODES:
        return Problem(CODES[status], HTTPStatus(status).description)
    if status < 500:
        return Problem("bad_request", "The request cannot be read.")
    return Problem("internal", "The service failed; its log says why.")
