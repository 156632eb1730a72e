"""gallery.store in SQLite and in PostgreSQL: what was kept is found as it was, page by page, and nothing is lost or doubled."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import URL

from gallery import Choice, Entry, Full, NoEntry, Place, Store
from tests.gallery.conftest import MOST
from tests.gallery.entries import FOUR, SEVEN, allow, prediction

ALL = Choice()


def keep(store: Store, label: str = "7", model: str = "digits", key: str | None = None) -> Entry:
    entry, _ = store.keep(prediction(label, model), SEVEN, key)
    return entry


def walk(store: Store, choice: Choice = ALL, limit: int = 4, between: Callable[[], object] = lambda: None) -> list[UUID]:
    """All pages, with something happening between them."""
    found, after = [], None
    while True:
        page = store.page(choice, limit, after)
        found += [entry.id for entry in page.entries]
        if page.next is None:
            return found
        assert len(page.entries) == limit
        after = Place.parse(page.next.text())
        between()


def test_what_was_kept_is_found_as_it_was(store: Store) -> None:
    before = datetime.now(timezone.utc)
    kept, new = store.keep(prediction(), SEVEN)
    assert new
    found = store.entry(kept.id)
    assert before <= found.created == found.updated == kept.created <= datetime.now(timezone.utc)
    assert found.created.utcoffset() == timedelta(0)
    assert (found.model, found.version, found.label, found.confidence) == ("digits", "1.0.0", "7", 0.75)
    assert (found.corrected, found.rejected, found.key) == (None, False, None)
    assert (found.category, found.top) == (prediction().category, prediction().top)
    assert (found.width, found.height, found.thumbnail) == (SEVEN.width, SEVEN.height, SEVEN.thumbnail)
    assert store.image(kept.id) == SEVEN.png
    store.keep(replace(prediction(), category=None), SEVEN, "bare")
    assert store.page(ALL, 1).entries[0].category is None


def test_a_gallery_outlasts_the_process_that_filled_it(url: URL) -> None:
    first = Store(url, MOST)
    ids = [keep(first).id for _ in range(3)]
    first.correct(ids[0], "8", allow)
    first.close()
    second = Store(url, MOST)
    assert walk(second) == ids[::-1]
    assert second.entry(ids[0]).corrected == "8"
    second.close()


def test_pages_are_newest_first_and_keep_their_places_while_entries_come_and_go(store: Store) -> None:
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


def test_entries_of_the_same_moment_have_an_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 11, 21, 15, 0, 0, 123456, tzinfo=timezone.utc)

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Stopped":  # noqa: ARG003
            return cls.fromtimestamp(moment.timestamp(), timezone.utc)

    monkeypatch.setattr("gallery.store.datetime", Stopped)
    ids = {keep(store).id for _ in range(9)}
    found = walk(store, limit=2)
    assert found == sorted(ids, reverse=True)
    assert store.entry(found[0]).created == moment


def test_choices(store: Store) -> None:
    seven, four, shirt = keep(store, "7"), keep(store, "4"), keep(store, "Shirt", model="fashion")
    store.correct(four.id, "7", allow)
    assert walk(store, Choice(model="fashion")) == [shirt.id]
    assert walk(store, Choice(label="7")) == [four.id, seven.id]
    assert walk(store, Choice(label="4")) == []
    assert walk(store, Choice(corrected=True)) == [four.id]
    assert walk(store, Choice(corrected=False, model="digits")) == [seven.id]
    assert store.page(Choice(model="digits"), 1).total == 2
    assert [entry.image for entry in store.pictures(Choice(model="fashion"))] == [SEVEN.png]


def test_corrections_are_made_and_taken_back(store: Store) -> None:
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
    assert store.entry(kept.id).corrected is None


def test_the_same_key_renews_its_entry(store: Store) -> None:
    first, new = store.keep(prediction("7"), SEVEN, "tab-1")
    assert new
    store.correct(first.id, "1", allow)
    same, new = store.keep(replace(prediction("7"), confidence=0.5), SEVEN, "tab-1")
    assert (same.id, same.created, same.corrected, same.confidence, new) == (first.id, first.created, "1", 0.5, False)
    assert same.updated > first.updated
    other, _ = store.keep(prediction("4"), FOUR, "tab-1")
    assert (other.id, other.label, other.corrected) == (first.id, "4", None)
    assert store.image(first.id) == FOUR.png
    store.correct(first.id, "1", allow)
    assert store.keep(prediction("A", model="letters"), FOUR, "tab-1")[0].corrected is None
    assert store.page(ALL, 9).total == 1


def test_what_is_not_there(store: Store) -> None:
    kept = keep(store)
    store.delete(kept.id)
    for ask in (store.entry, store.image, store.delete, lambda id: store.correct(id, "1", allow)):
        for id in (kept.id, uuid4()):
            with pytest.raises(NoEntry):
                ask(id)


def test_a_full_gallery_takes_renewals_but_nothing_new(url: URL) -> None:
    store = Store(url, 2)
    keep(store, key="a")
    last = keep(store, key="b")
    for key in ("c", None):
        with pytest.raises(Full):
            keep(store, key=key)
    assert keep(store, "4", key="b").label == "4"
    store.delete(last.id)
    keep(store, key="c")
    assert store.empty() == 2
    assert store.page(ALL, 9) == ([], None, 0)
    store.close()


def test_two_processes_lose_and_double_nothing(url: URL) -> None:
    """Two stores are as good as two workers: each has its own connections, and nothing else is shared."""
    stores = [Store(url, 1000), Store(url, 1000)]
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda i: stores[i % 2].keep(prediction(), SEVEN, f"key-{i % 30}"), range(90)))
        assert sum(new for _, new in kept) == 30
        ids = {entry.id for entry, _ in kept}
        assert set(walk(stores[0], limit=7)) == ids and len(ids) == 30
        list(pool.map(lambda at: stores[at[0] % 2].correct(at[1], str(at[0] % 10), allow), enumerate(sorted(ids))))
    found = {entry.id: entry.corrected for entry in stores[1].page(ALL, 100).entries}
    assert found == {id: str(i % 10) for i, id in enumerate(sorted(ids))}
    for store in stores:
        store.close()


def test_the_limit_holds_however_many_come_at_once(url: URL) -> None:
    stores = [Store(url, 10), Store(url, 10)]

    def try_to_keep(number: int) -> bool:
        try:
            return stores[number % 2].keep(prediction(), SEVEN)[1]
        except Full:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_to_keep, range(30))) == 10
    assert stores[0].page(ALL, 1).total == 10
    for store in stores:
        store.close()


@pytest.mark.parametrize("text", ["", "abc", "é", "A" * 31, "A" * 33, "f" + "_" * 31, "AAAA AAA"])
def test_places_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="`next`"):
        Place.parse(text)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_was_deleted_is_gone_from_the_file(url: URL) -> None:
    assert url.database
    file = Path(url.database)
    store = Store(url, MOST)
    for _ in range(MOST):
        keep(store)
    store.close()
    assert SEVEN.png[100:200] in file.read_bytes()
    store.empty()
    store.close()
    content = file.read_bytes()
    assert SEVEN.png[100:200] not in content
    assert len(content) < MOST * len(SEVEN.png)
