"""The gallery on the page, run by Streamlit without a browser."""

from functools import partial

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.fake_service import OTHER_PNG, FakeGallery, FakeService, fashion_model, gallery_entry, models_response
from tests.ui.gallery_helpers import FakeClock, gallery_of, gallery_with
from tests.ui.page_actions import count_cards, html_of, owned
from ui.api import client as client_module
from ui.state.deletions import RETRY_SECONDS, UNDO_SECONDS, deletions_of
from ui.state.saved_gallery import PAGE_SIZE

pytestmark = pytest.mark.slow


@pytest.fixture
def service() -> FakeService:
    return FakeService(gallery=FakeGallery())


def script() -> None:
    """A page with a button that adds a picture, and the gallery only."""
    import streamlit as st

    from tests.ui.fake_service import PNG, classification
    from ui.api import client as client_module
    from ui.api.client import ServiceError, ServiceUnavailable
    from ui.api.schemas import Classification
    from ui.state.session import Session
    from ui.views import gallery

    if "client" not in st.session_state:
        st.session_state["client"] = client_module.Client("http://127.0.0.1:3999")
        st.session_state["number"] = 0
        st.session_state["catalogue"] = st.session_state["client"].list_models()
    client = st.session_state["client"]
    session = Session.current()

    def draw() -> None:
        st.session_state["number"] += 1
        number = st.session_state["number"]
        answer = Classification.model_validate(classification())
        strokes = ({"path": [["M", number]]},)
        session.gallery.add(number, PNG + bytes([number]), PNG, answer, strokes=strokes)

    st.button("Draw", key="draw", on_click=draw)
    try:
        st.session_state["catalogue"] = client.list_models()
    except (ServiceUnavailable, ServiceError):
        st.error("down")
    gallery.show(session, client, st.session_state["catalogue"], drawable=True)


