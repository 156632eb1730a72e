"""Widgets whose value the page owns: a new widget takes their place where the page wants another value."""

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.fake_service import PNG, FakeGallery, FakeService, gallery_entry, models_response
from tests.ui.page_actions import FakeCanvas, choose_source, html_of, is_open, owned, press, set_open
from ui.views.explanation import EXPANDER

WIDGETS = ("segmented_control", "radio", "toggle", "selectbox")
OWNED = ("source", "language-control", "device", "save", "saved-model", "saved-label")


@pytest.fixture
def service() -> FakeService:
    """A service with two models and a picture in its gallery."""
    service = FakeService(gallery=FakeGallery({"a": gallery_entry("a")}))
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response("digits", "letters"))
    return service


def keys(page: AppTest) -> dict[str, str]:
    """Return the key of each widget whose value the page owns."""
    widgets = [widget for kind in WIDGETS for widget in getattr(page, kind)]
    return {name: owned(widgets, name).key or "" for name in OWNED}


def test_widgets_stay_while_the_page_wants_what_they_have(page: AppTest, fake_canvas: FakeCanvas) -> None:
    assert keys(page) == dict(zip(OWNED, OWNED, strict=True))
    fake_canvas.draw(PNG)
    page.run()
    choose_source(page, "upload")
    owned(page.radio, "device").set_value("cpu").run()
    owned(page.toggle, "save").set_value(True).run()
    page.run()
    assert keys(page) == dict(zip(OWNED, OWNED, strict=True))
    assert owned(page.segmented_control, "source").value == "upload"
    assert (owned(page.radio, "device").value, owned(page.toggle, "save").value) == ("cpu", True)


def test_what_the_page_chooses_is_the_default_of_a_new_widget_in_every_run(page: AppTest) -> None:
    choose_source(page, "upload")
    press(page, "sample-1")
    for _ in range(2):
        control = owned(page.segmented_control, "source")
        assert (control.key, control.value) == ("source-1", "draw")
        assert [control.proto.options[index].content for index in control.proto.default] == [control.options[0]]
        assert not control.proto.set_value  # a value sent to an existing widget may be lost
        page.run()


def test_widgets_with_translated_options_are_replaced_after_a_change_of_language(page: AppTest) -> None:
    owned(page.radio, "device").set_value("cpu").run()
    owned(page.segmented_control, "language-control").set_value("ko").run()
    replaced = {name for name, key in keys(page).items() if key != name}
    assert replaced == {"source", "device", "saved-model", "saved-label"}
    assert owned(page.radio, "device").value == "cpu"
    after = keys(page)
    page.run()
    assert keys(page) == after


def test_what_a_replaced_widget_reports_does_not_count() -> None:
    def page() -> None:
        import streamlit as st

        from ui.state.widget_state import OwnedWidget

        def report(widget: OwnedWidget, value: str) -> list[str]:
            taken: list[str] = []
            st.session_state[widget.key] = value
            widget.on_change(taken.append)()
            return taken

        former = OwnedWidget.showing("letter", "a")
        assert report(former, "b") == ["b"]
        current = OwnedWidget.showing("letter", "c")
        assert (former.key, current.key) == ("letter", "letter-1")
        assert (report(former, "d"), report(current, "e")) == ([], ["e"])

    test = AppTest.from_function(page).run()
    assert not test.exception


def test_popover_is_closed_by_a_new_one(page: AppTest, fake_canvas: FakeCanvas) -> None:
    fake_canvas.draw(PNG)
    page.run()
    for number in (1, 2):
        set_open(page, "wrong")
        owned(page.pills, "right-label").set_value("1").run()
        page.run()
        assert not is_open(page, "wrong")
        assert [block.proto.popover.id.endswith(f"-wrong-{number}") for block in page.get("popover")].count(True) == 1
        page.button(key="take-back").click().run()


def test_expander_is_opened_by_a_new_one_unless_it_is_open() -> None:
    def page() -> None:
        import streamlit as st

        from ui.api.client import Client
        from ui.state.session import Session
        from ui.state.widget_state import current_key
        from ui.views import explanation

        st.button("open", on_click=explanation.open_expander, key="open")
        explanation.show(Session.current(), Client("http://127.0.0.1:3999"), None, "digit")
        st.text(current_key(explanation.EXPANDER))

    def state() -> tuple[str, bool]:
        return test.text[0].value, "Once there is an answer" in html_of(test)

    test = AppTest.from_function(page).run()
    states = [state()]
    for _ in range(2):
        test.button(key="open").click().run()
        states.append(state())
    set_open(test, EXPANDER, opened=False)
    states.append(state())
    test.button(key="open").click().run()
    states.append(state())
    assert not test.exception
    assert states == [("explain", False), ("explain-1", True), ("explain-1", True), ("explain-1", False), ("explain-2", True)]
