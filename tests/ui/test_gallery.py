"""The gallery: which pictures hang, which the service is given to keep, and what the page makes of those."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.service import JPEG, OTHER_PNG, PNG, WEBP, Gallery, Service, catalogue, classification, fashion, kept, problem
from ui import client as clients
from ui import gallery as galleries
from ui import kept as kept_pictures
from ui.answers import Classification, KeptPicture
from ui.cards import fresh
from ui.cards import kept as kept_card
from ui.client import Client, Unavailable
from ui.gallery import LIMIT
from ui.gallery import Gallery as Visit
from ui.kept import PAGE, PATIENCE, Kept

ADDRESS = "http://127.0.0.1:3999"


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(galleries, "monotonic", clock)
    monkeypatch.setattr(kept_pictures, "monotonic", clock)
    return clock


@pytest.fixture
def service() -> Service:
    return Service(gallery=Gallery())


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with closing(Client(ADDRESS, transport=httpx.MockTransport(service))) as client:
        yield client


def answer(label: str, **changes: object) -> Classification:
    return Classification.model_validate(classification(label) | changes)


def labels(visit: Visit) -> list[str]:
    return [entry.answer.label for entry in visit.entries]


def held(service: Service) -> Gallery:
    assert service.gallery is not None
    return service.gallery


# What hangs in this visit


def test_a_drawing_that_gains_a_stroke_keeps_its_one_entry() -> None:
    visit = Visit()
    visit.record(0, b"one stroke", None, answer("1"))
    visit.record(1, b"another", None, answer("3"))
    visit.record(0, b"two strokes", None, answer("7"))
    assert labels(visit) == ["3", "7"]


def test_the_same_picture_hangs_once() -> None:
    visit = Visit()
    visit.record(0, PNG, None, answer("7"))
    visit.record(1, PNG, None, answer("7"))
    assert labels(visit) == ["7"]


def test_files_are_told_apart_by_what_is_in_them() -> None:
    visit = Visit()
    for picture, label, version in ((JPEG, "1", "1"), (WEBP, "2", "1"), (JPEG, "3", "2")):
        visit.record(None, picture, None, answer(label, version=version))
    assert labels(visit) == ["2", "3"]


def test_another_model_renews_the_entry() -> None:
    visit = Visit()
    for model in ("digits", "letters", "digits"):
        visit.record(0, PNG, None, answer("7", model=model))
        assert [entry.answer.model for entry in visit.entries] == [model]


def test_the_oldest_make_room() -> None:
    visit = Visit()
    for number in range(LIMIT + 3):
        visit.record(number, str(number).encode(), None, answer("7"))
    assert [entry.drawing for entry in visit.entries] == list(range(LIMIT + 2, 2, -1))


def test_what_waits_to_be_kept_is_not_what_makes_room() -> None:
    visit = Visit()
    visit.keep_from_now_on(True)
    for number in range(LIMIT + 3):
        visit.record(number, str(number).encode(), None, answer("7"))
    assert len(visit.waiting()) == LIMIT + 3
    visit.keep_from_now_on(False)
    visit.record(99, PNG, None, answer("7"))
    assert len(visit.entries) == LIMIT


def test_large_pictures_are_not_held_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(galleries, "HELD_BYTES", 25)
    visit = Visit()
    for number in range(3):
        visit.record(number, bytes([number]) * 10, None, answer("7"))
    assert [len(entry.picture or b"") for entry in visit.entries] == [10, 10, 0]


def test_what_was_taken_down_does_not_come_back_with_a_rerun() -> None:
    visit = Visit()
    visit.record(0, PNG, None, answer("7"))
    visit.empty()
    visit.record(0, PNG, None, answer("7"))
    assert labels(visit) == []
    visit.record(0, OTHER_PNG, None, answer("4"))
    assert labels(visit) == ["4"]


# What the service is given


def test_nothing_is_sent_unless_wanted(client: Client, service: Service) -> None:
    visit = Visit()
    visit.record(0, PNG, None, answer("7"))
    visit.send(client)
    assert service.asked == []


def test_from_now_on_every_answer_is_kept_once(client: Client, service: Service) -> None:
    visit = Visit()
    visit.record(0, b"before", None, answer("1"))
    visit.keep_from_now_on(True)
    for picture in (b"one stroke", PNG):
        visit.record(1, picture, None, answer("7"), "cpu")
        visit.send(client)
        visit.record(1, picture, None, answer("7"), "cpu")
        visit.send(client)
    visit.record(None, JPEG, None, answer("7", model="letters"))
    visit.send(client)
    first, again, file = service.asked
    assert [request.content for request in (first, again, file)] == [b"one stroke", PNG, JPEG]
    assert first.url.params["key"] == again.url.params["key"] != file.url.params["key"]
    assert (again.url.params["device"], file.url.params["model"]) == ("cpu", "letters")
    assert len(held(service).entries) == 2
    assert labels(visit) == ["1"]


def test_keys_are_such_as_the_service_takes_and_differ_between_visits(client: Client, service: Service) -> None:
    for _ in range(2):
        visit = Visit(keeping=True)
        visit.record(0, PNG, None, answer("7"))
        visit.record(None, JPEG, None, answer("7"))
        visit.send(client)
    keys = [request.url.params["key"] for request in service.asked]
    assert len(set(keys)) == 4
    for key in keys:
        assert 1 <= len(key) <= 64
        assert key.replace("-", "").isalnum()
        assert key.isascii()


def test_what_is_deleted_stays_deleted_until_the_drawing_goes_on(client: Client, service: Service) -> None:
    visit = Visit(keeping=True)
    visit.record(0, PNG, None, answer("7"))
    visit.send(client)
    held(service).entries.clear()
    visit.record(0, PNG, None, answer("7"))
    visit.send(client)
    assert held(service).entries == {}
    visit.record(0, OTHER_PNG, None, answer("4"))
    visit.send(client)
    assert len(held(service).entries) == 1


def test_one_picture_of_the_visit_is_kept_by_hand(client: Client, service: Service) -> None:
    visit = Visit()
    visit.record(0, PNG, None, answer("7"))
    visit.record(1, OTHER_PNG, None, answer("4"))
    visit.want(visit.entries[1].digest)
    visit.send(client)
    assert [request.content for request in service.asked] == [PNG]
    assert labels(visit) == ["4"]


@pytest.mark.parametrize("trouble", ["down", "away", "busy"])
def test_what_is_not_answered_waits_and_is_tried_again(trouble: str, client: Client, service: Service, clock: Clock) -> None:
    visit = Visit(keeping=True)
    for number, picture in enumerate((PNG, OTHER_PNG)):
        visit.record(number, picture, None, answer("7"))
    service.down, held(service).away = trouble == "down", trouble == "away"
    if trouble == "busy":
        service.replies["/gallery"] = lambda _: problem(429, "overloaded")
    visit.send(client)
    visit.send(client)
    assert len(service.asked) == 1  # neither the second picture nor the second try while the service does not answer
    assert len(visit.waiting()) == 2
    assert visit.failure is not None

    service.down = held(service).away = False
    service.replies.pop("/gallery", None)
    visit.send(client)
    assert len(service.asked) == 1
    clock.now += PATIENCE
    visit.send(client)
    assert [request.content for request in service.asked[1:]] == [PNG, OTHER_PNG]
    assert visit.entries == []
    assert visit.failure is None


def test_no_more_is_sent_after_the_switch_is_off(client: Client, service: Service, clock: Clock) -> None:
    visit = Visit(keeping=True)
    visit.record(0, PNG, None, answer("7"))
    service.down = True
    visit.send(client)
    visit.keep_from_now_on(False)
    service.down = False
    clock.now += PATIENCE
    visit.send(client)
    assert len(service.asked) == 1
    assert labels(visit) == ["7"]


def test_what_is_refused_hangs_with_the_reason_and_stops_nothing_else(service: Service, client: Client) -> None:
    full = problem(413, "too_large", "Too large", "The gallery is full.")
    service.replies["/gallery"] = lambda request: full if request.content == JPEG else held(service)(request)
    visit = Visit(keeping=True)
    visit.record(None, JPEG, None, answer("1"))
    visit.record(None, PNG, None, answer("7"))
    visit.send(client)
    (refused,) = visit.entries
    assert (refused.answer.label, refused.refused, refused.wanted) == ("1", "The gallery is full.", False)
    visit.send(client)
    assert len(service.asked) == 2
    visit.want(refused.digest)
    visit.send(client)
    assert len(service.asked) == 3


# What the service keeps


def filled(count: int) -> Gallery:
    return Gallery({str(number): kept(str(number), model="ab"[number % 2]) for number in range(count)})


def ids(shelf: Kept) -> list[str]:
    return [entry.id for entry in shelf.entries]


def test_pages_are_added_and_stay_after_an_action(client: Client, service: Service) -> None:
    service.gallery, shelf = filled(3 * PAGE), Kept()
    shelf.refresh(client)
    assert (len(shelf.entries), shelf.total, shelf.more) == (PAGE, 3 * PAGE, True)
    shelf.show_more(client)
    assert ids(shelf) == [str(number) for number in range(3 * PAGE - 1, PAGE - 1, -1)]
    shelf.delete(client, ids(shelf)[0])
    shelf.refresh(client)
    assert ids(shelf) == [str(number) for number in range(3 * PAGE - 2, PAGE - 2, -1)]
    shelf.show_more(client)
    assert not shelf.more
    assert len(shelf.entries) == shelf.total == 3 * PAGE - 1


def test_a_picture_that_came_between_two_pages_is_there_once(client: Client, service: Service) -> None:
    service.gallery, shelf = filled(2 * PAGE), Kept()
    shelf.refresh(client)
    held(service).entries["new"] = kept("new")
    shelf.show_more(client)
    assert len(set(ids(shelf))) == len(shelf.entries) == 2 * PAGE - 1


def test_one_model_alone(client: Client, service: Service) -> None:
    service.gallery, shelf = filled(5), Kept()
    shelf.refresh(client)
    shelf.look_again("b")
    shelf.refresh(client)
    assert (ids(shelf), shelf.total) == (["3", "1"], 2)


def test_nothing_is_asked_without_reason(client: Client, service: Service) -> None:
    shelf = Kept()
    for _ in range(3):
        shelf.refresh(client)
    assert len(service.asked) == 1


def test_a_correction_is_made_and_taken_back(client: Client, service: Service) -> None:
    service.gallery, shelf = filled(1), Kept()
    for label in ("4", None):
        shelf.correct(client, "0", label)
        shelf.refresh(client)
        assert shelf.entries[0].corrected == label


@pytest.mark.parametrize("act", [partial(Kept.delete, id="0"), partial(Kept.correct, id="0", label="4")])
def test_what_was_deleted_elsewhere_is_noticed(act: Callable[..., None], client: Client, service: Service) -> None:
    service.gallery, shelf = filled(2), Kept()
    shelf.refresh(client)
    del held(service).entries["0"]
    act(shelf, client=client)
    shelf.refresh(client)
    assert (shelf.gone, shelf.failure, ids(shelf)) == (True, None, ["1"])
    shelf.delete(client, "1")
    assert not shelf.gone


def test_without_its_database_nothing_is_forgotten(client: Client, service: Service, clock: Clock) -> None:
    service.gallery, shelf = filled(2), Kept()
    shelf.refresh(client)
    held(service).away = True
    shelf.delete(client, "1")
    assert isinstance(shelf.failure, Unavailable)
    shelf.refresh(client)
    shelf.refresh(client)
    assert len(service.asked) == 2  # it is not asked again at once
    assert ids(shelf) == ["1", "0"]
    held(service).away = False
    clock.now += PATIENCE
    shelf.refresh(client)
    assert len(service.asked) == 3
    assert [shelf.failure] == [None]


def test_an_export_that_fails_is_told(client: Client, service: Service) -> None:
    service.gallery, shelf = filled(1), Kept()
    assert shelf.archive(client).startswith(b"PK")
    held(service).away = True
    with pytest.raises(Unavailable):
        shelf.archive(client)
    assert isinstance(shelf.failure, Unavailable)


# What is written on the cards


def test_cards_escape_what_they_are_told() -> None:
    told = '<script>"'
    entry = KeptPicture.model_validate(kept("1", told, model=told, corrected="<b>"))
    for text in (fresh(answer(told), PNG, told), kept_card(entry)):
        assert "<script" not in text
        assert "<b>" not in text.replace("<b>&lt;", "").replace("<b>1", "").replace("<b>2", "")
        assert "&lt;script&gt;&quot;" in text


def test_a_card_shows_what_there_is_to_show() -> None:
    seen, unseen = fresh(answer("7"), WEBP), fresh(answer("4", rejected=True), None, "The gallery is full.")
    assert "data:image/webp;base64," in seen
    assert "<img" not in unseen
    assert 'data-label="4"' in unseen
    assert "not recognised" in unseen
    assert "Not kept: The gallery is full." in unseen


@pytest.mark.parametrize(
    ("corrected", "label", "words"),
    [(None, "7", ""), ("7", "7", "confirmed"), ("1", "1", "corrected, was 7")],
)
def test_a_kept_card_shows_the_label_that_counts(corrected: str | None, label: str, words: str) -> None:
    text = kept_card(KeptPicture.model_validate(kept("1", corrected=corrected)))
    assert f'data-label="{label}"' in text
    assert f'<span class="card-label">{label}</span>' in text
    assert words in text
    assert "digits · 99.1%" in text
    assert ("confirmed" in text, "was 7" in text) == ("confirmed" in words, "was 7" in words)


# The part of the page


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
    assert page.get("download_button")[0].proto.label == "Export ZIP"
    page.selectbox(key="kept-model").select("*").run()
    assert written(page).count('class="card"') == 2


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
