"""Uploads and photos on the page, and the picture sources of each model."""

import io
from collections.abc import Callable

import httpx
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.support.pictures import WHITE, digit, encoded
from tests.ui.fake_service import (
    JPEG,
    OTHER_PNG,
    PNG,
    WEBP,
    FakeGallery,
    FakeService,
    characters_model,
    classification,
    fashion_model,
    models_response,
    problem_response,
)
from tests.ui.fake_service import request_pictures as pictures_of
from tests.ui.page_actions import (
    FakeCanvas,
    alerts,
    choose_source,
    count_cards,
    html_of,
    is_hidden,
    open_explanation,
    owned,
    upload,
)
from ui.images import resize

pytestmark = pytest.mark.slow


def test_uploaded_file_is_classified_and_shown(page: AppTest, service: FakeService) -> None:
    assert is_hidden(page, "upload")
    choose_source(page, "upload")
    assert is_hidden(page, "draw")
    assert not is_hidden(page, "upload")
    assert "Upload a picture of a digit" in html_of(page)
    upload(page, ("named wrongly.png", JPEG))
    (request,) = service.requests_to("/classify")
    assert request.content == JPEG
    assert request.headers["Content-Type"] == "image/jpeg"
    assert 'data-label="7"' in html_of(page)
    assert 'class="upload-preview"' in html_of(page)


def test_file_that_is_no_picture_does_not_affect_the_drawing(
    page: AppTest, fake_canvas: FakeCanvas, service: FakeService
) -> None:
    fake_canvas.draw(PNG)
    page.run()
    service.replies["/classify"] = lambda _: problem_response(415, "unsupported_media", detail="Not PNG")
    choose_source(page, "upload")
    upload(page, ("no.png", b"no picture"))
    (alert,) = alerts(page)
    assert alert.startswith("This file is not a picture the service can read. Save the picture as PNG or JPEG")
    assert alert.endswith("Details Not PNG Reference for the operator: ID")
    assert "retry" not in [button.key for button in page.button]  # a retry would fail again
    assert 'class="upload-preview"' not in html_of(page)
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification())
    choose_source(page, "draw")
    assert not alerts(page)
    assert 'data-label="7"' in html_of(page)
    assert count_cards(page) == 1


def test_file_without_ink_shows_the_error(page: AppTest, service: FakeService) -> None:
    service.replies["/classify"] = lambda _: problem_response(422, "no_ink", detail="Nothing is drawn")
    choose_source(page, "upload")
    upload(page, ("paper.webp", WEBP))
    (alert,) = alerts(page)
    assert alert.startswith("There is nothing to read in this picture.") and alert.endswith(
        "Details Nothing is drawn Reference for the operator: ID"
    )


def test_gallery_shows_files_and_drawings(page: AppTest, fake_canvas: FakeCanvas) -> None:
    fake_canvas.draw(PNG)
    page.run()
    choose_source(page, "upload")
    upload(page, ("one.jpg", JPEG))
    upload(page, ("two.webp", WEBP))
    assert count_cards(page) == 3
    choose_source(page, "draw")
    fake_canvas.draw(OTHER_PNG)
    page.run()
    assert count_cards(page) == 3


def test_several_files_are_listed_in_a_table(page: AppTest, service: FakeService) -> None:
    choose_source(page, "upload")
    upload(page, ("one.jpg", JPEG), ("two.webp", WEBP), ("none.png", b"no picture"))
    assert not page.exception
    assert "two.webp" in html_of(page)
    assert not service.requests_to("/classify")
    assert service.requests_to("/classify/batch")
    assert 'class="upload-preview"' not in html_of(page)
    upload(page, ("two.webp", WEBP))
    assert service.requests_to("/classify")[0].content == WEBP
    assert 'class="upload-preview"' in html_of(page)


def test_camera_is_on_the_page_only_when_chosen(page: AppTest, service: FakeService) -> None:
    assert not page.camera_input
    choose_source(page, "camera")
    assert "Take a photo of a digit" in html_of(page)
    page.camera_input(key="camera").upload("photo.jpg", JPEG).run()
    assert service.requests_to("/classify")[0].headers["Content-Type"] == "image/jpeg"
    assert 'data-label="7"' in html_of(page)
    choose_source(page, "draw")
    assert not page.camera_input


