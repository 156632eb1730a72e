"""HTTP client of the classifier service."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from ui.api.gallery_schemas import ALL_ENTRIES, DeleteAllResponse, GalleryFilter, GalleryPage, SavedPicture
from ui.api.schemas import BatchResponse, Classification, Explanation, ModelCatalogue, ProblemDocument
from ui.images.media_types import media_type

TIMEOUT: Final = httpx.Timeout(15, connect=3)
# What is asked every few seconds must not keep the page from its visitor.
SHORT_TIMEOUT: Final = httpx.Timeout(1)
TOP_K: Final = 3
REQUEST_ID: Final = "X-Request-ID"
ID_BYTES: Final = 8
# Longer ids are cut: what answers may be another program.
MAX_ID_LENGTH: Final = 128

Schema = TypeVar("Schema", bound=BaseModel)


class ServiceUnavailable(Exception):
    """The service at `address` does not answer, or something else answers there; `reason` says which. The service's log has the
    request under `request_id`, if it received it."""

    def __init__(self, address: str, reason: str, request_id: str = "") -> None:
        super().__init__(f"{address}: {reason}")
        self.address = address
        self.reason = reason
        self.request_id = request_id


class ServiceError(Exception):
    """The service answered with an error: the fields of its `application/problem+json` document."""

    def __init__(self, *, status: int, title: str, detail: str, code: str, request_id: str = "") -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title
        self.detail = detail
        self.code = code
        self.request_id = request_id

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later: the service was overloaded or failed."""
        return self.status == 429 or self.status >= 500


