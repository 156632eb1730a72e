"""Widgets whose value the page owns: the value is sent to the browser once, not on every rerun."""

from collections.abc import Callable

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.fake_service import PNG, FakeGallery, FakeService, gallery_entry, models_response
from tests.ui.page_actions import FakeCanvas, choose_source, source_control

WIDGETS = ("segmented_control", "radio", "toggle", "selectbox")
OWNED = {"source", "language-control", "device", "save", "saved-model", "saved-label"}


@pytest.fixture
def service() -> FakeService:
    """A service with two models and a picture in its gallery."""
    service = FakeService(gallery=FakeGallery({"a": gallery_entry("a")}))
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response("digits", "letters"))
    return service


def values_sent(page: AppTest) -> set[str]:
    """Return the widgets whose value the last run sent to the browser."""
    return {each.key for kind in WIDGETS for each in getattr(page, kind) if each.proto.set_value} & OWNED


def test_value_is_sent_once(page: AppTest, fake_canvas: FakeCanvas) -> None:
    assert values_sent(page) == OWNED
    fake_canvas.draw(PNG)
    page.run()
    assert values_sent(page) == set()


def test_value_chosen_in_the_browser_is_not_sent_back(page: AppTest) -> None:
    choose_source(page, "upload")
    page.radio(key="device").set_value("cpu").run()
    page.toggle(key="save").set_value(True).run()
    assert values_sent(page) == set()
    assert source_control(page).value == "upload"
    assert (page.radio(key="device").value, page.toggle(key="save").value) == ("cpu", True)


def test_value_is_sent_again_after_a_change_of_language(service: FakeService, start: Callable[[], AppTest]) -> None:
    service.gallery = None
    page = start()
    page.radio(key="device").set_value("cpu").run()
    page.segmented_control(key="language-control").set_value("ko").run()
    assert {"source", "device"} <= values_sent(page)
    assert page.radio(key="device").value == "cpu"
    page.run()
    assert values_sent(page) == set()