@pytest.fixture
def page(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(client_module, "Client", partial(client_module.Client, transport=httpx.MockTransport(service)))
    return AppTest.from_function(script, default_timeout=30)


def press(page: AppTest, key: str) -> None:
    page.button(key=key).click().run()
    assert not page.exception


def notes(page: AppTest) -> str:
    """Return the paragraphs in the muted colour."""
    return "\n".join(block.proto.body for block in page.get("html") if block.proto.body.startswith('<p class="muted">'))


def button_keys(page: AppTest) -> list[str]:
    return [str(button.key) for button in page.button]


def test_nothing_is_saved_while_the_switch_is_off(page: AppTest, service: FakeService) -> None:
    page.run()
    assert owned(page.toggle, "save").value is False
    assert "Everyone who can open this page can see" in owned(page.toggle, "save").help
    assert notes(page) == ""
    for _ in range(2):
        press(page, "draw")
    assert [request.method for request in service.requests_to("/gallery")] == ["GET"]
    assert count_cards(page) == 2


def test_every_drawing_is_saved_while_the_switch_is_on(page: AppTest, service: FakeService) -> None:
    page.run()
    owned(page.toggle, "save").set_value(True).run()
    for _ in range(2):
        press(page, "draw")
    assert len(gallery_of(service).entries) == 2
    assert count_cards(page) == 2
    assert "In this tab" not in html_of(page)
    assert owned(page.toggle, "save").value is True


def test_saved_picture_moves_to_the_saved_gallery(page: AppTest, service: FakeService) -> None:
    page.run()
    press(page, "draw")
    (key,) = [key for key in button_keys(page) if key.startswith("save-")]
    press(page, key)
    assert len(gallery_of(service).entries) == 1
    assert count_cards(page) == 1
    assert "In this tab" not in html_of(page)


def test_saved_picture_is_corrected_and_deleted(page: AppTest, service: FakeService) -> None:
    gallery_of(service).entries |= {"a": gallery_entry("a"), "b": gallery_entry("b", model="gone")}
    page.run()
    assert owned(page.selectbox, "label-b").disabled  # its model is not in service, so its labels are unknown
    assert owned(page.selectbox, "label-a").options == list("0123456789")
    owned(page.selectbox, "label-a").select("4").run()
    assert gallery_of(service).entries["a"]["corrected"] == "4"
    assert "corrected, was 7" in html_of(page)
    owned(page.selectbox, "label-a").set_value(None).run()
    assert gallery_of(service).entries["a"]["corrected"] is None
    assert "corrected" not in html_of(page)
    press(page, "delete-b")
    assert count_cards(page) == 1
    deletions_of(page.session_state["client"]).finish()
    assert list(gallery_of(service).entries) == ["a"]


def test_deletion_is_undone(page: AppTest, service: FakeService, clock: FakeClock) -> None:
    gallery_of(service).entries |= {"a": gallery_entry("a"), "b": gallery_entry("b")}
    page.run()
    press(page, "delete-a")
    assert count_cards(page) == 1
    press(page, "undo-deleting")
    assert count_cards(page) == 2
    assert "undo-deleting" not in button_keys(page)
    press(page, "delete-a")
    clock.now += UNDO_SECONDS
    page.run()
    assert "undo-deleting" not in button_keys(page)
    deletions_of(page.session_state["client"]).finish()
    assert list(gallery_of(service).entries) == ["b"]


def test_removed_pictures_return_when_undone(page: AppTest, clock: FakeClock) -> None:
    page.run()
    for _ in range(2):
        press(page, "draw")
    press(page, "clear-session")
    assert count_cards(page) == 0
    assert "Pictures removed from the page: 2" in html_of(page)
    press(page, "undo-removing")
    assert count_cards(page) == 2
    press(page, "clear-session")
    clock.now += UNDO_SECONDS
    page.run()
    assert "undo-removing" not in button_keys(page)
    assert count_cards(page) == 0


def test_names_of_buttons_differ_and_have_no_markdown_of_a_label(page: AppTest, service: FakeService) -> None:
    for id, label in (("a", "7"), ("b", "T-shirt/top"), ("c", "![x](http://127.0.0.1/x.png)"), ("d", "7")):
        gallery_of(service).entries[id] = gallery_entry(id, label)
    page.run()
    names = [button.label for button in page.button if str(button.key).startswith("delete-")]
    assert len(set(names)) == 4
    assert [name.partition(", 2")[0] for name in names[::2]] == ["Delete **picture 1 (7", "Delete **picture 3 (T-shirt/top"]
    assert names[1].startswith("Delete **picture 2 (2026-11-21")
    everything = [each.label for each in (*page.button, *page.selectbox, *page.toggle)]
    assert len(set(everything)) == len(everything)


def test_saved_picture_is_opened_on_the_page(page: AppTest, service: FakeService) -> None:
    gallery_of(service).entries["a"] = gallery_entry("a")
    page.run()
    press(page, "open-a")
    session = page.session_state["session"]
    assert (session.source, session.opened.data) == ("upload", OTHER_PNG)
    del gallery_of(service).entries["a"]
    press(page, "open-a")
    assert "had already been deleted on another page" in notes(page)


def test_drawing_is_opened_on_the_canvas(page: AppTest) -> None:
    page.run()
    press(page, "draw")
    press(page, "open-0")
    session = page.session_state["session"]
    assert (session.source, session.canvas_content.strokes) == ("draw", ({"path": [["M", 1]]},))


def test_correction_made_elsewhere_is_shown_after_refresh(page: AppTest, service: FakeService) -> None:
    gallery_of(service).entries["a"] = gallery_entry("a")
    page.run()
    gallery_of(service).entries["a"]["corrected"] = "3"
    press(page, "saved-refresh")
    assert owned(page.selectbox, "label-a").value == "3"


def test_picture_deleted_elsewhere_is_reported(page: AppTest, service: FakeService) -> None:
    gallery_of(service).entries |= {"a": gallery_entry("a"), "b": gallery_entry("b")}
    page.run()
    del gallery_of(service).entries["a"]
    owned(page.selectbox, "label-a").select("4").run()
    assert "had already been deleted on another page" in notes(page)
    assert count_cards(page) == 1


def test_delete_all_asks_for_confirmation(page: AppTest, service: FakeService) -> None:
    gallery_of(service).entries |= {"a": gallery_entry("a"), "b": gallery_entry("b")}
    page.run()
    assert "those of all visitors and all models" in page.markdown[0].value
    assert page.button(key="saved-delete-all").label == "Delete all 2 pictures"
    press(page, "saved-delete-all")
    assert count_cards(page) == 0
    assert len(gallery_of(service).entries) == 2
    deletions_of(page.session_state["client"]).finish()
    assert gallery_of(service).entries == {}
    page.run()
    assert "Saved, visible to everyone" not in html_of(page)


def test_load_more_shows_older_pictures(page: AppTest, service: FakeService) -> None:
    service.gallery = gallery_with(PAGE_SIZE + 2)
    page.run()
    assert count_cards(page) == PAGE_SIZE
    press(page, "saved-more")
    assert count_cards(page) == PAGE_SIZE + 2
    assert "saved-more" not in button_keys(page)


def test_model_filter_applies_to_list_and_export(page: AppTest, service: FakeService) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response(others=[fashion_model()]))
    gallery_of(service).entries |= {"a": gallery_entry("a"), "b": gallery_entry("b", "Coat", model="fashion")}
    page.run()
    owned(page.selectbox, "saved-model").select("fashion").run()
    assert count_cards(page) == 1
    (link,) = page.get("link_button")
    assert (link.proto.label, link.proto.url) == ("Export ZIP", "gallery-export?model=fashion")
    owned(page.selectbox, "saved-model").select("").run()
    assert page.get("link_button")[0].proto.url == "gallery-export"
    assert count_cards(page) == 2


