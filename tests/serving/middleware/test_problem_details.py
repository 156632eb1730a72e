"""Error bodies become problem documents."""

import asyncio
import json

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message

from serving.errors import CLIENT_CLOSED_REQUEST
from serving.middleware.problem_details import ProblemDetailsMiddleware


def answer(status: int) -> list[Message]:
    """What is sent where the application answers with this status."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    app = ProblemDetailsMiddleware(PlainTextResponse("text", status))
    asyncio.run(app({"type": "http", "method": "PATCH", "path": "/gallery/x"}, receive, send))
    return sent


@pytest.mark.parametrize(
    ("status", "shown", "code"),
    [(404, 404, "not_found"), (307, 404, "not_found"), (405, 405, "method_not_allowed"), (418, 400, "bad_request"),
     (500, 500, "internal"), (503, 503, "unavailable")],
)  # fmt: skip
def test_error_becomes_a_problem_document(status: int, shown: int, code: str) -> None:
    start, body = answer(status)
    assert start["status"] == shown
    assert json.loads(body["body"])["code"] == code


@pytest.mark.parametrize("status", [200, CLIENT_CLOSED_REQUEST])
def test_success_and_disconnected_client_are_passed_on(status: int) -> None:
    start, body = answer(status)
    assert (start["status"], body["body"]) == (status, b"text")
