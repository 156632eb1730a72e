"""The gallery of a visit: which pictures hang, and which of them the service is given to keep."""

import pytest

from tests.ui.service import JPEG, OTHER_PNG, PNG, WEBP, Gallery, Service, problem
from tests.ui.visits import Clock, answer, held, labels
from ui import gallery as galleries
from ui.client import Client
from ui.gallery import LIMIT
from ui.gallery import Gallery as Visit
from ui.kept import PATIENCE


@pytest.fixture
def service() -> Service:
    return Service(gallery=Gallery())


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
