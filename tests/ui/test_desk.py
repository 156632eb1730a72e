"""The desk: which drawing is which, what the sheet holds, and which answers are asked for again."""

import httpx
import pytest

from tests.ui.service import JPEG, OTHER_PNG, PNG, WEBP, Service, catalogue, classification, model
from ui.canvas import Drawing, Start, Stroke, drawing, recoloured
from ui.client import Client, Unavailable
from ui.desk import Desk, Question

ONE: Stroke = {"type": "Path", "stroke": "#000000", "path": [["M", 1, 1]]}
TWO: Stroke = {"type": "Path", "stroke": "#000000", "path": [["M", 2, 2]]}
EMPTY = Drawing()
FIRST = Drawing(PNG, (ONE,))
SECOND = Drawing(OTHER_PNG, (ONE, TWO))


def test_a_canvas_without_strokes_is_no_drawing() -> None:
    assert drawing(None, None) == EMPTY
    assert drawing({"objects": []}, PNG).png is None
    assert drawing({"objects": [ONE]}, PNG).png == PNG
    assert drawing({"objects": [ONE]}, PNG).strokes == (ONE,)


def test_another_ink_for_every_stroke() -> None:
    assert [stroke["stroke"] for stroke in recoloured((ONE, TWO), "#ff0000")] == ["#ff0000"] * 2
    assert ONE["stroke"] == "#000000"


def test_an_empty_sheet_begins_another_drawing() -> None:
    desk = Desk()
    for seen in (EMPTY, FIRST, FIRST, EMPTY, EMPTY, SECOND):
        desk.see(seen)
    assert desk.drawing == 1
    assert desk.start == Start()


def test_cleared_is_empty_before_the_canvas_says_so() -> None:
    desk = Desk()
    assert desk.see(FIRST) == PNG
    desk.clear()
    assert (desk.start, desk.drawing, desk.inked) == (Start((), 1), 1, False)
    assert desk.see(FIRST) is None  # old news
    assert desk.see(EMPTY) is None
    assert desk.drawing == 1
    assert desk.see(FIRST) == PNG  # the same again, drawn anew


def test_undone_keeps_the_old_picture_until_the_canvas_has_the_new() -> None:
    desk = Desk()
    desk.see(SECOND)
    desk.undo()
    assert desk.start == Start((ONE,), 1)
    assert desk.see(SECOND) == OTHER_PNG
    assert desk.see(FIRST) == PNG
    assert desk.drawing == 0


def test_undone_twice_before_the_canvas_says_anything() -> None:
    desk = Desk()
    desk.see(SECOND)
    desk.undo()
    desk.see(SECOND)
    desk.undo()
    assert desk.start == Start((), 2)
    assert desk.see(SECOND) is None


def test_undone_and_cleared_before_the_canvas_says_anything() -> None:
    desk = Desk()
    desk.see(SECOND)
    desk.undo()
    desk.clear()
    for old in (SECOND, FIRST):  # what it held before, and what the page had put on it in between
        assert desk.see(old) is None
    assert desk.see(EMPTY) is None
    assert (desk.drawing, desk.start) == (1, Start((), 2))
    assert desk.see(FIRST) == PNG


def test_a_stroke_on_the_old_sheet_begins_no_drawing() -> None:
    desk = Desk()
    desk.see(FIRST)
    desk.clear()
    assert desk.see(SECOND) is None  # drawn before the canvas heard that it is empty
    assert desk.see(EMPTY) is None
    assert desk.drawing == 1


def test_an_ink_chosen_and_taken_back_at_once() -> None:
    desk = Desk()
    desk.see(FIRST)
    desk.recolour("#ff0000")
    desk.recolour("#000000")
    assert desk.see(FIRST) == PNG
    assert desk.see(SECOND) == OTHER_PNG
    assert desk.drawing == 0


def test_an_empty_sheet_may_be_cleared_and_undone() -> None:
    desk = Desk()
    desk.undo()
    desk.clear()
    assert desk.see(EMPTY) is None
    assert desk.see(FIRST) == PNG


