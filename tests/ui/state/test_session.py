"""The session: drawings, canvas content, cached answers and the catalogue."""

import httpx
import pytest

from tests.ui.fake_service import JPEG, OTHER_PNG, PNG, WEBP, FakeService, classification, model, models_response
from ui.api.client import Client, ServiceUnavailable
from ui.components.canvas import parse_drawing
from ui.state.drawing import CanvasContent, Drawing, Stroke, recolour
from ui.state.session import ClassifyRequest, Session

ONE: Stroke = {"type": "Path", "stroke": "#000000", "path": [["M", 1, 1]]}
TWO: Stroke = {"type": "Path", "stroke": "#000000", "path": [["M", 2, 2]]}
EMPTY = Drawing()
FIRST = Drawing(PNG, (ONE,))
SECOND = Drawing(OTHER_PNG, (ONE, TWO))


def test_canvas_without_strokes_has_no_drawing() -> None:
    assert parse_drawing(None, None) == EMPTY
    assert parse_drawing({"objects": []}, PNG).png is None
    assert parse_drawing({"objects": [ONE]}, PNG).png == PNG
    assert parse_drawing({"objects": [ONE]}, PNG).strokes == (ONE,)


def test_recolour_changes_every_stroke() -> None:
    assert [stroke["stroke"] for stroke in recolour((ONE, TWO), "#ff0000")] == ["#ff0000"] * 2
    assert ONE["stroke"] == "#000000"


def test_emptied_canvas_begins_a_new_drawing() -> None:
    session = Session()
    for seen in (EMPTY, FIRST, FIRST, EMPTY, EMPTY, SECOND):
        session.update_drawing(seen)
    assert session.drawing_number == 1
    assert session.canvas_content == CanvasContent()


def test_clear_takes_effect_before_the_canvas_reports_it() -> None:
    session = Session()
    assert session.update_drawing(FIRST) == PNG
    session.clear()
    assert (session.canvas_content, session.drawing_number, session.has_strokes) == (CanvasContent((), 1), 1, False)
    assert session.update_drawing(FIRST) is None  # reported too late
    assert session.update_drawing(EMPTY) is None
    assert session.drawing_number == 1
    assert session.update_drawing(FIRST) == PNG  # the same picture, drawn again


def test_undo_keeps_the_old_picture_until_the_canvas_reports_the_new_one() -> None:
    session = Session()
    session.update_drawing(SECOND)
    session.undo()
    assert session.canvas_content == CanvasContent((ONE,), 1)
    assert session.update_drawing(SECOND) == OTHER_PNG
    assert session.update_drawing(FIRST) == PNG
    assert session.drawing_number == 0


def test_undo_twice_before_the_canvas_reports() -> None:
    session = Session()
    session.update_drawing(SECOND)
    session.undo()
    session.update_drawing(SECOND)
    session.undo()
    assert session.canvas_content == CanvasContent((), 2)
    assert session.update_drawing(SECOND) is None


def test_undo_and_clear_before_the_canvas_reports() -> None:
    session = Session()
    session.update_drawing(SECOND)
    session.undo()
    session.clear()
    for old in (SECOND, FIRST):  # the content before, and the content after the undo
        assert session.update_drawing(old) is None
    assert session.update_drawing(EMPTY) is None
    assert (session.drawing_number, session.canvas_content) == (1, CanvasContent((), 2))
    assert session.update_drawing(FIRST) == PNG


def test_stroke_on_replaced_content_is_ignored() -> None:
    session = Session()
    session.update_drawing(FIRST)
    session.clear()
    assert session.update_drawing(SECOND) is None  # drawn before the canvas was emptied
    assert session.update_drawing(EMPTY) is None
    assert session.drawing_number == 1


def test_ink_changed_twice_before_the_canvas_reports() -> None:
    session = Session()
    session.update_drawing(FIRST)
    session.recolour("#ff0000")
    session.recolour("#000000")
    assert session.update_drawing(FIRST) == PNG
    assert session.update_drawing(SECOND) == OTHER_PNG
    assert session.drawing_number == 0


def test_undo_and_clear_on_an_empty_canvas() -> None:
    session = Session()
    session.undo()
    session.clear()
    assert session.update_drawing(EMPTY) is None
    assert session.update_drawing(FIRST) == PNG


def test_recolouring_keeps_the_drawing_number() -> None:
    session = Session()
    session.update_drawing(SECOND)
    session.recolour("#ffffff")
    assert [stroke["stroke"] for stroke in session.canvas_content.strokes] == ["#ffffff"] * 2
    assert session.update_drawing(Drawing(WEBP, session.canvas_content.strokes)) == WEBP
    assert session.drawing_number == 0


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
