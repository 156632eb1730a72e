"""The desk: which drawing is which, and which answers are asked for again."""

from contextlib import closing

import httpx
import pytest

from tests.ui.service import JPEG, OTHER_PNG, PNG, WEBP, Service
from ui.canvas import Drawing, drawing
from ui.client import Client, Unavailable
from ui.desk import Desk, Question
from ui.gallery import Gallery


def labels(gallery: Gallery) -> list[str]:
    return [entry.answer.label for entry in gallery.entries]


def test_a_drawing_hangs_as_it_is_and_a_photo_small(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []

    def preview(data: bytes) -> bytes:
        made.append(data)
        return WEBP

    monkeypatch.setattr("ui.desk.preview", preview)
    desk = Desk()
    with closing(Client("http://127.0.0.1:3000", transport=httpx.MockTransport(Service()))) as client:
        desk.classify(client, Question(PNG, "digits", "auto", drawing=0))
        for _ in range(2):
            desk.preview(JPEG)
            desk.classify(client, Question(JPEG, "digits", "auto"))
    assert [entry.thumbnail for entry in desk.gallery.entries] == [WEBP, PNG]
    assert made == [JPEG]


def test_a_canvas_without_strokes_is_no_drawing() -> None:
    assert drawing(None, None).png is None
    assert drawing({"objects": []}, PNG).png is None
    assert drawing({"objects": [{"type": "Path"}]}, PNG).png == PNG


def test_wiping_the_canvas_begins_another_drawing() -> None:
    desk = Desk()
    for png in (None, PNG, PNG, None, None, OTHER_PNG):
        desk.see(Drawing(png))
    assert (desk.sheet, desk.drawing) == (0, 1)


def test_a_new_sheet_begins_another_drawing() -> None:
    desk = Desk()
    desk.see(Drawing(PNG))
    desk.new_sheet()
    desk.see(Drawing(None))
    assert (desk.sheet, desk.drawing) == (1, 1)


def test_a_question_is_asked_once() -> None:
    service, desk = Service(), Desk()
    with closing(Client("http://127.0.0.1:3000", transport=httpx.MockTransport(service))) as client:
        for _ in range(3):
            desk.refresh(client)
            desk.classify(client, Question(PNG, "digits", "auto"))
            desk.explain(client, Question(PNG, "digits", "auto"))
        assert [request.url.path for request in service.asked] == ["/models", "/classify", "/explain"]
        desk.classify(client, Question(PNG, "digits", "cpu"))
        assert len(service.asked_for("/classify")) == 2
        assert labels(desk.gallery) == ["7"]


def test_an_emptied_gallery_stays_empty_until_something_is_drawn() -> None:
    desk = Desk()
    with closing(Client("http://127.0.0.1:3000", transport=httpx.MockTransport(Service()))) as client:
        desk.classify(client, Question(PNG, "digits", "auto"))
        desk.gallery.empty()
        desk.classify(client, Question(PNG, "digits", "auto"))
        assert labels(desk.gallery) == []
        desk.classify(client, Question(OTHER_PNG, "digits", "auto"))
        assert labels(desk.gallery) == ["7"]


def test_a_failure_leaves_the_gallery_and_renews_the_catalogue() -> None:
    service, desk = Service(), Desk()
    with closing(Client("http://127.0.0.1:3000", transport=httpx.MockTransport(service))) as client:
        desk.refresh(client)
        desk.classify(client, Question(PNG, "digits", "auto"))
        service.down = True
        with pytest.raises(Unavailable):
            desk.classify(client, Question(OTHER_PNG, "digits", "auto"))
        assert labels(desk.gallery) == ["7"]
        assert desk.catalogue is not None
        service.down = False
        desk.refresh(client)
        assert len(service.asked_for("/models")) == 2
