"""The HTTP client: requests, responses and errors."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import httpx
import pytest

from tests.ui.fake_service import (
    GREY_PNG,
    JPEG,
    NO_GPU,
    PNG,
    WEBP,
    FakeGallery,
    FakeService,
    characters_model,
    explanation,
    fashion_model,
    gallery_entry,
    model,
    models_response,
    problem_response,
    request_pictures,
)
from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.gallery_schemas import GalleryFilter
from ui.api.schemas import Classification, ModelCatalogue

ADDRESS = "http://127.0.0.1:3000"


@contextmanager
def connected(reply: Callable[[httpx.Request], httpx.Response], api_key: str | None = None) -> Iterator[Client]:
    with closing(Client(ADDRESS + "/", api_key=api_key, transport=httpx.MockTransport(reply))) as client:
        yield client


def test_classify_sends_the_picture_unchanged() -> None:
    service = FakeService()
    with connected(service) as client:
        answer = client.classify(PNG, model="digits", device="cpu")
    (request,) = service.requests
    assert request.content == PNG
    assert request.headers["Content-Type"] == "image/png"
    assert dict(request.url.params) == {"model": "digits", "top_k": "3", "device": "cpu"}
    assert "Authorization" not in request.headers
    assert (answer.label, answer.confidence, answer.batch_size) == ("7", 0.991, 4)
    assert [each.label for each in answer.top] == ["7", "1", "2"]


@pytest.mark.parametrize(
    ("picture", "kind"), [(JPEG, "image/jpeg"), (WEBP, "image/webp"), (b"no picture", "application/octet-stream")]
)
def test_content_type_is_detected_from_the_content(picture: bytes, kind: str) -> None:
    service = FakeService()
    with connected(service) as client:
        client.classify(picture, model="digits", device="auto")
        client.explain(picture, model="digits", device="auto")
    assert [request.content for request in service.requests] == [picture, picture]
    assert [request.headers["Content-Type"] for request in service.requests] == [kind, kind]


def test_explain_decodes_images() -> None:
    with connected(FakeService()) as client:
        answer = client.explain(PNG, model="digits", device="auto")
    assert [stage.name for stage in answer.stages] == ["gray", "ink", "crop", "input"]
    assert answer.stages[0].png == GREY_PNG
    assert answer.stages[0].size == (280, 280)
    assert answer.heatmap is not None


def test_batch_has_a_classification_or_an_error_per_picture() -> None:
    service = FakeService()
    with connected(service, api_key="secret") as client:
        first, second, third = client.classify_batch([PNG, b"no picture", JPEG], model="letters", device="cpu")
    (request,) = service.requests
    assert request_pictures(request) == [PNG, b"no picture", JPEG]
    assert dict(request.url.params) == {"model": "letters", "top_k": "3", "device": "cpu"}
    assert request.headers["Authorization"] == "Bearer secret"
    assert isinstance(first, Classification)
    assert isinstance(third, Classification)
    assert isinstance(second, ServiceError)
    assert (second.status, second.code, second.detail) == (415, "unsupported_media", "Not PNG, JPEG or WebP.")


def test_batch_response_with_too_few_entries_is_rejected() -> None:
    with (
        connected(lambda _: httpx.Response(200, json=[])) as client,
        pytest.raises(ServiceUnavailable, match="another program answers"),
    ):
        client.classify_batch([PNG], model="digits", device="auto")


def test_same_key_replaces_the_saved_picture() -> None:
    service = FakeService(gallery=FakeGallery())
    with connected(service) as client:
        first = client.save(JPEG, model="digits", device="auto", key="session-1")
        again = client.save(PNG, model="digits", device="auto", key="session-1")
        client.save(PNG, model="letters", device="cpu", key="session-2")
        assert client.list_gallery(limit=24).total == 2
    assert first.id == again.id
    assert first.thumbnail == PNG
    assert service.requests[0].content == JPEG
    assert service.requests[0].headers["Content-Type"] == "image/jpeg"
    assert dict(service.requests[2].url.params) == {"model": "letters", "top_k": "3", "device": "cpu", "key": "session-2"}


def test_gallery_is_paginated() -> None:
    gallery = FakeGallery({str(number): gallery_entry(str(number), model="ab"[number % 2]) for number in range(5)})
    with connected(FakeService(gallery=gallery)) as client:
        first = client.list_gallery(limit=2, selection=GalleryFilter(model="a"))
        assert ([entry.id for entry in first.entries], first.total) == (["4", "2"], 3)
        last = client.list_gallery(limit=2, cursor=first.next, selection=GalleryFilter(model="a"))
        assert ([entry.id for entry in last.entries], last.next) == (["0"], None)


def test_saved_picture_is_corrected_and_deleted_by_id() -> None:
    gallery = FakeGallery({"1": gallery_entry("1"), "2": gallery_entry("2")})
    with connected(FakeService(gallery=gallery)) as client:
        assert client.correct("1", "4").corrected == "4"
        assert client.correct("1", None).corrected is None
        client.delete("1")
        with pytest.raises(ServiceError, match="no such picture") as caught:
            client.delete("1")
        assert caught.value.code == "not_found"
        assert client.delete_all() == 1
    assert gallery.entries == {}


def test_id_is_quoted_in_the_path() -> None:
    requests: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(204)

    with connected(reply) as client:
        client.delete("../classify?a=1")
    assert requests[0].url.raw_path == b"/gallery/..%2Fclassify%3Fa%3D1"


def test_error_has_the_id_of_its_request() -> None:
    service = FakeService(replies={"/models": lambda _: problem_response(500, "internal")})
    with connected(service) as client:
        with pytest.raises(ServiceError) as refused:
            client.list_models()
        service.down = True
        with pytest.raises(ServiceUnavailable) as unavailable:
            client.list_models()
    sent = [request.headers["X-Request-ID"] for request in service.requests]
    assert [refused.value.request_id, unavailable.value.request_id] == sent
    assert len({*sent}) == 2


def test_id_that_the_service_answers_replaces_the_one_that_was_sent() -> None:
    def reply(_: httpx.Request) -> httpx.Response:
        answer = problem_response(503, "unavailable")
        answer.headers["X-Request-ID"] = "from-the-service"
        return answer

    with connected(reply) as client, pytest.raises(ServiceUnavailable) as unavailable:
        client.list_models()
    assert unavailable.value.request_id == "from-the-service"


def test_gallery_database_outage_is_unavailable() -> None:
    with (
        connected(FakeService(gallery=FakeGallery(database_down=True))) as client,
        pytest.raises(ServiceUnavailable, match="The database of the gallery does not answer"),
    ):
        client.list_gallery(limit=24)


@pytest.mark.parametrize(("status", "retryable"), [(429, True), (504, True), (500, True), (413, False), (404, False)])
def test_errors_are_retryable_by_status(status: int, retryable: bool) -> None:
    assert ServiceError(status=status, title="", detail="", code="").retryable is retryable


def test_catalogue_tells_whether_there_is_a_gallery() -> None:
    with connected(FakeService()) as client:
        assert not client.list_models().gallery
    with connected(FakeService(gallery=FakeGallery())) as client:
        assert client.list_models().gallery


def test_missing_heat_map_is_none() -> None:
    with connected(lambda _: httpx.Response(200, json=explanation(heatmap=None))) as client:
        assert client.explain(PNG, model="digits", device="auto").heatmap is None


def test_default_model_is_first() -> None:
    with connected(lambda _: httpx.Response(200, json=models_response("cascade", "letters", "digits"))) as client:
        known = client.list_models()
    assert known.names() == ["digits", "cascade", "letters"]
    assert known.get("letters").card.labels == list("0123456789")
    assert known.get("digits").devices["gpu"].reason == NO_GPU


def test_subject_of_a_model_and_of_a_cascade() -> None:
    known = ModelCatalogue.model_validate({"models": [model("digits"), characters_model(), fashion_model()]})
    assert [known.get(name).card.subject for name in ("digits", "characters", "fashion")] == ["ink", "ink", "object"]


def test_api_key_is_sent_with_every_request() -> None:
    service = FakeService()
    with connected(service, api_key="secret") as client:
        client.list_models()
    assert service.requests[0].headers["Authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (httpx.ConnectError("refused"), "no connection"),
        (httpx.ConnectTimeout("late"), "no answer in time"),
        (httpx.ReadTimeout("late"), "no answer in time"),
        (httpx.RemoteProtocolError("closed"), "the connection was closed"),
        (httpx.ReadError("reset"), "the connection was closed"),
    ],
)
def test_connection_error_is_unavailable(failure: httpx.TransportError, reason: str) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise failure

    with connected(fail) as client, pytest.raises(ServiceUnavailable, match=reason) as caught:
        client.classify(PNG, model="digits", device="auto")
    assert caught.value.address == ADDRESS


def test_503_is_unavailable_with_its_detail() -> None:
    with (
        connected(lambda _: problem_response(503, "unavailable", detail="Draining.")) as client,
        pytest.raises(ServiceUnavailable) as caught,
    ):
        client.list_models()
    assert caught.value.reason == "Draining."


@pytest.mark.parametrize("body", ["<html>hello</html>", "[]", '{"models": []}'])
def test_response_of_another_service_is_unavailable(body: str) -> None:
    with (
        connected(lambda _: httpx.Response(200, text=body)) as client,
        pytest.raises(ServiceUnavailable, match="another program answers"),
    ):
        client.list_models()


def test_problem_document_is_a_service_error() -> None:
    reply = problem_response(413, "too_large", "Too large", "At most 8 MB.")
    with connected(lambda _: reply) as client, pytest.raises(ServiceError) as caught:
        client.classify(PNG, model="digits", device="auto")
    assert (caught.value.status, caught.value.code) == (413, "too_large")
    assert (caught.value.title, caught.value.detail) == ("Too large", "At most 8 MB.")


@pytest.mark.parametrize("body", ["", "oops", "[1]", '{"detail": null}'])
def test_error_without_a_problem_document_is_a_service_error(body: str) -> None:
    with (
        connected(lambda _: httpx.Response(500, text=body)) as client,
        pytest.raises(ServiceError, match="Internal Server Error"),
    ):
        client.list_models()


def test_readiness_is_asked_without_raising() -> None:
    service = FakeService()
    with connected(service) as client:
        assert client.is_ready()
        service.replies["/readyz"] = lambda _: problem_response(503, "unavailable")
        assert not client.is_ready()
        service.down = True
        assert not client.is_ready()
    assert [request.url.path for request in service.requests] == ["/readyz"] * 3


def test_metrics_are_read_with_the_key() -> None:
    service = FakeService()
    service.replies["/metrics"] = lambda _: httpx.Response(200, text="requests 1\n")
    with connected(service, api_key="secret") as client:
        assert client.read_metrics() == "requests 1\n"
    assert service.requests[0].headers["Authorization"] == "Bearer secret"
    service.down = True
    with connected(service) as client, pytest.raises(ServiceUnavailable):
        client.read_metrics()
