"""The control "Wrong?" on the page, run by Streamlit without a browser."""

import json
from collections.abc import Callable
from functools import partial

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.fake_service import OTHER_PNG, PNG, FakeGallery, FakeService, classification, model, problem_response
from tests.ui.gallery_helpers import gallery_of
from tests.ui.page_actions import FakeCanvas, choose_source, count_cards, html_of, is_open, owned, set_open, upload
from ui.state.deletions import finish_deletions
from ui.views.correction import MAX_BUTTONS, has_buttons

pytestmark = pytest.mark.slow


@pytest.fixture
def service() -> FakeService:
    return FakeService(gallery=FakeGallery())


def tap(page: AppTest, label: str) -> None:
    """Open the labels and tap one."""
    set_open(page, "wrong")
    owned(page.pills, "right-label").set_value(label).run()
    assert not page.exception


def entries(service: FakeService) -> list[tuple[str, str | None]]:
    """Return predicted and corrected label of the saved pictures."""
    return [(entry["label"], entry["corrected"]) for entry in gallery_of(service).entries.values()]


def corrected(page: AppTest) -> str:
    """Return what the page says about the correction."""
    found = [block.proto.body for block in page.get("html") if 'class="corrected"' in block.proto.body]
    return found[0].partition(">")[2].removesuffix("</p>") if found else ""


def test_one_tap_corrects_and_nothing_is_saved(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    fake_canvas.draw(PNG)
    page.run()
    assert corrected(page) == ""
    tap(page, "1")
    assert corrected(page) == "You said it is “1”."
    assert not is_open(page, "wrong")
    assert "corrected, was 7" in html_of(page)
    assert entries(service) == []


def test_correction_is_saved_if_the_visitor_agrees(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    fake_canvas.draw(PNG)
    page.run()
    tap(page, "1")
    page.button(key="keep-correction").click().run()
    assert entries(service) == [("7", "1")]
    assert corrected(page) == "You said it is “1”. It is saved, so that the model can learn from it."
    assert "keep-correction" not in {button.key for button in page.button}
    tap(page, "2")
    assert entries(service) == [("7", "2")]
    assert corrected(page).startswith("You said it is “2”. It is saved")


def test_correction_can_be_taken_back(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    fake_canvas.draw(PNG)
    page.run()
    tap(page, "1")
    page.button(key="take-back").click().run()
    assert corrected(page) == ""
    assert "corrected, was" not in html_of(page)
    tap(page, "1")
    page.button(key="keep-correction").click().run()
    page.button(key="take-back").click().run()
    assert corrected(page) == ""
    finish_deletions()
    assert entries(service) == []
    assert count_cards(page) == 1


def test_picture_that_is_saved_anyway_is_corrected_there(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    owned(page.toggle, "save").set_value(True).run()
    fake_canvas.draw(PNG)
    page.run()
    assert entries(service) == [("7", None)]
    tap(page, "1")
    assert entries(service) == [("7", "1")]
    assert "It is saved" in corrected(page)
    page.button(key="take-back").click().run()
    assert entries(service) == [("7", None)]


def test_correction_belongs_to_its_picture(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    fake_canvas.draw(PNG)
    page.run()
    tap(page, "1")
    fake_canvas.draw(OTHER_PNG)
    page.run()
    assert corrected(page) == ""
    fake_canvas.undo()
    page.run()
    assert corrected(page) == "You said it is “1”."
    assert entries(service) == []


def test_uploaded_picture_is_corrected(page: AppTest, service: FakeService) -> None:
    choose_source(page, "upload")
    upload(page, ("7.png", PNG))
    tap(page, "1")
    page.button(key="keep-correction").click().run()
    assert entries(service) == [("7", "1")]


def test_correction_waits_while_the_service_is_down(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    fake_canvas.draw(PNG)
    page.run()
    tap(page, "1")
    gallery_of(service).database_down = True
    page.button(key="keep-correction").click().run()
    assert corrected(page) == "You said it is “1”. It will be saved when the service answers again."


def test_refused_picture_is_said_to_be_refused(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    fake_canvas.draw(PNG)
    page.run()
    tap(page, "1")
    refusal = problem_response(413, "too_large", detail="The gallery is full.")
    service.replies["/gallery"] = lambda request: refusal if request.method == "POST" else gallery_of(service)(request)
    page.button(key="keep-correction").click().run()
    assert corrected(page) == "You said it is “1”. It could not be saved."


def test_without_a_gallery_nothing_can_be_kept(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    service.gallery = None
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification(version="2.0.0"))
    fake_canvas.draw(PNG)
    page.run()  # the catalogue is stale now
    page.run()
    tap(page, "1")
    assert corrected(page) == "You said it is “1”."
    assert "keep-correction" not in {button.key for button in page.button}


def test_rejected_picture_asks_what_it_is(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    titles = []
    for picture, rejected in ((PNG, False), (OTHER_PNG, True)):
        response = httpx.Response(200, json=classification(rejected=rejected))
        service.replies["/classify"] = partial(lambda response, _: response, response)
        fake_canvas.draw(picture)
        page.run()
        popovers = [block.proto.popover for block in page.get("popover")]
        titles += [each.label for each in popovers if each.icon == ":material/edit:"]
    assert titles == ["Wrong?", "What is it?"]


def test_many_labels_are_in_a_list(service: FakeService, fake_canvas: FakeCanvas, start: Callable[[], AppTest]) -> None:
    labels = [f"bird {number}" for number in range(MAX_BUTTONS + 1)]
    card = model("birds")["card"] | {"labels": labels}
    models = {"default": "birds", "models": [model("birds", card=card)]}
    service.replies["/models"] = lambda _: httpx.Response(200, json=models)
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification("bird 1", model="birds"))
    fake_canvas.draw(PNG)
    page = start()
    assert owned(page.selectbox, "right-label").options == labels
    owned(page.selectbox, "right-label").set_value("bird 60").run()
    assert corrected(page) == "You said it is “bird 60”."


def test_labels_that_markdown_would_change_have_no_buttons() -> None:
    assert has_buttons(["T-shirt/top", "Ankle boot", "7", "가"])
    for label in ("*", "a_b_c", ":red[x]", "www.example.org", "->", "`a`", "", "a  b"):
        assert not has_buttons(["7", label])


def test_correction_is_sent_as_json(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    fake_canvas.draw(PNG)
    page.run()
    tap(page, "1")
    page.button(key="keep-correction").click().run()
    (patch,) = [request for request in service.requests if request.method == "PATCH"]
    assert json.loads(patch.content) == {"label": "1"}