def test_filters_by_label_and_correction(page: AppTest, service: FakeService) -> None:
    gallery_of(service).entries |= {"a": gallery_entry("a"), "b": gallery_entry("b", "1", corrected="7")}
    page.run()
    owned(page.selectbox, "saved-label").select("7").run()
    assert count_cards(page) == 2
    owned(page.toggle, "saved-corrected").set_value(True).run()
    assert count_cards(page) == 1
    assert page.get("link_button")[0].proto.url == "gallery-export?label=7&corrected=true"
    assert "saved-delete-all" not in button_keys(page)  # it deletes more than what is listed
    owned(page.selectbox, "saved-label").select("3").run()
    assert "No saved picture matches." in notes(page)
    owned(page.selectbox, "saved-label").select("").run()
    owned(page.toggle, "saved-corrected").set_value(False).run()
    assert count_cards(page) == 2


def test_service_without_a_gallery(page: AppTest, service: FakeService) -> None:
    service.gallery = None
    page.run()
    assert notes(page) == ""
    press(page, "draw")
    assert notes(page) == ""
    assert not page.toggle
    assert button_keys(page) == ["draw", "clear-session", "open-0"]
    assert service.requests_to("/gallery") == []
    press(page, "clear-session")
    assert 'class="card"' not in html_of(page)


def test_gallery_turned_off_meanwhile_is_reported(page: AppTest, service: FakeService) -> None:
    gallery_of(service).entries["a"] = gallery_entry("a")
    page.run()
    service.gallery = None
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response() | {"gallery": True})
    press(page, "saved-refresh")
    assert "The gallery returned an error: The gallery is off." in notes(page)


def test_database_outage_does_not_affect_the_rest(page: AppTest, service: FakeService, clock: FakeClock) -> None:
    gallery_of(service).entries["a"] = gallery_entry("a")
    page.run()
    owned(page.toggle, "save").set_value(True).run()
    gallery_of(service).database_down = True
    press(page, "draw")
    assert "Not saved yet because the service does not answer: 1" in notes(page)
    assert count_cards(page) == 2
    owned(page.selectbox, "label-a").select("4").run()
    assert "cannot be loaded at the moment" in notes(page)
    assert owned(page.selectbox, "label-a").value is None  # the service's value counts
    gallery_of(service).database_down = False
    clock.now += RETRY_SECONDS
    page.run()
    assert len(gallery_of(service).entries) == 2
    assert "Not saved yet" not in notes(page)
    assert "cannot be loaded" not in notes(page)


def test_service_outage_loses_nothing(page: AppTest, service: FakeService, clock: FakeClock) -> None:
    page.run()
    owned(page.toggle, "save").set_value(True).run()
    service.down = True
    press(page, "draw")
    assert owned(page.toggle, "save").value is True
    assert count_cards(page) == 1
    service.down = False
    clock.now += RETRY_SECONDS
    page.run()
    assert len(gallery_of(service).entries) == 1


def test_refusal_is_shown_on_the_card(page: AppTest, service: FakeService) -> None:
    page.run()
    owned(page.toggle, "save").set_value(True).run()
    service.gallery = None
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response() | {"gallery": True})
    press(page, "draw")
    assert "Not saved: The gallery is off." in html_of(page)
