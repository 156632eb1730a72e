"""The saved gallery: loading pages, corrections and deletions."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.ui.fake_service import FakeGallery, FakeService, gallery_entry, problem_response
from tests.ui.gallery_helpers import FakeClock, gallery_of, gallery_with
from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.gallery_schemas import GalleryFilter
from ui.state.deletions import RETRY_SECONDS, UNDO_SECONDS, deletions_of
from ui.state.saved_gallery import PAGE_SIZE, SavedGallery


@pytest.fixture
def service() -> FakeService:
    return FakeService(gallery=FakeGallery())


def ids(saved: SavedGallery) -> list[str]:
    return [entry.id for entry in saved.entries]


def test_loaded_pages_stay_after_an_action(client: Client, service: FakeService) -> None:
    service.gallery, saved = gallery_with(3 * PAGE_SIZE), SavedGallery()
    saved.refresh(client)
    assert (len(saved.entries), saved.total, saved.has_more) == (PAGE_SIZE, 3 * PAGE_SIZE, True)
    saved.load_more(client)
    assert ids(saved) == [str(number) for number in range(3 * PAGE_SIZE - 1, PAGE_SIZE - 1, -1)]
    saved.delete(client, ids(saved)[0])
    saved.refresh(client)
    assert ids(saved) == [str(number) for number in range(3 * PAGE_SIZE - 2, PAGE_SIZE - 1, -1)]
    saved.load_more(client)
    assert not saved.has_more
    assert len(saved.entries) == saved.total == 3 * PAGE_SIZE - 1


def test_picture_added_between_two_pages_is_listed_once(client: Client, service: FakeService) -> None:
    service.gallery, saved = gallery_with(2 * PAGE_SIZE), SavedGallery()
    saved.refresh(client)
    gallery_of(service).entries["new"] = gallery_entry("new")
    saved.load_more(client)
    assert len(set(ids(saved))) == len(saved.entries) == 2 * PAGE_SIZE - 1


def test_filter_by_model(client: Client, service: FakeService) -> None:
    service.gallery, saved = gallery_with(5), SavedGallery()
    saved.refresh(client)
    saved.select(GalleryFilter(model="b"))
    saved.refresh(client)
    assert (ids(saved), saved.total) == (["3", "1"], 2)


def test_fresh_list_is_not_requested_again(client: Client, service: FakeService) -> None:
    saved = SavedGallery()
    for _ in range(3):
        saved.refresh(client)
    assert len(service.requests) == 1


def test_correction_is_set_and_removed(client: Client, service: FakeService) -> None:
    service.gallery, saved = gallery_with(1), SavedGallery()
    for label in ("4", None):
        saved.correct(client, "0", label)
        saved.refresh(client)
        assert saved.entries[0].corrected == label


ACTIONS = [partial(SavedGallery.picture, id="0"), partial(SavedGallery.correct, id="0", label="4")]


@pytest.mark.parametrize("act", ACTIONS)
def test_picture_deleted_elsewhere_is_reported(act: Callable[..., object], client: Client, service: FakeService) -> None:
    service.gallery, saved = gallery_with(2), SavedGallery()
    saved.refresh(client)
    del gallery_of(service).entries["0"]
    act(saved, client=client)
    saved.refresh(client)
    assert (saved.deleted_elsewhere, saved.failure, ids(saved)) == (True, None, ["1"])
    saved.delete(client, "1")
    assert not saved.deleted_elsewhere


def test_filter_by_label_and_correction(client: Client, service: FakeService) -> None:
    entries = {"a": gallery_entry("a", "7"), "b": gallery_entry("b", "1", corrected="7"), "c": gallery_entry("c", "1")}
    service.gallery, saved = FakeGallery(entries), SavedGallery()
    saved.select(GalleryFilter(label="7"))
    saved.refresh(client)
    assert (ids(saved), saved.total) == (["b", "a"], 2)
    saved.select(GalleryFilter(corrected=True))
    saved.refresh(client)
    assert (ids(saved), saved.total) == (["b"], 1)


def test_deleted_picture_leaves_the_list_at_once_and_returns_when_undone(client: Client, service: FakeService) -> None:
    service.gallery, saved = gallery_with(3), SavedGallery()
    saved.refresh(client)
    saved.delete(client, "1")
    assert (ids(saved), saved.total) == (["2", "0"], 2)
    saved.invalidate()
    saved.refresh(client)
    assert (ids(saved), saved.total) == (["2", "0"], 2)
    saved.undo(client)
    saved.refresh(client)
    assert (ids(saved), saved.total) == (["2", "1", "0"], 3)
    deletions_of(client).finish()
    assert len(gallery_of(service).entries) == 3


def test_deleted_picture_is_hidden_from_a_page_that_is_reloaded(client: Client, service: FakeService) -> None:
    service.gallery, saved, reloaded = gallery_with(3), SavedGallery(), SavedGallery()
    saved.refresh(client)
    saved.delete(client, "1")
    reloaded.refresh(client)
    assert (ids(reloaded), reloaded.total) == (["2", "0"], 2)
    assert reloaded.undoable(client) == []


def test_deletion_can_be_undone_for_ten_seconds(client: Client, service: FakeService, clock: FakeClock) -> None:
    service.gallery, saved = gallery_with(3), SavedGallery()
    saved.refresh(client)
    saved.delete(client, "2")
    clock.now += UNDO_SECONDS / 2
    saved.delete(client, "1")
    assert len(saved.undoable(client)) == 2
    clock.now += UNDO_SECONDS / 2
    assert [deletion.id for deletion in saved.undoable(client)] == ["1"]
    saved.undo(client)
    deletions_of(client).finish()
    assert list(gallery_of(service).entries) == ["0", "1"]
    assert not saved.deletions_wait(client)


def test_deleting_all_can_be_undone(client: Client, service: FakeService) -> None:
    service.gallery, saved = gallery_with(2 * PAGE_SIZE), SavedGallery()
    saved.refresh(client)
    saved.delete(client, None)
    assert (ids(saved), saved.total, saved.has_more) == ([], 0, False)
    saved.invalidate()
    saved.refresh(client)
    assert (ids(saved), saved.total, saved.has_more) == ([], 0, False)
    saved.undo(client)
    saved.refresh(client)
    assert (len(saved.entries), saved.total, saved.has_more) == (PAGE_SIZE, 2 * PAGE_SIZE, True)


def test_refused_deletion_is_reported_and_the_picture_returns(client: Client, service: FakeService) -> None:
    service.gallery, saved = gallery_with(2), SavedGallery()
    saved.refresh(client)
    saved.delete(client, "0")
    service.replies["/gallery/0"] = lambda _: problem_response(403, "forbidden", "Forbidden", "This key may only read.")
    deletions_of(client).finish()
    saved.refresh(client)
    assert isinstance(saved.refusal, ServiceError)
    assert saved.refusal.detail == "This key may only read."
    assert ids(saved) == ["1", "0"]


def test_database_outage_keeps_the_list_and_retries_later(client: Client, service: FakeService, clock: FakeClock) -> None:
    service.gallery, saved = gallery_with(2), SavedGallery()
    saved.refresh(client)
    gallery_of(service).database_down = True
    saved.correct(client, "1", "4")
    assert isinstance(saved.failure, ServiceUnavailable)
    saved.refresh(client)
    saved.refresh(client)
    assert len(service.requests) == 2  # not retried at once
    assert ids(saved) == ["1", "0"]
    gallery_of(service).database_down = False
    clock.now += RETRY_SECONDS
    saved.refresh(client)
    assert len(service.requests) == 3
    assert saved.failure is None
