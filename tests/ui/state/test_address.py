"""Model, language and device are in the address of the page."""

from collections.abc import Callable

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.fake_service import PNG, FakeService, model, models_response
from tests.ui.page_actions import FakeCanvas, html_of, owned

pytestmark = pytest.mark.slow


@pytest.fixture
def service(service: FakeService) -> FakeService:
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response("digits", "letters"))
    return service


def requested(service: FakeService) -> list[tuple[str, str]]:
    """Return model and device of each request."""
    return [(each.url.params["model"], each.url.params["device"]) for each in service.requests_to("/classify")]


def test_address_decides_model_language_and_device(
    start: Callable[..., AppTest], service: FakeService, fake_canvas: FakeCanvas
) -> None:
    fake_canvas.draw(PNG)
    page = start(model="letters", lang="ko", device="cpu")
    assert not page.exception
    assert requested(service) == [("letters", "cpu")]
    assert page.title[0].value == "그림 분류기"
    assert owned(page.radio, "device").value == "cpu"


def test_unknown_values_are_ignored(start: Callable[..., AppTest], service: FakeService, fake_canvas: FakeCanvas) -> None:
    fake_canvas.draw(PNG)
    page = start(model="<b>", lang="xx", device="tpu")
    assert not page.exception
    assert requested(service) == [("digits", "auto")]
    assert page.title[0].value == "Image classifier"
    # A device that this model cannot use is unknown, too.
    start(device="gpu")
    assert requested(service)[-1] == ("digits", "auto")


def test_choices_are_written_to_the_address(start: Callable[..., AppTest]) -> None:
    page = start()
    page.selectbox(key="model").set_value("letters").run()
    owned(page.radio, "device").set_value("cpu").run()
    assert page.query_params["device"] == "cpu"
    owned(page.radio, "device").set_value("auto").run()
    assert "device" not in page.query_params


def test_model_in_the_address_counts_once_the_service_answers(
    start: Callable[..., AppTest], service: FakeService, fake_canvas: FakeCanvas
) -> None:
    service.down = True
    fake_canvas.draw(PNG)
    page = start(model="letters")
    service.down = False
    page.button(key="retry").click().run()
    assert requested(service) == [("letters", "auto")]


def test_device_that_is_missing_is_named_in_one_group(start: Callable[..., AppTest], service: FakeService) -> None:
    page = start()
    assert len(page.radio) == 1
    assert owned(page.radio, "device").options == ["Automatic", "CPU"]
    assert "This server cannot use a GPU." in html_of(page)
    available = {"cpu": {"available": True}, "gpu": {"available": True}}
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response(others=[model("m", devices=available)]))
    page = start(model="m", device="gpu")
    assert owned(page.radio, "device").options == ["Automatic", "CPU", "GPU"]
    assert owned(page.radio, "device").value == "gpu"
    assert "This server cannot use" not in html_of(page)
