"""The page's side of the HTTP contract."""

from typing import Final, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from ui.answers import Catalogue, Classification, Explanation
from ui.pictures import media_type

TIMEOUT: Final = httpx.Timeout(15, connect=3)
TOP_K: Final = 3

Answer = TypeVar("Answer", bound=BaseModel)


class Unavailable(Exception):
    """The service does not answer, or what answers is not the service."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"{address}: {reason}")
        self.address = address
        self.reason = reason


class Problem(Exception):
    """The service refused: one `application/problem+json` answer."""

    def __init__(self, *, status: int, title: str, detail: str, code: str) -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title
        self.detail = detail
        self.code = code


class Client:
    """Asks the service at one address. Safe to share between threads.

    Every method raises `Unavailable` or `Problem`, nothing else.
    """

    def __init__(self, address: str, *, api_key: str | None = None, transport: httpx.BaseTransport | None = None) -> None:
        self.address = address.rstrip("/")
        # Without trust_env a proxy configured for the outside world does not get between the page and a local service.
        self._http = httpx.Client(
            base_url=self.address,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else None,
            timeout=TIMEOUT,
            transport=transport,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def catalogue(self) -> Catalogue:
        """The models there are and what they run on."""
        return self._ask(Catalogue, self._http.build_request("GET", "/models"))

    def classify(self, picture: bytes, *, model: str, device: str) -> Classification:
        """What the model takes the picture for. The bytes go as they are, whatever they are."""
        return self._ask(Classification, self._post("/classify", picture, model, device))

    def explain(self, picture: bytes, *, model: str, device: str) -> Explanation:
        """The same, with every step from the picture to the model and what in it mattered."""
        return self._ask(Explanation, self._post("/explain", picture, model, device))

    def _post(self, path: str, picture: bytes, model: str, device: str) -> httpx.Request:
        return self._http.build_request(
            "POST",
            path,
            content=picture,
            params={"model": model, "top_k": TOP_K, "device": device},
            headers={"Content-Type": media_type(picture)},
        )

    def _ask(self, kind: type[Answer], request: httpx.Request) -> Answer:
        try:
            response = self._http.send(request)
        except httpx.TimeoutException as error:
            raise Unavailable(self.address, "no answer in time") from error
        except httpx.ConnectError as error:
            raise Unavailable(self.address, "no connection") from error
        except httpx.HTTPError as error:
            raise Unavailable(self.address, "the connection broke off") from error
        if response.status_code in (502, 503):
            raise Unavailable(self.address, _problem(response).detail or "starting or draining")
        if not response.is_success:
            raise _problem(response)
        try:
            return kind.model_validate_json(response.content)
        except ValidationError as error:
            raise Unavailable(self.address, "what answers there is not the classifier service") from error


def _problem(response: httpx.Response) -> Problem:
    try:
        body = response.json()
    except ValueError:
        body = None
    fields = body if isinstance(body, dict) else {}
    return Problem(
        status=response.status_code,
        title=str(fields.get("title") or response.reason_phrase or "Error"),
        detail=str(fields.get("detail") or ""),
        code=str(fields.get("code") or ""),
    )
