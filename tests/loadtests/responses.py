"""Responses for the tests of load tests."""

from loadtests.requests import Response


def problem(status: int, headers: dict[bytes, bytes] | None = None, body: bytes | None = None) -> Response:
    """A problem document."""
    document = f'{{"status": {status}, "code": "x"}}'.encode() if body is None else body
    return Response(status, 0.1, document, {b"content-type": b"application/problem+json", **(headers or {})})
