"""The gallery as a part of the page, run by Streamlit without a browser."""

from functools import partial

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.service import Gallery, Service, catalogue, fashion, kept
from tests.ui.visits import Clock, filled, held
from ui import client as clients
from ui.kept import PAGE, PATIENCE


@pytest.fixture
def service() -> Service:
    return Service(gallery=Gallery())


def script() -> None:
    """A picture, its answer and the gallery."""
    import streamlit as st

    from tests.ui.service import PNG, classification
    from ui import client as clients
    from ui import gallery
    from ui.answers import Classification
    from ui.client import Problem, Unavailable

    if "visit" not in st.session_state:
        st.session_state["visit"] = gallery.Gallery()
        st.session_state["client"] = clients.Client("http://127.0.0.1:3999")
        st.session_state["number"] = 0
        st.session_state["catalogue"] = st.session_state["client"].catalogue()
    client = st.session_state["client"]
    visit = st.session_state["visit"]

    def draw() -> None:
        st.session_state["number"] += 1
        number = st.session_state["number"]
        visit.record(number, PNG + bytes([number]), PNG, Classification.model_validate(classification()))

    st.button("Draw", key="draw", on_click=draw)
    try:
        st.session_state["catalogue"] = client.catalogue()
    except (Unavailable, Problem):
        st.error("down")
    gallery.show(visit, client, st.session_state["catalogue"])


@pytest.fixture
def page(service: Service, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(clients, "Client", partial(clients.Client, transport=httpx.MockTransport(service)))
    return AppTest.from_function(script, default_timeout=30)


def press(page: AppTest, key: str) -> None:
    page.button(key=key).click().run()
    assert not page.exception


def written(page: AppTest) -> str:
    return "\n".join(block.proto.body for block in page.get("html"))


def said(page: AppTest) -> str:
    """The quiet lines."""
    return "\n".join(block.proto.body for block in page.get("html") if block.proto.body.startswith('<p class="quiet">'))


def buttons(page: AppTest) -> list[str]:
    return [str(button.key) for button in page.button]


def test_off_means_that_nothing_is_sent(page: AppTest, service: Service) -> None:
    page.run()
    assert page.toggle(key="keep").value is False
    assert "Everyone who can open this page sees it" in said(page)
    for _ in range(2):
        press(page, "draw")
    assert [request.method for request in service.asked_for("/gallery")] == ["GET"]
    assert written(page).count('class="card"') == 2


def test_on_means_that_each_drawing_is_kept_and_hangs_once(page: AppTest, service: Service) -> None:
    page.run()
    page.toggle(key="keep").set_value(True).run()
    for _ in range(2):
        press(page, "draw")
    assert len(held(service).entries) == 2
    assert written(page).count('class="card"') == 2
    assert "This visit" not in written(page)
    assert page.toggle(key="keep").value is True


def test_a_picture_of_the_visit_moves_to_the_kept_ones(page: AppTest, service: Service) -> None:
    page.run()
    press(page, "draw")
    (key,) = [key for key in buttons(page) if key.startswith("keep-")]
    press(page, key)
    assert len(held(service).entries) == 1
    assert written(page).count('class="card"') == 1
    assert "This visit" not in written(page)


def test_what_is_kept_is_shown_corrected_and_deleted(page: AppTest, service: Service) -> None:
    held(service).entries |= {"a": kept("a"), "b": kept("b", model="gone")}
    page.run()
    assert page.selectbox(key="label-b").disabled  # its model is no longer there to say what it could be
    assert page.selectbox(key="label-a").options == list("0123456789")
    page.selectbox(key="label-a").select("4").run()
    assert held(service).entries["a"]["corrected"] == "4"
    assert "corrected, was 7" in written(page)
    page.selectbox(key="label-a").set_value(None).run()
    assert held(service).entries["a"]["corrected"] is None
    assert "corrected" not in written(page)
    press(page, "delete-b")
    assert list(held(service).entries) == ["a"]
    assert written(page).count('class="card"') == 1


def test_a_correction_made_elsewhere_is_seen_after_a_refresh(page: AppTest, service: Service) -> None:
    held(service).entries["a"] = kept("a")
    page.run()
    held(service).entries["a"]["corrected"] = "3"
    press(page, "kept-refresh")
    assert page.selectbox(key="label-a").value == "3"


def test_a_card_deleted_elsewhere_goes_with_a_word(page: AppTest, service: Service) -> None:
    held(service).entries |= {"a": kept("a"), "b": kept("b")}
    page.run()
    del held(service).entries["a"]
    press(page, "delete-a")
    assert "had been deleted elsewhere" in said(page)
    assert written(page).count('class="card"') == 1


def test_emptying_takes_a_second_step_and_says_what_it_does(page: AppTest, service: Service) -> None:
    held(service).entries |= {"a": kept("a"), "b": kept("b")}
    page.run()
    assert "everybody's, of every model" in page.markdown[0].value
    press(page, "kept-empty")
    assert held(service).entries == {}
    assert "Nothing is kept here yet" in said(page)


def test_older_pictures_come_when_asked_for(page: AppTest, service: Service) -> None:
    service.gallery = filled(PAGE + 2)
    page.run()
    assert written(page).count('class="card"') == PAGE
    press(page, "kept-more")
    assert written(page).count('class="card"') == PAGE + 2
    assert "kept-more" not in buttons(page)


def test_the_pictures_of_one_model(page: AppTest, service: Service) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue(others=[fashion()]))
    held(service).entries |= {"a": kept("a"), "b": kept("b", "Coat", model="fashion")}
    page.run()
    page.selectbox(key="kept-model").select("fashion").run()
    assert written(page).count('class="card"') == 1
    assert '<a class="export" href="./gallery-export?model=fashion" download>Export ZIP</a>' in written(page)
    page.selectbox(key="kept-model").select("*").run()
    assert written(page).count('class="card"') == 2
    assert 'href="./gallery-export"' in written(page)