def test_other_colours_leave_the_drawing_the_same() -> None:
    desk = Desk()
    desk.see(SECOND)
    desk.recolour("#ffffff")
    assert [stroke["stroke"] for stroke in desk.start.strokes] == ["#ffffff"] * 2
    assert desk.see(Drawing(WEBP, desk.start.strokes)) == WEBP
    assert desk.drawing == 0


def test_a_question_is_asked_once(service: Service, client: Client) -> None:
    desk = Desk()
    for _ in range(3):
        desk.refresh(client)
        desk.classify(client, Question(PNG, "digits", "auto"))
        desk.explain(client, Question(PNG, "digits", "auto"))
    assert [request.url.path for request in service.asked] == ["/models", "/classify", "/explain"]
    for _ in range(2):
        desk.classify(client, Question(PNG, "letters", "cpu"))
        desk.classify(client, Question(PNG, "digits", "auto"))
    assert len(service.asked_for("/classify")) == 2


def test_another_picture_is_another_question(service: Service, client: Client) -> None:
    desk = Desk()
    for picture in (PNG, OTHER_PNG, PNG):
        desk.classify(client, Question(picture, "digits", "auto"))
    assert len(service.asked_for("/classify")) == 3


def test_what_is_forgotten_is_asked_again(service: Service, client: Client) -> None:
    desk = Desk()
    for _ in range(2):
        desk.classify(client, Question(PNG, "digits", "auto"))
        desk.explain(client, Question(PNG, "digits", "auto"))
        desk.forget()
    assert [len(service.asked_for(path)) for path in ("/classify", "/explain")] == [2, 2]


def test_a_drawing_hangs_as_it_is_and_a_photo_small(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []

    def preview(data: bytes) -> bytes:
        made.append(data)
        return WEBP

    monkeypatch.setattr("ui.desk.preview", preview)
    desk = Desk()
    for question in (Question(PNG, "digits", "auto", drawing=0), Question(JPEG, "digits", "auto")):
        for _ in range(2):
            desk.record(question, desk.classify(client, question))
    assert [entry.thumbnail for entry in desk.gallery.entries] == [WEBP, PNG]
    assert made == [JPEG]


def test_an_emptied_gallery_stays_empty_until_something_is_drawn(client: Client) -> None:
    desk = Desk()

    def read(picture: bytes, drawing: int) -> int:
        question = Question(picture, "digits", "auto", drawing)
        desk.record(question, desk.classify(client, question))
        return len(desk.gallery.entries)

    assert read(PNG, 0) == 1
    desk.gallery.empty()
    assert read(PNG, 0) == 0
    assert read(OTHER_PNG, 1) == 1


def test_a_failure_renews_the_catalogue(service: Service, client: Client) -> None:
    desk = Desk()
    desk.refresh(client)
    assert not desk.stale
    service.down = True
    with pytest.raises(Unavailable):
        desk.classify(client, Question(OTHER_PNG, "digits", "auto"))
    assert desk.stale
    assert desk.catalogue is not None
    service.down = False
    desk.refresh(client)
    assert not desk.stale
    assert len(service.asked_for("/models")) == 2


def test_an_answer_of_another_version_renews_the_catalogue(service: Service, client: Client) -> None:
    desk = Desk()
    desk.refresh(client)
    desk.classify(client, Question(PNG, "digits", "auto"))
    assert not desk.stale
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification(version="1.1.0"))
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue(others=[model("letters", version="2.0.0")]))
    desk.classify(client, Question(OTHER_PNG, "digits", "auto"))
    assert desk.stale
    desk.refresh(client)
    desk.classify(client, Question(OTHER_PNG, "digits", "auto"))
    assert not desk.stale  # asked about once, whatever the service says: workers may differ for a moment
    assert desk.catalogue is not None
    assert desk.catalogue.names() == ["digits", "letters"]


def test_why_there_is_no_catalogue_is_said_once(service: Service, client: Client) -> None:
    desk = Desk()
    service.down = True
    desk.refresh(client)
    assert isinstance(desk.take_failure(), Unavailable)
    assert desk.take_failure() is None
    assert desk.stale
    service.down = False
    desk.refresh(client)
    assert desk.take_failure() is None
    assert desk.catalogue is not None
