"""HTTP client of the classifier service."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from ui.api.schemas import (
    BatchResponse,
    Classification,
    DeleteAllResponse,
    Explanation,
    GalleryPage,
    ModelCatalogue,
    ProblemDocument,
    SavedPicture,
)
from ui.images.media_types import media_type

TIMEOUT: Final = httpx.Timeout(15, connect=3)
TOP_K: Final = 3

Schema = TypeVar("Schema", bound=BaseModel)


class ServiceUnavailable(Exception):
    """The service at `address` does not answer, or something else answers there; `reason` says which."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"{address}: {reason}")
        self.address = address
        self.reason = reason


class ServiceError(Exception):
    """The service answered with an error: the fields of its `application/problem+json` document."""

    def __init__(self, *, status: int, title: str, detail: str, code: str) -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title
        self.detail = detail
        self.code = code

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later: the service was overloaded or failed."""
        return self.status == 429 or self.status >= 500


class Client:
    """HTTP client of the service at one address. Threads may share it.

    Every method raises `ServiceUnavailable` or `ServiceError`, nothing else.
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

    def list_models(self) -> ModelCatalogue:
        """Return the models in service, their devices, and the limits of a request (`GET /models`)."""
        return self._request(ModelCatalogue, self._http.build_request("GET", "/models"))

    def classify(self, picture: bytes, *, model: str, device: str) -> Classification:
        """Classify one picture (`POST /classify`). The bytes are sent unchanged, whatever they are."""
        return self._request(Classification, self._picture_request("/classify", picture, _options(model, device)))

    def classify_batch(self, pictures: Sequence[bytes], *, model: str, device: str) -> list[Classification | ServiceError]:
        """Classify many pictures (`POST /classify/batch`): per picture, in order, its classification or its error."""
        files = [("images", ("picture", picture, media_type(picture))) for picture in pictures]
        request = self._http.build_request("POST", "/classify/batch", files=files, params=_options(model, device))
        entries = self._request(BatchResponse, request).root
        if len(entries) != len(pictures):
            raise self._unexpected_response()
        return [ServiceError(**entry.model_dump()) if isinstance(entry, ProblemDocument) else entry for entry in entries]

    def explain(self, picture: bytes, *, model: str, device: str) -> Explanation:
        """Classify one picture and return the preprocessing stages and the heat map too (`POST /explain`)."""
        return self._request(Explanation, self._picture_request("/explain", picture, _options(model, device)))

    def save(self, picture: bytes, *, model: str, device: str, key: str) -> SavedPicture:
        """Classify a picture and save it in the gallery (`POST /gallery`). The same `key` replaces the entry."""
        params = _options(model, device) | {"key": key}
        return self._request(SavedPicture, self._picture_request("/gallery", picture, params))

    def list_gallery(self, *, limit: int, cursor: str | None = None, model: str | None = None) -> GalleryPage:
        """Return one page of the gallery, newest first (`GET /gallery`): of one model, or of all."""
        params = {"limit": str(limit), "cursor": cursor, "model": model}
        given = {name: value for name, value in params.items() if value is not None}
        return self._request(GalleryPage, self._http.build_request("GET", "/gallery", params=given))

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

    def _picture_request(self, path: str, picture: bytes, params: dict[str, str]) -> httpx.Request:
        headers = {"Content-Type": media_type(picture)}
        return self._http.build_request("POST", path, content=picture, params=params, headers=headers)

    def _request(self, schema: type[Schema], request: httpx.Request) -> Schema:
        with self._send(request) as response:
            body = response.read()
        try:
            return schema.model_validate_json(body)
        except ValidationError as error:
            raise self._unexpected_response() from error

    @contextmanager
    def _send(self, request: httpx.Request) -> Iterator[httpx.Response]:
        """Send a request; yield the successful response with its body not read yet."""
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
            raise ServiceUnavailable(self.address, "no answer in time") from error
        except httpx.ConnectError as error:
            raise ServiceUnavailable(self.address, "no connection") from error
        except httpx.HTTPError as error:
            raise ServiceUnavailable(self.address, "the connection was closed") from error

    def _failure(self, response: httpx.Response) -> ServiceUnavailable | ServiceError:
        error = _parse_error(response)
        if response.status_code in (502, 503):
            return ServiceUnavailable(self.address, error.detail or "starting or shutting down")
        return error

    def _unexpected_response(self) -> ServiceUnavailable:
        return ServiceUnavailable(self.address, "another program answers at this address")


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
    )
