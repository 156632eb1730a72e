"""The store in SQLite and in PostgreSQL: entries, pagination, corrections, quotas and concurrency."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import URL

from gallery import (
    Cursor,
    Entry,
    EntryNotFound,
    Filter,
    Owner,
    PendingWrite,
    QuotaExceeded,
    Store,
    StoredImage,
    StoredPrediction,
    WriteCancelled,
)
from tests.gallery.conftest import MAX_ENTRIES
from tests.gallery.entries import FOUR, SEVEN, allow, prediction

pytestmark = pytest.mark.slow

ALL = Filter()


def keep(store: Store, label: str = "7", model: str = "digits", key: str | None = None) -> Entry:
    entry, _ = store.save(prediction(label, model), SEVEN, key)
    return entry


def walk(store: Store, choice: Filter = ALL, limit: int = 4, between: Callable[[], object] = lambda: None) -> list[UUID]:
    """All pages, with something happening between them."""
    found, after = [], None
    while True:
        page = store.page(choice, limit, after)
        found += [entry.id for entry in page.entries]
        if page.next is None:
            return found
        assert len(page.entries) == limit
        after = Cursor.decode(page.next.encode())
        between()


def test_saved_entry_is_read_back(store: Store) -> None:
    before = datetime.now(timezone.utc)
    kept, new = store.save(prediction(), SEVEN)
    assert new
    found = store.get(kept.id)
    assert before <= found.created == found.updated == kept.created <= datetime.now(timezone.utc)
    assert found.created.utcoffset() == timedelta(0)
    assert (found.model, found.version, found.label, found.confidence) == ("digits", "1.0.0", "7", 0.75)
    assert (found.corrected, found.rejected, found.key) == (None, False, None)
    assert (found.category, found.top) == (prediction().category, prediction().top)
    assert (found.width, found.height, found.thumbnail) == (SEVEN.width, SEVEN.height, SEVEN.thumbnail)
    assert store.image(kept.id) == (SEVEN.image, "image/png")
    assert (found.owner, found.media_type, found.size) == ("", "image/png", len(SEVEN.image) + len(SEVEN.thumbnail))
    store.save(replace(prediction(), category=None), SEVEN, "bare")
    assert store.page(ALL, 1).entries[0].category is None


def test_entries_persist(url: URL) -> None:
    first = Store(url, MAX_ENTRIES)
    ids = [keep(first).id for _ in range(3)]
    first.correct(ids[0], "8", allow)
    first.close()
    second = Store(url, MAX_ENTRIES)
    assert walk(second) == ids[::-1]
    assert second.get(ids[0]).corrected == "8"
    second.close()


def test_pagination_is_stable_under_changes(store: Store) -> None:
    ids = [keep(store).id for _ in range(11)]
    assert walk(store) == ids[::-1]
    later: list[UUID] = []

    def disturb() -> None:
        later.append(keep(store).id)
        store.delete(later[-1])
        keep(store)
        if len(later) == 1:
            store.delete(ids[7])  # the last of the first page, which the next one begins after
            store.delete(ids[1])

    assert walk(store, between=disturb) == [*ids[:6:-1], *ids[6:1:-1], ids[0]]


def test_entries_with_equal_times_are_ordered(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 11, 21, 15, 0, 0, 123456, tzinfo=timezone.utc)

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Stopped":  # noqa: ARG003
            return cls.fromtimestamp(moment.timestamp(), timezone.utc)

    monkeypatch.setattr("gallery.store.datetime", Stopped)
    ids = {keep(store).id for _ in range(9)}
    found = walk(store, limit=2)
    assert found == sorted(ids, reverse=True)
    assert store.get(found[0]).created == moment


def test_filters(store: Store) -> None:
    seven, four, shirt = keep(store, "7"), keep(store, "4"), keep(store, "Shirt", model="fashion")
    store.correct(four.id, "7", allow)
    assert walk(store, Filter(model="fashion")) == [shirt.id]
    assert walk(store, Filter(label="7")) == [four.id, seven.id]
    assert walk(store, Filter(label="4")) == []
    assert walk(store, Filter(corrected=True)) == [four.id]
    assert walk(store, Filter(corrected=False, model="digits")) == [seven.id]
    assert store.page(Filter(model="digits"), 1).total == 2
    assert [entry.image for entry in store.entries_with_images(Filter(model="fashion"))] == [SEVEN.image]


def test_correction_is_set_and_removed(store: Store) -> None:
    kept = keep(store)
    corrected = store.correct(kept.id, "8", allow)
    assert (corrected.corrected, corrected.label) == ("8", "7")
    assert corrected.updated > corrected.created
    assert store.correct(kept.id, "8", allow).updated == corrected.updated
    assert store.correct(kept.id, None, allow).corrected is None

    def refuse(model: str, label: str) -> None:
        raise ValueError(f"{label} of {model}")

    with pytest.raises(ValueError, match="9 of digits"):
        store.correct(kept.id, "9", refuse)
    assert store.get(kept.id).corrected is None


def test_same_key_updates_its_entry(store: Store) -> None:
    first, new = store.save(prediction("7"), SEVEN, "tab-1")
    assert new
    store.correct(first.id, "1", allow)
    same, new = store.save(replace(prediction("7"), confidence=0.5), SEVEN, "tab-1")
    assert (same.id, same.created, same.corrected, same.confidence, new) == (first.id, first.created, "1", 0.5, False)
    assert same.updated > first.updated
    other, _ = store.save(prediction("4"), FOUR, "tab-1")
    assert (other.id, other.label, other.corrected) == (first.id, "4", None)
    assert store.image(first.id)[0] == FOUR.image
    store.correct(first.id, "1", allow)
    assert store.save(prediction("A", model="letters"), FOUR, "tab-1")[0].corrected is None
    assert store.page(ALL, 9).total == 1


READER, OTHER, ADMIN = Owner("page", False), Owner("app", False), Owner("me", True)


def test_keys_are_separate_per_owner(store: Store) -> None:
    kept = [store.save(prediction("7"), SEVEN, "drawing", owner) for owner in (READER, OTHER, ADMIN, Owner())]
    assert all(new for _, new in kept)
    store.correct(kept[0][0].id, "1", allow)
    for owner in (OTHER, ADMIN, Owner()):
        assert not store.save(prediction("4"), FOUR, "drawing", owner)[1]
    assert (store.get(kept[0][0].id).label, store.get(kept[0][0].id).corrected) == ("7", "1")
    assert {store.get(entry.id).label for entry, _ in kept[1:]} == {"4"}
    again, new = store.save(replace(prediction("7"), confidence=0.5), SEVEN, "drawing", READER)
    assert (again.id, again.corrected, new) == (kept[0][0].id, "1", False)


@pytest.mark.parametrize("renewal", [(prediction("4"), FOUR), (prediction("A", model="letters"), SEVEN)])
def test_owner_without_permission_cannot_remove_a_correction(
    store: Store, renewal: tuple[StoredPrediction, StoredImage]
) -> None:
    first, _ = store.save(prediction("7"), SEVEN, "drawing", READER)
    store.correct(first.id, "1", allow)
    second, new = store.save(*renewal, "drawing", READER)
    assert new and second.id != first.id
    stays = store.get(first.id)
    assert (stays.label, stays.corrected, stays.model, stays.key) == ("7", "1", "digits", None)
    assert store.image(first.id)[0] == SEVEN.image
    third, new = store.save(*renewal, "drawing", READER)
    assert (third.id, new) == (second.id, False)
    assert store.page(ALL, 9).total == 2


def test_kept_corrected_entry_counts_toward_the_quota(url: URL) -> None:
    store = Store(url, 1)
    first, _ = store.save(prediction("7"), SEVEN, "drawing", READER)
    store.correct(first.id, "1", allow)
    with pytest.raises(QuotaExceeded):
        store.save(prediction("4"), FOUR, "drawing", READER)
    assert (store.get(first.id).key, store.get(first.id).corrected) == ("drawing", "1")
    store.close()


def test_byte_quota_is_enforced(url: URL) -> None:
    small, large = (
        replace(SEVEN, image=bytes(1000), thumbnail=bytes(500)),
        replace(SEVEN, image=bytes(2000), thumbnail=bytes(500)),
    )
    store = Store(url, MAX_ENTRIES, 4000)
    first, _ = store.save(prediction(), small, "a")
    store.save(prediction(), large, "b")
    assert sorted(entry.size for entry in store.page(ALL, 9).entries) == [1500, 2500]
    for picture, key in ((small, "c"), (large, "a"), (replace(small, image=b"", thumbnail=b"x"), None)):
        with pytest.raises(QuotaExceeded) as refused:
            store.save(prediction(), picture, key)
        assert refused.value.of == "bytes"
    store.save(prediction("4"), small, "a")
    store.save(prediction("4"), small, "b")
    store.close()
    smaller = Store(url, MAX_ENTRIES, 100)  # somebody made it smaller: what is there stays, and may become smaller
    smaller.save(prediction("4"), replace(small, image=b""), "b")
    smaller.delete(first.id)
    assert smaller.page(ALL, 9).total == 1
    smaller.close()


def test_cancelled_write_changes_nothing(store: Store) -> None:
    kept = keep(store, key="a")
    before = store.get(kept.id)
    for write in (
        lambda off: store.save(prediction("4"), FOUR, "a", pending=off),
        lambda off: store.save(prediction("4"), FOUR, pending=off),
        lambda off: store.correct(kept.id, "8", allow, off),
        lambda off: store.delete(kept.id, off),
        lambda off: store.delete_all(off),
    ):
        off = PendingWrite()
        assert off.cancel()
        with pytest.raises(WriteCancelled):
            write(off)
        after = store.get(kept.id)
        assert (after.label, after.corrected, after.updated) == (before.label, None, before.updated)
        assert store.page(ALL, 9).total == 1
        in_time = PendingWrite()
        store.correct(kept.id, None, allow, in_time)
        assert not in_time.cancel()  # too late: it is done


def test_missing_entry_raises_not_found(store: Store) -> None:
    kept = keep(store)
    store.delete(kept.id)
    for ask in (store.get, store.image, store.delete, lambda id: store.correct(id, "1", allow)):
        for id in (kept.id, uuid4()):
            with pytest.raises(EntryNotFound):
                ask(id)


def test_full_gallery_accepts_updates_only(url: URL) -> None:
    store = Store(url, 2)
    keep(store, key="a")
    last = keep(store, key="b")
    for key in ("c", None):
        with pytest.raises(QuotaExceeded):
            keep(store, key=key)
    assert keep(store, "4", key="b").label == "4"
    store.delete(last.id)
    keep(store, key="c")
    assert store.delete_all() == 2
    assert store.page(ALL, 9) == ([], None, 0)
    store.close()


def test_concurrent_writes_lose_and_duplicate_nothing(url: URL) -> None:
    """Two stores are as good as two workers: each has its own connections, and nothing else is shared."""
    stores = [Store(url, 1000), Store(url, 1000)]
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda i: stores[i % 2].save(prediction(), SEVEN, f"key-{i % 30}"), range(90)))
        assert sum(new for _, new in kept) == 30
        ids = {entry.id for entry, _ in kept}
        assert set(walk(stores[0], limit=7)) == ids and len(ids) == 30
        list(pool.map(lambda at: stores[at[0] % 2].correct(at[1], str(at[0] % 10), allow), enumerate(sorted(ids))))
    found = {entry.id: entry.corrected for entry in stores[1].page(ALL, 100).entries}
    assert found == {id: str(i % 10) for i, id in enumerate(sorted(ids))}
    for store in stores:
        store.close()


def test_entry_quota_holds_under_concurrency(url: URL) -> None:
    stores = [Store(url, 10), Store(url, 10)]

    def try_to_keep(number: int) -> bool:
        try:
            return stores[number % 2].save(prediction(), SEVEN)[1]
        except QuotaExceeded:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_to_keep, range(30))) == 10
    assert stores[0].page(ALL, 1).total == 10
    for store in stores:
        store.close()


@pytest.mark.parametrize("text", ["", "abc", "é", "A" * 31, "A" * 33, "f" + "_" * 31, "AAAA AAA"])
def test_invalid_cursor_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="`next`"):
        Cursor.decode(text)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_deleted_data_is_overwritten_in_the_file(url: URL) -> None:
    assert url.database
    file = Path(url.database)
    store = Store(url, MAX_ENTRIES)
    for _ in range(MAX_ENTRIES):
        keep(store)
    store.close()
    assert SEVEN.image[100:200] in file.read_bytes()
    store.delete_all()
    store.close()
    content = file.read_bytes()
    assert SEVEN.image[100:200] not in content
    assert len(content) < MAX_ENTRIES * len(SEVEN.image)
