"""The errors of the API: codes, statuses, and problem documents (RFC 9457)."""

import json
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from preprocessing import ImageError, ImageTooLarge, NoInk, TooManyCharacters, UndecodableImage, UnsupportedImage
from serving.process.request_context import CURRENT

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 1
CLIENT_CLOSED_REQUEST: Final = 499  # nginx's number, for logs and metrics: the client is not there to receive it

STATUS: Final = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "unknown_model": 404,
    "method_not_allowed": 405,
    "slow_body": 408,
    "slow_headers": 408,
    "device_unavailable": 409,
    "not_updated": 409,
    "too_large": 413,
    "unsupported_media": 415,
    "undecodable": 422,
    "no_ink": 422,
    "overloaded": 429,
    "rate_limited": 429,
    "headers_too_large": 431,
    "internal": 500,
    "unavailable": 503,
    "deadline": 504,
}
IMAGE_CODES: Final[dict[type[ImageError], str]] = {
    UnsupportedImage: "unsupported_media",
    ImageTooLarge: "too_large",
    TooManyCharacters: "too_large",
    UndecodableImage: "undecodable",
    NoInk: "no_ink",
}


class Problem(Exception):
    """An error with the status of ``code``; ``detail`` says what was wrong and what to do, ``retry_after`` after how many
    seconds to retry."""

    def __init__(self, code: str, detail: str, retry_after: int = RETRY_AFTER_SECONDS) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after

    @classmethod
    def from_image(cls, error: ImageError) -> "Problem":
        """The error for an image that cannot be read."""
        return cls(IMAGE_CODES[type(error)], str(error))

    @property
    def status(self) -> int:
        return STATUS[self.code]

    def document(self, request_id: str | None = None) -> dict[str, str | int]:
        """The members of the RFC 9457 document, of the current request unless it is given."""
        return {
            "type": f"urn:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": CURRENT.get().request_id if request_id is None else request_id,
        }

    def response(self, request_id: str | None = None) -> Response:
        """The HTTP response with ``document``, and with ``Retry-After`` or ``WWW-Authenticate`` where the status has one."""
        headers = None
        if self.status in (429, 503):
            headers = {"Retry-After": str(self.retry_after)}
        elif self.status == 401:
            headers = {"WWW-Authenticate": "Bearer"}
        return Response(json.dumps(self.document(request_id)), self.status, headers, MEDIA_TYPE)
