"""The service's gallery as the page last loaded it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.gallery_schemas import ALL_ENTRIES, GalleryFilter, GalleryPage, SavedPicture
from ui.state.deletions import RETRY_SECONDS, UNDO_SECONDS, Deletion, deletions_of

# Pictures per request.
PAGE_SIZE: Final = 24


@dataclass(slots=True)
class SavedGallery:
    """The newest saved pictures of a selection, and the number of all in it.

    Every action names a picture by its id and reloads the list afterwards, so that several open pages do not conflict. A
    picture that is deleted leaves the list at once and the service after `UNDO_SECONDS` (`ui.state.deletions`).
    `failure` is the error of the last request. `refusal` is why the service refused the latest deletion. `deleted_elsewhere` if
    the picture of the last action was gone.
    """

    entries: list[SavedPicture] = field(default_factory=list)
    total: int = 0
    selection: GalleryFilter = ALL_ENTRIES
    failure: ServiceUnavailable | ServiceError | None = None
    refusal: ServiceError | None = None
    deleted_elsewhere: bool = False
    _next: str | None = None
    _stale: bool = True
    _not_before: float = 0.0
    _deletions: list[tuple[float, Deletion]] = field(default_factory=list)

    @property
    def has_more(self) -> bool:
        """Whether there are older pictures that are not loaded."""
        return self._next is not None

    def select(self, selection: GalleryFilter) -> None:
        """Show other pictures from the next `refresh` on."""
        self.selection = selection
        self.invalidate()

    def invalidate(self) -> None:
        """Reload at the next `refresh`."""
        self._stale = True
        self._not_before = 0.0

    def refresh(self, client: Client) -> None:
        """Reload as many pictures as were loaded, if they are stale and no retry pause runs."""
        self._check_deletions(client)
        if not self._stale or monotonic() < self._not_before:
            return
        with self._record_failure():
            wanted = max(len(self.entries), PAGE_SIZE)
            page = client.list_gallery(limit=PAGE_SIZE, selection=self.selection)
            entries = page.entries
            while page.next is not None and page.entries and len(entries) < wanted:
                page = client.list_gallery(limit=PAGE_SIZE, cursor=page.next, selection=self.selection)
                entries += page.entries
            self._take(client, entries, page)
            self.total = 0 if deletions_of(client).all_hidden else page.total - (len(entries) - len(self.entries))
            self._stale = False

    def load_more(self, client: Client) -> None:
        """Load the next page."""
        with self._record_failure():
            page = client.list_gallery(limit=PAGE_SIZE, cursor=self._next, selection=self.selection)
            known = {entry.id for entry in self.entries}
            self._take(client, self.entries + [entry for entry in page.entries if entry.id not in known], page)

    def correct(self, client: Client, id: str, label: str | None) -> None:
        """Set the corrected label of a picture; None removes it."""
        with self._action():
            client.correct(id, label)
            self.invalidate()

    def picture(self, client: Client, id: str) -> bytes | None:
        """Return the saved picture itself, or None if the request failed."""
        with self._action():
            return client.gallery_image(id)
        return None

    def delete(self, client: Client, id: str | None) -> None:
        """Delete one picture, or the pictures of every model and visitor where `id` is None."""
        self.deleted_elsewhere, self.refusal = False, None
        self._deletions.append((monotonic(), deletions_of(client).request(id)))
        left = [entry for entry in self.entries if id not in (None, entry.id)]
        self.total -= self.total if id is None else len(self.entries) - len(left)
        self._next = None if id is None else self._next
        self.entries = left

    def undo(self, client: Client) -> None:
        """Keep all pictures whose deletion can still be undone."""
        for deletion in self.undoable(client):
            deletions_of(client).undo(deletion)
        self.invalidate()

    def undoable(self, client: Client) -> list[Deletion]:
        """Return this visitor's deletions that can still be undone."""
        return [each for when, each in self._deletions if monotonic() < when + UNDO_SECONDS and self._waits(client, each)]

    def deletions_wait(self, client: Client) -> bool:
        """Whether any of this visitor's deletions has not been sent yet."""
        return any(self._waits(client, each) for _, each in self._deletions)

    def _check_deletions(self, client: Client) -> None:
        """Forget the deletions that are done. After one that the service refused, reload: the picture is still there."""
        done = [each for _, each in self._deletions if not self._waits(client, each)]
        self._deletions = [each for each in self._deletions if each[1] not in done]
        for deletion in done:
            if deletion.failure is not None:
                self.refusal = deletion.failure
                self.invalidate()

    @staticmethod
    def _waits(client: Client, deletion: Deletion) -> bool:
        return deletions_of(client).is_pending(deletion)

    def _take(self, client: Client, entries: list[SavedPicture], page: GalleryPage) -> None:
        """Store loaded entries without those that wait to be deleted."""
        deletions = deletions_of(client)
        self.entries = [entry for entry in entries if not deletions.hides(entry.id)]
        self._next = None if deletions.all_hidden else page.next

    @contextmanager
    def _action(self) -> Iterator[None]:
        """Record a failure of what is done with one picture, and whether it was gone."""
        self.deleted_elsewhere, self.refusal = False, None
        with self._record_failure():
            try:
                yield
            except ServiceError as error:
                if error.status != 404:
                    raise
                self.deleted_elsewhere = True
                self.invalidate()

    @contextmanager
    def _record_failure(self) -> Iterator[None]:
        try:
            yield
        except (ServiceUnavailable, ServiceError) as failure:
            self.failure, self._stale, self._not_before = failure, True, monotonic() + RETRY_SECONDS
        else:
            self.failure = None