def test_a_service_without_a_gallery_costs_nothing(page: AppTest, service: Service) -> None:
    service.gallery = None
    page.run()
    assert said(page) == ""
    press(page, "draw")
    assert "This service keeps no pictures" in said(page)
    assert not page.toggle
    assert buttons(page) == ["draw", "empty"]
    assert service.asked_for("/gallery") == []
    press(page, "empty")
    assert 'class="card"' not in written(page)


def test_a_gallery_switched_off_meanwhile_is_told(page: AppTest, service: Service) -> None:
    page.run()
    service.gallery = None
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue() | {"gallery": True})
    press(page, "kept-refresh")
    assert "The gallery refused: The gallery is off." in said(page)


def test_without_its_database_everything_else_goes_on(page: AppTest, service: Service, clock: Clock) -> None:
    held(service).entries["a"] = kept("a")
    page.run()
    page.toggle(key="keep").set_value(True).run()
    held(service).away = True
    press(page, "draw")
    assert "Not kept yet because the service does not answer: 1" in said(page)
    assert written(page).count('class="card"') == 2
    page.selectbox(key="label-a").select("4").run()
    assert "cannot be reached just now" in said(page)
    assert page.selectbox(key="label-a").value is None  # what the service says counts
    held(service).away = False
    clock.now += PATIENCE
    page.run()
    assert len(held(service).entries) == 2
    assert "Not kept yet" not in said(page)
    assert "cannot be reached" not in said(page)


def test_a_service_gone_for_a_while_loses_nothing(page: AppTest, service: Service, clock: Clock) -> None:
    page.run()
    page.toggle(key="keep").set_value(True).run()
    service.down = True
    press(page, "draw")
    assert page.toggle(key="keep").value is True
    assert written(page).count('class="card"') == 1
    service.down = False
    clock.now += PATIENCE
    page.run()
    assert len(held(service).entries) == 1


def test_a_refusal_is_told_on_the_card(page: AppTest, service: Service) -> None:
    page.run()
    page.toggle(key="keep").set_value(True).run()
    service.gallery = None
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue() | {"gallery": True})
    press(page, "draw")
    assert "Not kept: The gallery is off." in written(page)
