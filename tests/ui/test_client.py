"""The client: what it asks, what it understands, what it makes of failures."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import httpx
import pytest

from tests.ui.service import (
    JPEG,
    NO_GPU,
    PNG,
    WEBP,
    Gallery,
    Service,
    catalogue,
    characters,
    explanation,
    fashion,
    kept,
    model,
    pictures,
    problem,
)
from ui.answers import Classification, ModelRegistry
from ui.client import Client, Problem, Unavailable

ADDRESS = "http://127.0.0.1:3000"


@contextmanager
def connected(reply: Callable[[httpx.Request], httpx.Response], api_key: str | None = None) -> Iterator[Client]:
    with closing(Client(ADDRESS + "/", api_key=api_key, transport=httpx.MockTransport(reply))) as client:
        yield client


def test_classify_sends_the_picture_as_it_is() -> None:
    service = Service()
    with connected(service) as client:
        answer = client.classify(PNG, model="digits", device="cpu")
    (request,) = service.asked
    assert request.content == PNG
    assert request.headers["Content-Type"] == "image/png"
    assert dict(request.url.params) == {"model": "digits", "top_k": "3", "device": "cpu"}
    assert "Authorization" not in request.headers
    assert (answer.label, answer.confidence, answer.batch_size) == ("7", 0.991, 4)
    assert [each.label for each in answer.top] == ["7", "1", "2"]


@pytest.mark.parametrize(
    ("picture", "kind"), [(JPEG, "image/jpeg"), (WEBP, "image/webp"), (b"no picture", "application/octet-stream")]
)
def test_a_file_goes_unchanged_under_the_type_of_its_content(picture: bytes, kind: str) -> None:
    service = Service()
    with connected(service) as client:
        client.classify(picture, model="digits", device="auto")
        client.explain(picture, model="digits", device="auto")
    assert [request.content for request in service.asked] == [picture, picture]
    assert [request.headers["Content-Type"] for request in service.asked] == [kind, kind]


def test_explain_decodes_the_pictures() -> None:
    with connected(Service()) as client:
        answer = client.explain(PNG, model="digits", device="auto")
    assert [stage.name for stage in answer.stages] == ["gray", "ink", "crop", "input"]
    assert answer.stages[0].png == PNG
    assert answer.stages[0].size == (280, 280)
    assert answer.heatmap is not None


def test_a_batch_has_an_answer_or_a_problem_for_each_in_order() -> None:
    service = Service()
    with connected(service, api_key="secret") as client:
        first, second, third = client.classify_batch([PNG, b"no picture", JPEG], model="letters", device="cpu")
    (request,) = service.asked
    assert pictures(request) == [PNG, b"no picture", JPEG]
    assert dict(request.url.params) == {"model": "letters", "top_k": "3", "device": "cpu"}
    assert request.headers["Authorization"] == "Bearer secret"
    assert isinstance(first, Classification)
    assert isinstance(third, Classification)
    assert isinstance(second, Problem)
    assert (second.status, second.code, second.detail) == (415, "unsupported_media", "Not PNG, JPEG or WebP.")


def test_a_batch_with_an_answer_missing_is_not_the_services() -> None:
    with (
        connected(lambda _: httpx.Response(200, json=[])) as client,
        pytest.raises(Unavailable, match="not the classifier"),
    ):
        client.classify_batch([PNG], model="digits", device="auto")


def test_a_picture_is_kept_once_under_its_key() -> None:
    service = Service(gallery=Gallery())
    with connected(service) as client:
        first = client.keep(JPEG, model="digits", device="auto", key="visit-1")
        again = client.keep(PNG, model="digits", device="auto", key="visit-1")
        client.keep(PNG, model="letters", device="cpu", key="visit-2")
        assert client.gallery(limit=24).total == 2
    assert first.id == again.id
    assert first.thumbnail == PNG
    assert service.asked[0].content == JPEG
    assert service.asked[0].headers["Content-Type"] == "image/jpeg"
    assert dict(service.asked[2].url.params) == {"model": "letters", "top_k": "3", "device": "cpu", "key": "visit-2"}


def test_the_gallery_comes_in_pages() -> None:
    gallery = Gallery({str(number): kept(str(number), model="ab"[number % 2]) for number in range(5)})
    with connected(Service(gallery=gallery)) as client:
        first = client.gallery(limit=2, model="a")
        assert ([entry.id for entry in first.entries], first.total) == (["4", "2"], 3)
        last = client.gallery(limit=2, cursor=first.next, model="a")
        assert ([entry.id for entry in last.entries], last.next) == (["0"], None)


def test_a_kept_picture_is_corrected_and_deleted_by_its_id() -> None:
    gallery = Gallery({"1": kept("1"), "2": kept("2")})
    with connected(Service(gallery=gallery)) as client:
        assert client.correct("1", "4").corrected == "4"
        assert client.correct("1", None).corrected is None
        client.delete("1")
        with pytest.raises(Problem, match="no such picture") as caught:
            client.delete("1")
        assert caught.value.code == "not_found"
        assert client.empty() == 1
    assert gallery.entries == {}


def test_an_id_cannot_lead_elsewhere() -> None:
    asked: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(204)

    with connected(reply) as client:
        client.delete("../classify?a=1")
    assert asked[0].url.raw_path == b"/gallery/..%2Fclassify%3Fa%3D1"


def test_a_gallery_without_its_database_is_unavailable() -> None:
    with (
        connected(Service(gallery=Gallery(away=True))) as client,
        pytest.raises(Unavailable, match="The database of the gallery does not answer"),
    ):
        client.gallery(limit=24)


@pytest.mark.parametrize(("status", "passing"), [(429, True), (504, True), (500, True), (413, False), (404, False)])
def test_a_service_that_is_too_busy_may_answer_later(status: int, passing: bool) -> None:
    assert Problem(status=status, title="", detail="", code="").passing is passing


def test_catalogue_says_whether_there_is_a_gallery() -> None:
    with connected(Service()) as client:
        assert not client.catalogue().gallery
    with connected(Service(gallery=Gallery())) as client:
        assert client.catalogue().gallery


def test_a_missing_heat_map_is_none() -> None:
    with connected(lambda _: httpx.Response(200, json=explanation(heatmap=None))) as client:
        assert client.explain(PNG, model="digits", device="auto").heatmap is None


def test_catalogue_names_the_default_first() -> None:
    with connected(lambda _: httpx.Response(200, json=catalogue("cascade", "letters", "digits"))) as client:
        known = client.catalogue()
    assert known.names() == ["digits", "cascade", "letters"]
    assert known.model("letters").card.labels == list("0123456789")
    assert known.model("digits").devices["gpu"].reason == NO_GPU


def test_the_subject_of_a_card_and_of_a_cascade() -> None:
    known = ModelRegistry.model_validate({"models": [model("digits"), characters(), fashion()]})
    assert [known.model(name).card.subject for name in ("digits", "characters", "fashion")] == ["ink", "ink", "object"]


def test_the_api_key_goes_with_every_request() -> None:
    service = Service()
    with connected(service, api_key="secret") as client:
        client.catalogue()
    assert service.asked[0].headers["Authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (httpx.ConnectError("refused"), "no connection"),
        (httpx.ConnectTimeout("late"), "no answer in time"),
        (httpx.ReadTimeout("late"), "no answer in time"),
        (httpx.RemoteProtocolError("closed"), "the connection broke off"),
        (httpx.ReadError("reset"), "the connection broke off"),
    ],
)
def test_a_broken_connection_is_unavailable(failure: httpx.TransportError, reason: str) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise failure

    with connected(fail) as client, pytest.raises(Unavailable, match=reason) as caught:
        client.classify(PNG, model="digits", device="auto")
    assert caught.value.address == ADDRESS


def test_503_is_unavailable_with_its_detail() -> None:
    with connected(lambda _: problem(503, "unavailable", detail="Draining.")) as client, pytest.raises(Unavailable) as caught:
        client.catalogue()
    assert caught.value.reason == "Draining."


@pytest.mark.parametrize("body", ["<html>hello</html>", "[]", '{"models": []}'])
def test_another_service_at_the_address_is_unavailable(body: str) -> None:
    with connected(lambda _: httpx.Response(200, text=body)) as client, pytest.raises(Unavailable, match="not the classifier"):
        client.catalogue()


def test_a_problem_document_is_a_problem() -> None:
    reply = problem(413, "too_large", "Too large", "At most 8 MB.")
    with connected(lambda _: reply) as client, pytest.raises(Problem) as caught:
        client.classify(PNG, model="digits", device="auto")
    assert (caught.value.status, caught.value.code) == (413, "too_large")
    assert (caught.value.title, caught.value.detail) == ("Too large", "At most 8 MB.")


@pytest.mark.parametrize("body", ["", "oops", "[1]", '{"detail": null}'])
def test_an_error_without_a_problem_document_is_a_problem_too(body: str) -> None:
    with connected(lambda _: httpx.Response(500, text=body)) as client, pytest.raises(Problem, match="Internal Server Error"):
        client.catalogue()
