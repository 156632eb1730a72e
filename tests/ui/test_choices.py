"""Widgets that show what the page knows: the browser is told once, and not again at every stroke."""

from collections.abc import Callable

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.service import PNG, Gallery, Service, catalogue
from tests.ui.visitor import Hand, choose

KINDS = ("segmented_control", "radio", "toggle", "selectbox")
HELD = {"source", "tongue", "device", "keep", "kept-model"}


@pytest.fixture
def service() -> Service:
    """Two models, and a gallery to keep pictures in."""
    service = Service(gallery=Gallery())
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue("digits", "letters"))
    return service


def told(page: AppTest) -> set[str]:
    """The widgets whose choice the last run told the browser."""
    return {each.key for kind in KINDS for each in getattr(page, kind) if each.proto.set_value} & HELD


def test_a_choice_is_told_once(page: AppTest, hand: Hand) -> None:
    assert told(page) == HELD
    hand.draw(PNG)
    page.run()
    assert told(page) == set()


def test_what_the_visitor_chose_is_not_told_back(page: AppTest) -> None:
    choose(page, "upload")
    page.radio(key="device").set_value("cpu").run()
    page.toggle(key="keep").set_value(True).run()
    assert told(page) == set()
    assert page.segmented_control(key="source").value == "upload"
    assert (page.radio(key="device").value, page.toggle(key="keep").value) == ("cpu", True)


def test_another_language_has_other_words_for_it(service: Service, start: Callable[[], AppTest]) -> None:
    service.gallery = None
    page = start()
    page.radio(key="device").set_value("cpu").run()
    page.segmented_control(key="tongue").set_value("ko").run()
    assert {"source", "device"} <= told(page)
    assert page.radio(key="device").value == "cpu"
    page.run()
    assert told(page) == set()
