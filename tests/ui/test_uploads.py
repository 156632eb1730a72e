"""Files and photos on the page, and which source a model is offered."""

import io
from collections.abc import Callable

import httpx
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.support.pictures import WHITE, digit, encoded
from tests.ui.service import (
    JPEG,
    OTHER_PNG,
    PNG,
    WEBP,
    Gallery,
    Service,
    catalogue,
    characters,
    classification,
    fashion,
    problem,
)
from tests.ui.service import pictures as pictures_of
from tests.ui.visitor import Hand, alerts, cards, choose, explain, hidden, send, written
from ui import pictures


def test_a_file_is_answered_and_shown(page: AppTest, service: Service) -> None:
    assert hidden(page, "upload")
    choose(page, "upload")
    assert hidden(page, "draw")
    assert not hidden(page, "upload")
    assert "Upload a picture of a digit" in written(page)
    send(page, ("named wrongly.png", JPEG))
    (request,) = service.asked_for("/classify")
    assert request.content == JPEG
    assert request.headers["Content-Type"] == "image/jpeg"
    assert 'data-label="7"' in written(page)
    assert 'class="sent"' in written(page)


def test_a_file_that_is_no_picture_costs_nothing_else(page: AppTest, hand: Hand, service: Service) -> None:
    hand.draw(PNG)
    page.run()
    service.replies["/classify"] = lambda _: problem(415, "unsupported_media", detail="Not PNG")
    choose(page, "upload")
    send(page, ("no.png", b"no picture"))
    assert alerts(page) == ["This file is not a picture the service can read: Not PNG"]
    assert "retry" not in [button.key for button in page.button]  # asking again would not help
    assert 'class="sent"' not in written(page)
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification())
    choose(page, "draw")
    assert not alerts(page)
    assert 'data-label="7"' in written(page)
    assert cards(page) == 1


def test_a_file_without_ink_is_told_as_the_service_does(page: AppTest, service: Service) -> None:
    service.replies["/classify"] = lambda _: problem(422, "no_ink", detail="Nothing is drawn")
    choose(page, "upload")
    send(page, ("paper.webp", WEBP))
    assert alerts(page) == ["There is nothing to read on this picture: Nothing is drawn"]


def test_files_and_drawings_hang_side_by_side(page: AppTest, hand: Hand) -> None:
    hand.draw(PNG)
    page.run()
    choose(page, "upload")
    send(page, ("one.jpg", JPEG))
    send(page, ("two.webp", WEBP))
    assert cards(page) == 3
    choose(page, "draw")
    hand.draw(OTHER_PNG)
    page.run()
    assert cards(page) == 3


def test_several_files_are_a_table(page: AppTest, service: Service) -> None:
    choose(page, "upload")
    send(page, ("one.jpg", JPEG), ("two.webp", WEBP), ("none.png", b"no picture"))
    assert not page.exception
    assert "two.webp" in written(page)
    assert not service.asked_for("/classify")
    assert service.asked_for("/classify/batch")
    assert 'class="sent"' not in written(page)
    send(page, ("two.webp", WEBP))
    assert service.asked_for("/classify")[0].content == WEBP
    assert 'class="sent"' in written(page)


def test_the_camera_is_asked_for_only_when_chosen(page: AppTest, service: Service) -> None:
    assert not page.camera_input
    choose(page, "camera")
    assert "Take a photo of a digit" in written(page)
    page.camera_input(key="camera").upload("photo.jpg", JPEG).run()
    assert service.asked_for("/classify")[0].headers["Content-Type"] == "image/jpeg"
    assert 'data-label="7"' in written(page)
    choose(page, "draw")
    assert not page.camera_input


