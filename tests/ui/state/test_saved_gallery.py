"""The saved gallery: loading pages, corrections and deletions."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.ui.fake_service import FakeGallery, FakeService, gallery_entry
from tests.ui.gallery_helpers import FakeClock, gallery_of, gallery_with
from ui.api.client import Client, ServiceUnavailable
from ui.state.saved_gallery import PAGE_SIZE, RETRY_SECONDS, SavedGallery


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
    assert ids(saved) == [str(number) for number in range(3 * PAGE_SIZE - 2, PAGE_SIZE - 2, -1)]
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
    saved.invalidate("b")
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


@pytest.mark.parametrize("act", [partial(SavedGallery.delete, id="0"), partial(SavedGallery.correct, id="0", label="4")])
def test_picture_deleted_elsewhere_is_reported(act: Callable[..., None], client: Client, service: FakeService) -> None:
    service.gallery, saved = gallery_with(2), SavedGallery()
    saved.refresh(client)
    del gallery_of(service).entries["0"]
    act(saved, client=client)
    saved.refresh(client)
    assert (saved.deleted_elsewhere, saved.failure, ids(saved)) == (True, None, ["1"])
    saved.delete(client, "1")
    assert not saved.deleted_elsewhere


def test_database_outage_keeps_the_list_and_retries_later(client: Client, service: FakeService, clock: FakeClock) -> None:
    service.gallery, saved = gallery_with(2), SavedGallery()
    saved.refresh(client)
    gallery_of(service).database_down = True
    saved.delete(client, "1")
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
