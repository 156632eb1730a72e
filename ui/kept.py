"""The pictures that the service keeps, as the page last heard of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from ui.answers import KeptPicture
from ui.client import Client, Problem, Unavailable

# So many pictures come at a time.
PAGE: Final = 24
# A service that did not answer is asked again after so many seconds.
PATIENCE: Final = 10.0


@dataclass(slots=True)
class Kept:
    """The newest kept pictures, of one model or of all, and how many there are.

    Every action goes by a picture's id and is followed by a fresh look, so that pages open side by side lose nothing.
    `failure` is why the last request failed, until one succeeds; `gone` is set when a picture was deleted from elsewhere.
    """

    entries: list[KeptPicture] = field(default_factory=list)
    total: int = 0
    model: str | None = None
    failure: Unavailable | Problem | None = None
    gone: bool = False
    _next: str | None = None
    _stale: bool = True
    _not_before: float = 0.0

    @property
    def more(self) -> bool:
        """Whether there are older pictures than those here."""
        return self._next is not None

    def look_again(self, model: str | None = None) -> None:
        """Ask at the next refresh, whatever was heard before; of one model, or of all."""
        self.model = model
        self._stale = True
        self._not_before = 0.0

    def refresh(self, client: Client) -> None:
        """As many pictures as were shown, as they are now, if there is reason to ask."""
        if not self._stale or monotonic() < self._not_before:
            return
        with self._listening():
            wanted = max(len(self.entries), PAGE)
            page = client.gallery(limit=PAGE, model=self.model)
            entries = page.entries
            while page.next is not None and page.entries and len(entries) < wanted:
                page = client.gallery(limit=PAGE, cursor=page.next, model=self.model)
                entries += page.entries
            self.entries, self.total, self._next = entries, page.total, page.next
            self._stale = False

    def show_more(self, client: Client) -> None:
        """The next page."""
        with self._listening():
            page = client.gallery(limit=PAGE, cursor=self._next, model=self.model)
            known = {entry.id for entry in self.entries}
            self.entries += [entry for entry in page.entries if entry.id not in known]
            self.total, self._next = page.total, page.next

    def correct(self, client: Client, id: str, label: str | None) -> None:
        """Say what a picture shows; None takes that back."""
        with self._acting():
            client.correct(id, label)

    def delete(self, client: Client, id: str) -> None:
        """Delete one picture."""
        with self._acting():
            client.delete(id)

    def empty(self, client: Client) -> None:
        """Delete all pictures, of every model."""
        with self._acting():
            client.empty()

    @contextmanager
    def _acting(self) -> Iterator[None]:
        self.gone = False
        with self._listening():
            try:
                yield
            except Problem as failure:
                if failure.status != 404:
                    raise
                self.gone = True
            self.look_again(self.model)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        try:
            yield
        except (Unavailable, Problem) as failure:
            self.failure, self._stale, self._not_before = failure, True, monotonic() + PATIENCE
        else:
            self.failure = None