class Client:
    """HTTP client of the service at one address. Threads may share it.

    Every method but `is_ready` raises `ServiceUnavailable` or `ServiceError`, nothing else.
    """

    def __init__(self, address: str, *, api_key: str | None = None, transport: httpx.BaseTransport | None = None) -> None:
        self.address = address.rstrip("/")
        # trust_env=False: a proxy from the environment must not be used for a local service.
        self._http = httpx.Client(
            base_url=self.address,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else None,
            timeout=TIMEOUT,
            transport=transport,
            trust_env=False,
        )

    @property
    def sends_api_key(self) -> bool:
        """Whether every request carries an API key."""
        return "Authorization" in self._http.headers

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def is_ready(self) -> bool:
        """Return whether the service is ready for requests (`GET /readyz`). Asks for a second at most."""
        try:
            return self._http.get("/readyz", timeout=SHORT_TIMEOUT).is_success
        except httpx.HTTPError:
            return False

    def read_metrics(self) -> str:
        """Return the metrics in Prometheus' text format (`GET /metrics`)."""
        with self._send(self._http.build_request("GET", "/metrics", timeout=SHORT_TIMEOUT)) as response:
            return response.read().decode("utf-8", "replace")

    def list_models(self) -> ModelCatalogue:
        """Return the models in service, their devices, and the limits of a request (`GET /models`)."""
        return self._request(ModelCatalogue, self._http.build_request("GET", "/models"))

    def classify(self, picture: bytes, *, model: str, device: str, timeout: float | None = None) -> Classification:
        """Classify one picture (`POST /classify`), within `timeout` seconds if given. The bytes are sent unchanged."""
        request = self._picture_request("/classify", picture, _options(model, device), timeout)
        return self._request(Classification, request)

    def classify_batch(self, pictures: Sequence[bytes], *, model: str, device: str) -> list[Classification | ServiceError]:
        """Classify many pictures (`POST /classify/batch`): per picture, in order, its classification or its error."""
        files = [("images", ("picture", picture, media_type(picture))) for picture in pictures]
        request = self._http.build_request("POST", "/classify/batch", files=files, params=_options(model, device))
        entries = self._request(BatchResponse, request).root
        if len(entries) != len(pictures):
            raise self._unexpected_response()
        return [ServiceError(**entry.model_dump()) if isinstance(entry, ProblemDocument) else entry for entry in entries]

    def explain(
        self,
        picture: bytes,
        *,
        model: str,
        device: str,
        heatmap: bool = True,
        character: int | None = None,
        timeout: float | None = None,
    ) -> Explanation:
        """Classify one picture and return the preprocessing stages and, which takes longest, the heat map (`POST /explain`).

        Those of a sequence are of the whole picture, or of the `character` with this number, from 0.
        """
        params = _options(model, device) | ({} if heatmap else {"heatmap": "false"})
        params |= {} if character is None else {"character": str(character)}
        return self._request(Explanation, self._picture_request("/explain", picture, params, timeout))

    def save(self, picture: bytes, *, model: str, device: str, key: str) -> SavedPicture:
        """Classify a picture and save it in the gallery (`POST /gallery`). The same `key` replaces the entry."""
        params = _options(model, device) | {"key": key}
        return self._request(SavedPicture, self._picture_request("/gallery", picture, params))

    def list_gallery(self, *, limit: int, cursor: str | None = None, selection: GalleryFilter = ALL_ENTRIES) -> GalleryPage:
        """Return one page of the selected entries of the gallery, newest first (`GET /gallery`)."""
        params = {"limit": str(limit), **({} if cursor is None else {"cursor": cursor}), **selection.params()}
        return self._request(GalleryPage, self._http.build_request("GET", "/gallery", params=params))

    def gallery_image(self, id: str) -> bytes:
        """Return the saved picture itself, as an image file (`GET /gallery/ID/image`)."""
        with self._send(self._http.build_request("GET", f"{_entry_path(id)}/image")) as response:
            return response.read()

    def correct(self, id: str, label: str | None) -> SavedPicture:
        """Set the corrected label of a gallery entry; None removes it (`PATCH /gallery/ID`)."""
        return self._request(SavedPicture, self._http.build_request("PATCH", _entry_path(id), json={"label": label}))

    def delete(self, id: str) -> None:
        """Delete one gallery entry (`DELETE /gallery/ID`)."""
        with self._send(self._http.build_request("DELETE", _entry_path(id))):
            pass

    def delete_all(self) -> int:
        """Delete all gallery entries and return how many there were (`DELETE /gallery`)."""
        return self._request(DeleteAllResponse, self._http.build_request("DELETE", "/gallery")).deleted

    def _picture_request(
        self, path: str, picture: bytes, params: dict[str, str], timeout: float | None = None
    ) -> httpx.Request:
        headers = {"Content-Type": media_type(picture)}
        limit = TIMEOUT if timeout is None else timeout
        return self._http.build_request("POST", path, content=picture, params=params, headers=headers, timeout=limit)

    def _request(self, schema: type[Schema], request: httpx.Request) -> Schema:
        with self._send(request) as response:
            body = response.read()
        try:
            return schema.model_validate_json(body)
        except ValidationError as error:
            raise self._unexpected_response(_request_id(response)) from error

    @contextmanager
    def _send(self, request: httpx.Request) -> Iterator[httpx.Response]:
        """Send a request with an id of its own; yield the successful response with its body not read yet."""
        request.headers[REQUEST_ID] = request_id = secrets.token_hex(ID_BYTES)
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
            raise ServiceUnavailable(self.address, "no answer in time", request_id) from error
        except httpx.ConnectError as error:
            raise ServiceUnavailable(self.address, "no connection", request_id) from error
        except httpx.HTTPError as error:
            raise ServiceUnavailable(self.address, "the connection was closed", request_id) from error

    def _failure(self, response: httpx.Response) -> ServiceUnavailable | ServiceError:
        error = _parse_error(response)
        if response.status_code in (502, 503):
            return ServiceUnavailable(self.address, error.detail or "starting or shutting down", error.request_id)
        return error

    def _unexpected_response(self, request_id: str = "") -> ServiceUnavailable:
        return ServiceUnavailable(self.address, "another program answers at this address", request_id)


def _options(model: str, device: str) -> dict[str, str]:
    return {"model": model, "top_k": str(TOP_K), "device": device}


def _entry_path(id: str) -> str:
    return f"/gallery/{quote(id, safe='')}"


def _parse_error(response: httpx.Response) -> ServiceError:
    try:
        body = response.json()
    except ValueError:
        body = None
    fields = body if isinstance(body, dict) else {}
    return ServiceError(
        status=response.status_code,
        title=str(fields.get("title") or response.reason_phrase or "Error"),
        detail=str(fields.get("detail") or ""),
        code=str(fields.get("code") or ""),
        request_id=_request_id(response),
    )


def _request_id(response: httpx.Response) -> str:
    """Return the id that the service gave the request, else the one it was sent with."""
    return str(response.headers.get(REQUEST_ID) or response.request.headers[REQUEST_ID])[:MAX_ID_LENGTH]
