"""Sample pictures on the page."""

from collections.abc import Callable

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.fake_service import JPEG, FakeService, fashion_model, model, models_response
from tests.ui.page_actions import FakeCanvas, choose_source, html_of, owned, press, upload
from ui.state.samples import load_samples

pytestmark = pytest.mark.slow


def samples_on(page: AppTest) -> list[str]:
    """Return the names of the sample buttons."""
    return [button.label for button in page.button if str(button.key).startswith("sample-")]


def test_sample_of_an_ink_model_is_drawn_on_the_sheet(page: AppTest, fake_canvas: FakeCanvas) -> None:
    assert samples_on(page) == ["Sample: 7", "Sample: 3", "Sample: 0", "Sample: 5", "Sample: 2"]
    press(page, "sample-0")
    assert 'data-label="7"' in html_of(page)
    assert not samples_on(page)
    fake_canvas.undo()  # it is made of strokes
    page.run()
    assert "Draw a digit on the canvas" in html_of(page)
    assert samples_on(page)


def test_sample_beside_the_uploader_is_drawn_on_the_sheet(page: AppTest) -> None:
    choose_source(page, "upload")
    assert samples_on(page)
    press(page, "sample-0")
    assert owned(page.segmented_control, "source").value == "draw"
    assert 'data-label="7"' in html_of(page)


def test_sample_of_objects_counts_as_uploaded(service: FakeService, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response(others=[fashion_model()]))
    page = start()
    page.selectbox(key="model").set_value("fashion").run()
    assert samples_on(page)[0] == "Sample: T-shirt/top"
    press(page, "sample-0")
    assert 'class="upload-preview"' in html_of(page)
    (request,) = service.requests_to("/classify")
    assert request.headers["Content-Type"] == "image/png"
    press(page, "sample-1")  # another one takes its place
    assert len(service.requests_to("/classify")) == 2
    press(page, "close-opened")
    assert 'class="upload-preview"' not in html_of(page)
    press(page, "sample-0")
    upload(page, ("boot.jpg", JPEG))
    assert service.requests_to("/classify")[-1].content == JPEG
    assert "close-opened" not in [button.key for button in page.button]


def test_models_of_others_have_no_samples(service: FakeService, start: Callable[[], AppTest]) -> None:
    other = model("digits", card={"labels": ["zero", "one"], "input": {"geometry": {"subject": "ink"}}})
    service.replies["/models"] = lambda _: httpx.Response(200, json={"default": "digits", "models": [other]})
    page = start()
    assert not samples_on(page)
    assert not page.exception


def test_every_model_has_samples_of_one_kind() -> None:
    samples = load_samples()
    assert set(samples) == {"digits", "letters", "category", "characters", "numbers", "text", "fashion"}
    for name, own in samples.items():
        assert 3 <= len(own) <= 8
        assert all(bool(sample.strokes) != bool(sample.shapes) for sample in own), name
