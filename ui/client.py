"""The page's side of the HTTP contract."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from ui.answers import Batch, Catalogue, Classification, Emptied, Explanation, GalleryPage, KeptPicture, Refusal
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

    @property
    def passing(self) -> bool:
        """Whether the service was too busy rather than the picture at fault: asking again later may help."""
        return self.status == 429 or self.status >= 500


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

    @property
    def with_key(self) -> bool:
        """Whether an API key goes with every request."""
        return "Authorization" in self._http.headers

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def catalogue(self) -> Catalogue:
        """The models there are and what they run on."""
        return self._ask(Catalogue, self._http.build_request("GET", "/models"))

    def classify(self, picture: bytes, *, model: str, device: str) -> Classification:
        """What the model takes the picture for. The bytes go as they are, whatever they are."""
        return self._ask(Classification, self._post("/classify", picture, _options(model, device)))

    def classify_batch(self, pictures: Sequence[bytes], *, model: str, device: str) -> list[Classification | Problem]:
        """What the model takes each picture for, in order; in the place of a picture that cannot be read, why."""
        files = [("images", ("picture", picture, media_type(picture))) for picture in pictures]
        request = self._http.build_request("POST", "/classify/batch", files=files, params=_options(model, device))
        entries = self._ask(Batch, request).root
        if len(entries) != len(pictures):
            raise self._stranger()
        return [Problem(**entry.model_dump()) if isinstance(entry, Refusal) else entry for entry in entries]

    def explain(self, picture: bytes, *, model: str, device: str) -> Explanation:
        """The same, with every step from the picture to the model and what in it mattered."""
        return self._ask(Explanation, self._post("/explain", picture, _options(model, device)))

    def keep(self, picture: bytes, *, model: str, device: str, key: str) -> KeptPicture:
        """Have the service read the picture and keep it; the same key again renews the entry instead of making another."""
        return self._ask(KeptPicture, self._post("/gallery", picture, _options(model, device) | {"key": key}))

    def gallery(self, *, limit: int, cursor: str | None = None, model: str | None = None) -> GalleryPage:
        """Kept pictures, newest first: the first ones, or those after a page's `next`; of one model, or of all."""
        params = _given(limit=str(limit), cursor=cursor, model=model)
        return self._ask(GalleryPage, self._http.build_request("GET", "/gallery", params=params))

    def correct(self, id: str, label: str | None) -> KeptPicture:
        """Say what a kept picture shows; None takes that back."""
        return self._ask(KeptPicture, self._http.build_request("PATCH", _entry(id), json={"label": label}))

    def delete(self, id: str) -> None:
        """Take one picture out of the gallery."""
        with self._send(self._http.build_request("DELETE", _entry(id))):
            pass

    def empty(self) -> int:
        """Take everything out of the gallery; how many pictures that were."""
        return self._ask(Emptied, self._http.build_request("DELETE", "/gallery")).deleted

    def _post(self, path: str, picture: bytes, params: dict[str, str]) -> httpx.Request:
        headers = {"Content-Type": media_type(picture)}
        return self._http.build_request("POST", path, content=picture, params=params, headers=headers)

    def _ask(self, kind: type[Answer], request: httpx.Request) -> Answer:
        with self._send(request) as response:
            body = response.read()
        try:
            return kind.model_validate_json(body)
        except ValidationError as error:
            raise self._stranger() from error

    @contextmanager
    def _send(self, request: httpx.Request) -> Iterator[httpx.Response]:
        """A successful response, whose body is still to be read."""
        try:
            response = self._http.send(request, stream=True)
            try:
                if not response.is_success:
                    response.read()
                    raise self._failure(response)
                yield response
            finally:
                response.close()
        except httpx.TimeoutException as error:
            raise Unavailable(self.address, "no answer in time") from error
        except httpx.ConnectError as error:
            raise Unavailable(self.address, "no connection") from error
        except httpx.HTTPError as error:
            raise Unavailable(self.address, "the connection broke off") from error

    def _failure(self, response: httpx.Response) -> Unavailable | Problem:
        problem = _problem(response)
        if response.status_code in (502, 503):
            return Unavailable(self.address, problem.detail or "starting or draining")
        return problem

    def _stranger(self) -> Unavailable:
        return Unavailable(self.address, "what answers there is not the classifier service")


def _options(model: str, device: str) -> dict[str, str]:
    return {"model": model, "top_k": str(TOP_K), "device": device}


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _entry(id: str) -> str:
    return f"/gallery/{quote(id, safe='')}"


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
