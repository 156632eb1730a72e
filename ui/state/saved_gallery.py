"""The service's gallery as the page last loaded it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.schemas import SavedPicture

# Pictures per request.
PAGE_SIZE: Final = 24
# Pause before the next request after the service did not answer.
RETRY_SECONDS: Final = 10.0


@dataclass(slots=True)
class SavedGallery:
    """The newest saved pictures, of one model or of all, and the total number.

    Every action names a picture by its id and reloads the list afterwards, so that several open pages do not conflict.
    `failure` is the error of the last request. `deleted_elsewhere` if the picture of the last action was gone already.
    """

    entries: list[SavedPicture] = field(default_factory=list)
    total: int = 0
    model: str | None = None
    failure: ServiceUnavailable | ServiceError | None = None
    deleted_elsewhere: bool = False
    _next: str | None = None
    _stale: bool = True
    _not_before: float = 0.0

    @property
    def has_more(self) -> bool:
        """Whether there are older pictures that are not loaded."""
        return self._next is not None

    def invalidate(self, model: str | None = None) -> None:
        """Reload at the next `refresh`: pictures of one model, or of all."""
        self.model = model
        self._stale = True
        self._not_before = 0.0

    def refresh(self, client: Client) -> None:
        """Reload as many pictures as were loaded, if they are stale and no retry pause runs."""
        if not self._stale or monotonic() < self._not_before:
            return
        with self._record_failure():
            wanted = max(len(self.entries), PAGE_SIZE)
            page = client.list_gallery(limit=PAGE_SIZE, model=self.model)
            entries = page.entries
            while page.next is not None and page.entries and len(entries) < wanted:
                page = client.list_gallery(limit=PAGE_SIZE, cursor=page.next, model=self.model)
                entries += page.entries
            self.entries, self.total, self._next = entries, page.total, page.next
            self._stale = False

    def load_more(self, client: Client) -> None:
        """Load the next page."""
        with self._record_failure():
            page = client.list_gallery(limit=PAGE_SIZE, cursor=self._next, model=self.model)
            known = {entry.id for entry in self.entries}
            self.entries += [entry for entry in page.entries if entry.id not in known]
            self.total, self._next = page.total, page.next

    def correct(self, client: Client, id: str, label: str | None) -> None:
        """Set the corrected label of a picture; None removes it."""
        with self._action():
            client.correct(id, label)

    def delete(self, client: Client, id: str) -> None:
        """Delete one picture."""
        with self._action():
            client.delete(id)

    def delete_all(self, client: Client) -> None:
        """Delete all pictures, of every model."""
        with self._action():
            client.delete_all()

    @contextmanager
    def _action(self) -> Iterator[None]:
        self.deleted_elsewhere = False
        with self._record_failure():
            try:
                yield
            except ServiceError as error:
                if error.status != 404:
                    raise
                self.deleted_elsewhere = True
            self.invalidate(self.model)

    @contextmanager
    def _record_failure(self) -> Iterator[None]:
        try:
            yield
        except (ServiceUnavailable, ServiceError) as failure:
            self.failure, self._stale, self._not_before = failure, True, monotonic() + RETRY_SECONDS
        else:
            self.failure = None
