"""Files and photos on the page, and which source a model is offered."""

from collections.abc import Callable

import httpx
from streamlit.testing.v1 import AppTest

from tests.ui.service import JPEG, OTHER_PNG, PNG, WEBP, Service, catalogue, characters, classification, fashion, problem
from tests.ui.visitor import Hand, cards, choose, explain, hidden, send, written


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
    assert page.warning[0].value == "**This file is not a picture the service can read**: Not PNG"
    assert "retry" not in [button.key for button in page.button]  # asking again would not help
    assert 'class="sent"' not in written(page)
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification())
    choose(page, "draw")
    assert not page.warning
    assert 'data-label="7"' in written(page)
    assert cards(page) == 1


def test_a_file_without_ink_is_told_as_the_service_does(page: AppTest, service: Service) -> None:
    service.replies["/classify"] = lambda _: problem(422, "no_ink", detail="Nothing is drawn")
    choose(page, "upload")
    send(page, ("paper.webp", WEBP))
    assert page.warning[0].value == "**There is nothing to read on this picture**: Nothing is drawn"


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