def test_each_model_offers_what_it_can_read(service: Service, hand: Hand, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue(others=[characters(), fashion()]))
    page = start()
    hand.draw(PNG)
    page.selectbox(key="model").set_value("characters").run()
    assert page.segmented_control(key="source").value == "draw"
    assert service.asked_for("/classify")[-1].content == PNG

    page.selectbox(key="model").set_value("fashion").run()
    assert [option.split()[-1] for option in page.segmented_control(key="source").options] == ["Upload", "Camera"]
    assert hidden(page, "draw")
    assert "Upload a picture" in written(page)
    assert "This model knows T-shirt/top, Trouser" in written(page)
    assert len(service.asked_for("/classify")) == 1
    send(page, ("boot.jpg", JPEG))
    assert service.asked_for("/classify")[-1].url.params["model"] == "fashion"
    explain(page)
    assert "Which parts mattered" in written(page)

    # Nobody chose to upload: drawing is where the next model of ink begins, and the drawing is there.
    page.selectbox(key="model").set_value("digits").run()
    assert page.segmented_control(key="source").value == "draw"
    assert service.asked_for("/classify")[-1].content == PNG
    assert not page.exception


def test_a_file_stays_for_the_next_model(service: Service, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue(others=[fashion()]))
    page = start()
    choose(page, "upload")
    send(page, ("one.jpg", JPEG))
    for name in ("fashion", "digits"):
        page.selectbox(key="model").set_value(name).run()
        assert page.segmented_control(key="source").value == "upload"
        assert service.asked_for("/classify")[-1].content == JPEG
    assert [r.url.params["model"] for r in service.asked_for("/classify")] == ["digits", "fashion"]
    assert cards(page) == 1


def test_what_is_like_no_piece_of_many(service: Service, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue(others=[fashion()]))
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification(model="fashion", rejected=True))
    page = start()
    page.selectbox(key="model").set_value("fashion").run()
    send(page, ("boot.jpg", JPEG))
    assert "This does not look like anything fashion was made for." in written(page)


@pytest.fixture
def photo() -> bytes:
    """A photo with more pixels than the service takes."""
    return encoded(digit("7", paper=WHITE).convert("RGB").resize((4200, 4200)), "JPEG")


def test_a_photo_that_is_too_large_is_sent_smaller_and_so_kept(
    service: Service, photo: bytes, start: Callable[[], AppTest]
) -> None:
    service.gallery = Gallery()
    page = start()
    page.toggle(key="keep").set_value(True).run()
    choose(page, "upload")
    send(page, ("my photo.jpg", photo))
    (asked,), (kept,) = service.asked_for("/classify"), [r for r in service.asked_for("/gallery") if r.method == "POST"]
    assert max(Image.open(io.BytesIO(asked.content)).size) == 1600
    assert kept.content == asked.content
    assert "It was sent smaller." in written(page)
    # From code, only the smaller one gives the same answer: here it is.
    page.session_state["code"] = True
    page.run()
    assert "'@my photo-smaller.jpeg'" in page.code[0].value
    assert "Save the picture" in [each.proto.label for each in page.get("download_button")]
    send(page, ("seven.jpg", JPEG))
    assert "It was sent smaller." not in written(page)
    assert "@seven.jpg" in page.code[0].value
    assert not [each for each in page.get("download_button") if each.proto.label.startswith("Save")]


def test_many_large_photos_are_made_smaller_once(
    page: AppTest, hand: Hand, service: Service, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bytes] = []

    def fitting(data: bytes, *limits: int) -> bytes:
        made.append(data)
        return pictures.fitting(data, *limits)

    monkeypatch.setattr("ui.files.fitting", fitting)
    choose(page, "upload")
    send(page, *((f"{number}.jpg", photo + bytes([number])) for number in range(9)))
    assert len(made) == 9
    choose(page, "draw")
    hand.draw(PNG)
    page.run()
    assert len(made) == 9
    # A service that takes less is sent less.
    small = catalogue() | {"limits": {"max_side": 200}}
    service.replies["/models"] = lambda _: httpx.Response(200, json=small)
    service.replies["/classify"] = lambda _: problem(504, "deadline")
    hand.draw(OTHER_PNG)
    page.run()
    page.button(key="retry").click().run()
    assert len(made) == 18
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification())
    choose(page, "upload")
    assert not page.exception
    sent = [each for request in service.asked_for("/classify/batch")[-1:] for each in pictures_of(request)]
    assert {max(Image.open(io.BytesIO(data)).size) for data in sent} == {200}
