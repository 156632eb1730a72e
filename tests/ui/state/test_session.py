"""The session: drawings, canvas content, cached answers and the catalogue."""

from base64 import b64encode
from dataclasses import replace

import httpx
import pytest

from tests.ui.fake_service import JPEG, OTHER_PNG, PNG, WEBP, FakeService, classification, model, models_response
from ui.api.client import Client, ServiceUnavailable
from ui.components.canvas import parse_drawing
from ui.state.drawing import CanvasContent, Drawing, Stroke
from ui.state.session import DRAW, UPLOAD, ClassifyRequest, Session

ONE: Stroke = {"path": [["M", 1, 1]], "strokeWidth": 20, "eraser": False}
TWO: Stroke = {"path": [["M", 2, 2]], "strokeWidth": 20, "eraser": False}
EMPTY = Drawing()
FIRST = Drawing(PNG, (ONE,))
SECOND = Drawing(OTHER_PNG, (ONE, TWO))


def test_canvas_without_strokes_has_no_drawing() -> None:
    report = {"number": 3, "strokes": [], "png": b64encode(PNG).decode(), "revision": "ab", "version": 5, "size": [560, 320]}
    assert parse_drawing(None) == EMPTY
    assert parse_drawing(report) == Drawing(None, (), 3, "ab", size=(560, 320))
    assert parse_drawing(report | {"strokes": [ONE]}) == Drawing(PNG, (ONE,), 3, "ab", size=(560, 320))
    assert parse_drawing(report | {"strokes": [ONE]}).strokes == (ONE,)


def test_session_takes_over_what_the_canvas_reports() -> None:
    session = Session()
    assert session.update_drawing(EMPTY) is None
    assert session.update_drawing(SECOND) == OTHER_PNG
    assert session.strokes == (ONE, TWO)
    assert session.update_drawing(Drawing(number=4)) is None
    assert session.drawing_number == 4


def test_clear_takes_effect_before_the_canvas_reports_it() -> None:
    session = Session()
    session.update_drawing(FIRST)
    session.clear()
    assert session.canvas_content.strokes == ()
    assert session.strokes == ()
    assert session.update_drawing(FIRST) is None  # reported too late
    assert session.update_drawing(Drawing(revision=session.canvas_content.revision)) is None
    assert session.update_drawing(replace(FIRST, number=1, revision=session.canvas_content.revision)) == PNG


def test_loaded_strokes_count_when_the_canvas_reports_them() -> None:
    session = Session()
    session.update_drawing(FIRST)
    session.load_strokes([ONE, TWO])
    content = session.canvas_content
    assert content == CanvasContent((ONE, TWO), content.revision)
    assert session.update_drawing(FIRST) == PNG
    assert session.update_drawing(replace(SECOND, number=1, revision=content.revision)) == OTHER_PNG
    assert session.drawing_number == 1
    session.load_strokes([ONE, TWO])
    assert session.canvas_content.revision != content.revision  # the same strokes are put on the canvas again


def test_new_session_takes_over_a_drawing_with_strokes_that_an_old_one_loaded() -> None:
    assert Session().update_drawing(replace(FIRST, revision="ab12")) == PNG


def test_same_request_is_sent_once(service: FakeService, client: Client) -> None:
    session = Session()
    for _ in range(3):
        session.refresh_catalogue(client)
        session.classify(client, ClassifyRequest(PNG, "digits", "auto"))
        session.explain(client, ClassifyRequest(PNG, "digits", "auto"))
    assert [request.url.path for request in service.requests] == ["/models", "/classify", "/explain"]
    for _ in range(2):
        session.classify(client, ClassifyRequest(PNG, "letters", "cpu"))
        session.classify(client, ClassifyRequest(PNG, "digits", "auto"))
    assert len(service.requests_to("/classify")) == 2


def test_another_picture_is_another_request(service: FakeService, client: Client) -> None:
    session = Session()
    for picture in (PNG, OTHER_PNG, PNG):
        session.classify(client, ClassifyRequest(picture, "digits", "auto"))
    assert len(service.requests_to("/classify")) == 3


def test_cleared_answers_are_requested_again(service: FakeService, client: Client) -> None:
    session = Session()
    for _ in range(2):
        session.classify(client, ClassifyRequest(PNG, "digits", "auto"))
        session.explain(client, ClassifyRequest(PNG, "digits", "auto"))
        session.clear_answers()
    assert [len(service.requests_to(path)) for path in ("/classify", "/explain")] == [2, 2]


def test_gallery_shows_drawings_unchanged_and_photos_as_previews(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []

    def preview(data: bytes) -> bytes:
        made.append(data)
        return WEBP

    monkeypatch.setattr("ui.state.session.preview", preview)
    session = Session()
    for request in (ClassifyRequest(PNG, "digits", "auto", drawing_number=0), ClassifyRequest(JPEG, "digits", "auto")):
        for _ in range(2):
            session.add_to_gallery(request, session.classify(client, request))
    assert [entry.thumbnail for entry in session.gallery.entries] == [WEBP, PNG]
    assert made == [JPEG]


def test_cleared_gallery_stays_empty_until_the_next_drawing(client: Client) -> None:
    session = Session()

    def read(picture: bytes, drawing: int) -> int:
        request = ClassifyRequest(picture, "digits", "auto", drawing)
        session.add_to_gallery(request, session.classify(client, request))
        return len(session.gallery.entries)

    assert read(PNG, 0) == 1
    session.gallery.clear()
    assert read(PNG, 0) == 0
    assert read(OTHER_PNG, 1) == 1


def test_failure_makes_the_catalogue_stale(service: FakeService, client: Client) -> None:
    session = Session()
    session.refresh_catalogue(client)
    assert not session.catalogue_stale
    service.down = True
    with pytest.raises(ServiceUnavailable):
        session.classify(client, ClassifyRequest(OTHER_PNG, "digits", "auto"))
    assert session.catalogue_stale
    assert session.catalogue is not None
    service.down = False
    session.refresh_catalogue(client)
    assert not session.catalogue_stale
    assert len(service.requests_to("/models")) == 2


def test_answer_of_another_version_makes_the_catalogue_stale(service: FakeService, client: Client) -> None:
    session = Session()
    session.refresh_catalogue(client)
    session.classify(client, ClassifyRequest(PNG, "digits", "auto"))
    assert not session.catalogue_stale
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification(version="1.1.0"))
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response(others=[model("letters", version="2.0.0")]))
    session.classify(client, ClassifyRequest(OTHER_PNG, "digits", "auto"))
    assert session.catalogue_stale
    session.refresh_catalogue(client)
    session.classify(client, ClassifyRequest(OTHER_PNG, "digits", "auto"))
    assert not session.catalogue_stale  # requested only once: workers may have different versions for a moment
    assert session.catalogue is not None
    assert session.catalogue.names() == ["digits", "letters"]


def test_failure_is_reported_once(service: FakeService, client: Client) -> None:
    session = Session()
    service.down = True
    session.refresh_catalogue(client)
    assert isinstance(session.pop_failure(), ServiceUnavailable)
    assert session.pop_failure() is None
    assert session.catalogue_stale
    service.down = False
    session.refresh_catalogue(client)
    assert session.pop_failure() is None
    assert session.catalogue is not None


def test_what_is_opened_chooses_its_source() -> None:
    session = Session()
    session.open_drawing(({"path": [["M", 1, 2]]},))
    assert session.source == DRAW
    session.open_picture("one.png", PNG)
    assert session.source == UPLOAD
