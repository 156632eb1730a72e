"""The pictures the service keeps, as the page asks for them and changes them."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.ui.service import Gallery, Service, kept
from tests.ui.visits import Clock, filled, held
from ui.client import Client, Unavailable
from ui.kept import PAGE, PATIENCE, Kept


@pytest.fixture
def service() -> Service:
    return Service(gallery=Gallery())


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