def test_sources_depend_on_the_model(service: FakeService, fake_canvas: FakeCanvas, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(
        200, json=models_response(others=[characters_model(), fashion_model()])
    )
    page = start()
    fake_canvas.draw(PNG)
    page.selectbox(key="model").set_value("characters").run()
    assert owned(page.segmented_control, "source").value == "draw"
    assert service.requests_to("/classify")[-1].content == PNG

    page.selectbox(key="model").set_value("fashion").run()
    assert [option.split()[-1] for option in owned(page.segmented_control, "source").options] == ["Upload", "Camera"]
    assert is_hidden(page, "draw")
    assert "Upload a picture" in html_of(page)
    assert "This model knows: T-shirt/top, Trouser" in html_of(page)
    assert len(service.requests_to("/classify")) == 1
    upload(page, ("boot.jpg", JPEG))
    assert service.requests_to("/classify")[-1].url.params["model"] == "fashion"
    open_explanation(page)
    assert "Which parts mattered" in html_of(page)

    # The visitor did not choose Upload, so the next ink model begins with Draw, and the drawing is still there.
    page.selectbox(key="model").set_value("digits").run()
    assert owned(page.segmented_control, "source").value == "draw"
    assert service.requests_to("/classify")[-1].content == PNG
    assert not page.exception


def test_uploaded_file_stays_for_the_next_model(service: FakeService, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response(others=[fashion_model()]))
    page = start()
    choose_source(page, "upload")
    upload(page, ("one.jpg", JPEG))
    for name in ("fashion", "digits"):
        page.selectbox(key="model").set_value(name).run()
        assert owned(page.segmented_control, "source").value == "upload"
        assert service.requests_to("/classify")[-1].content == JPEG
    assert [r.url.params["model"] for r in service.requests_to("/classify")] == ["digits", "fashion"]
    assert count_cards(page) == 1


def test_rejection_by_a_model_with_many_labels_names_the_model(service: FakeService, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response(others=[fashion_model()]))
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification(model="fashion", rejected=True))
    page = start()
    page.selectbox(key="model").set_value("fashion").run()
    upload(page, ("boot.jpg", JPEG))
    assert "I do not recognise this." in html_of(page)


@pytest.fixture
def photo() -> bytes:
    """A photo with more pixels than the service accepts."""
    return encoded(digit("7", paper=WHITE).convert("RGB").resize((4200, 4200)), "JPEG")


def test_too_large_photo_is_shrunk_before_it_is_sent_and_saved(
    service: FakeService, photo: bytes, start: Callable[[], AppTest]
) -> None:
    service.gallery = FakeGallery()
    page = start()
    owned(page.toggle, "save").set_value(True).run()
    choose_source(page, "upload")
    upload(page, ("my photo.jpg", photo))
    (classify,), (save,) = service.requests_to("/classify"), [r for r in service.requests_to("/gallery") if r.method == "POST"]
    assert max(Image.open(io.BytesIO(classify.content)).size) == 1600
    assert save.content == classify.content
    assert "a smaller copy of it was sent." in html_of(page)
    # The code example names the shrunk file, which gives the same answer, and offers it for download.
    page.session_state["code"] = True
    page.run()
    assert "'@my photo-smaller.jpeg'" in page.code[0].value
    assert "Download the picture" in [each.proto.label for each in page.get("download_button")]
    upload(page, ("seven.jpg", JPEG))
    assert "a smaller copy of it was sent." not in html_of(page)
    assert "@seven.jpg" in page.code[0].value
    assert not [each for each in page.get("download_button") if each.proto.label.startswith("Download the")]


def test_large_photos_are_shrunk_once(
    page: AppTest, fake_canvas: FakeCanvas, service: FakeService, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bytes] = []

    def shrink_to_limits(data: bytes, *limits: int) -> bytes:
        made.append(data)
        return resize.shrink_to_limits(data, *limits)

    monkeypatch.setattr("ui.state.files.shrink_to_limits", shrink_to_limits)
    choose_source(page, "upload")
    upload(page, *((f"{number}.jpg", photo + bytes([number])) for number in range(9)))
    assert len(made) == 9
    choose_source(page, "draw")
    fake_canvas.draw(PNG)
    page.run()
    assert len(made) == 9
    # Smaller limits of the service apply to files that are there already.
    small = models_response() | {"limits": {"max_side": 200}}
    service.replies["/models"] = lambda _: httpx.Response(200, json=small)
    service.replies["/classify"] = lambda _: problem_response(504, "deadline")
    fake_canvas.draw(OTHER_PNG)
    page.run()
    page.button(key="retry").click().run()
    assert len(made) == 18
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification())
    choose_source(page, "upload")
    assert not page.exception
    sent = [each for request in service.requests_to("/classify/batch")[-1:] for each in pictures_of(request)]
    assert {max(Image.open(io.BytesIO(data)).size) for data in sent} == {200}


def test_all_files_are_removed(page: AppTest, service: FakeService) -> None:
    choose_source(page, "upload")
    upload(page, ("one.jpg", JPEG), ("two.webp", WEBP))
    page.button(key="remove-files").click().run()
    assert "Upload a picture of a digit" in html_of(page)
    upload(page, ("two.webp", WEBP))
    assert service.requests_to("/classify")[-1].content == WEBP
    assert 'class="upload-preview"' in html_of(page)


def test_single_file_that_the_page_refuses_is_not_sent(page: AppTest, service: FakeService) -> None:
    choose_source(page, "upload")
    upload(page, ("nothing.png", b""))
    assert "The file is empty." in html_of(page)
    assert not service.requests_to("/classify")
    assert not page.exception
    assert not [button for button in page.button if str(button.key).startswith("retry")]
