"""Deletions that wait for some seconds before they are sent."""

from threading import Timer

import pytest

from tests.support.waiting import until
from tests.ui.fake_service import FakeGallery, FakeService, problem_response
from tests.ui.gallery_helpers import gallery_of, gallery_with
from ui.api.client import Client
from ui.state import deletions
from ui.state.deletions import Deletions


@pytest.fixture
def service() -> FakeService:
    return FakeService(gallery=gallery_with(3))


def test_picture_is_deleted_by_itself(client: Client, service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletions, "Timer", Timer)
    monkeypatch.setattr(deletions, "UNDO_SECONDS", 0.0)
    waiting = Deletions(client)
    deletion = waiting.request("1")
    until(lambda: not waiting.is_pending(deletion))
    assert list(gallery_of(service).entries) == ["0", "2"]
    assert not waiting.hides("1")


def test_undone_deletion_is_not_sent(client: Client, service: FakeService) -> None:
    waiting = Deletions(client)
    waiting.undo(waiting.request("1"))
    waiting.finish()
    assert not waiting.hides("1")
    assert service.requests == []


def test_deletion_is_sent_once(client: Client, service: FakeService) -> None:
    waiting = Deletions(client)
    waiting.request("1")
    waiting.finish()
    waiting.finish()
    assert len(service.requests) == 1


@pytest.mark.parametrize("outage", ["service", "database", "overload"])
def test_deletion_is_sent_again_while_the_service_does_not_answer(outage: str, client: Client, service: FakeService) -> None:
    waiting = Deletions(client)
    deletion = waiting.request("1")
    service.down, gallery_of(service).database_down = outage == "service", outage == "database"
    if outage == "overload":
        service.replies["/gallery/1"] = lambda _: problem_response(429, "overloaded")
    waiting.finish()
    assert waiting.is_pending(deletion)
    assert waiting.hides("1")
    service.down = gallery_of(service).database_down = False
    service.replies.pop("/gallery/1", None)
    waiting.finish()
    assert not waiting.is_pending(deletion)
    assert list(gallery_of(service).entries) == ["0", "2"]


def test_picture_that_was_deleted_elsewhere_is_no_failure(client: Client, service: FakeService) -> None:
    waiting = Deletions(client)
    deletion = waiting.request("1")
    del gallery_of(service).entries["1"]
    waiting.finish()
    assert (waiting.is_pending(deletion), deletion.failure) == (False, None)


def test_all_pictures_are_deleted_before_another_is_saved(client: Client, service: FakeService) -> None:
    waiting = Deletions(client)
    waiting.request(None)
    one = waiting.request("1")
    assert waiting.all_hidden
    assert waiting.hides("2")
    waiting.finish_deleting_all()
    assert gallery_of(service).entries == {}
    assert not waiting.hides("2")
    assert waiting.is_pending(one)


def test_what_waits_is_sent_when_the_process_ends(client: Client, service: FakeService) -> None:
    service.gallery = FakeGallery(gallery_with(2).entries)
    deletions.deletions_of(client).request("0")
    deletions.finish_deletions()
    assert list(gallery_of(service).entries) == ["1"]
