"""Deletes saved pictures a few seconds after a visitor asked for it, so that it can be undone until then."""

import atexit
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import RLock, Timer
from typing import Final

from ui.api.client import Client, ServiceError, ServiceUnavailable

# A deletion can be undone for so long.
UNDO_SECONDS: Final = 10.0
# Pause before the next request after the service did not answer.
RETRY_SECONDS: Final = 10.0


@dataclass(eq=False, slots=True)
class Deletion:
    """A picture that a visitor deleted, or all pictures where `id` is None. `failure` is why the service refused."""

    id: str | None
    failure: ServiceError | None = None
    _timer: Timer | None = field(default=None, repr=False)


class Deletions:
    """The deletions of one service that still wait: all visitors of the page share them, and see none of these pictures.

    A thread sends each request after `UNDO_SECONDS`, and again while the service does not answer. So a picture is deleted, too,
    when its visitor closes or reloads the page. What waits when the page's process stops is sent then.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pending: list[Deletion] = []
        self._lock = RLock()

    def request(self, id: str | None) -> Deletion:
        """Delete a picture, or all of them where `id` is None, after `UNDO_SECONDS`."""
        deletion = Deletion(id)
        with self._lock:
            self._pending.append(deletion)
            self._start_timer(deletion, UNDO_SECONDS)
        return deletion

    def undo(self, deletion: Deletion) -> None:
        """Keep the pictures after all, unless the request is being sent already."""
        with self._lock:
            if deletion._timer is not None:
                deletion._timer.cancel()
                self._remove(deletion)

    def keep(self, id: str) -> None:
        """Undo the deletions of one picture, because it was saved again."""
        with self._lock:
            for deletion in [each for each in self._pending if each.id == id]:
                self.undo(deletion)

    def is_pending(self, deletion: Deletion) -> bool:
        """Whether the pictures are not deleted yet and will be."""
        with self._lock:
            return deletion in self._pending

    @property
    def all_hidden(self) -> bool:
        """Whether all pictures wait to be deleted."""
        with self._lock:
            return any(deletion.id is None for deletion in self._pending)

    def hides(self, id: str) -> bool:
        """Whether this picture waits to be deleted, alone or with all others."""
        with self._lock:
            return any(deletion.id in (None, id) for deletion in self._pending)

    def finish_deleting_all(self) -> None:
        """Delete all pictures now if that waits: a picture that is saved afterwards is not meant."""
        self._send_now(deletion for deletion in list(self._pending) if deletion.id is None)

    def finish(self) -> None:
        """Send all requests that wait now."""
        self._send_now(list(self._pending))

    def _send_now(self, deletions: Iterable[Deletion]) -> None:
        for deletion in deletions:
            if deletion._timer is not None:
                deletion._timer.cancel()
            self._send(deletion)

    def _start_timer(self, deletion: Deletion, seconds: float) -> None:
        deletion._timer = Timer(seconds, self._send, [deletion])
        deletion._timer.daemon = True
        deletion._timer.start()

    def _remove(self, deletion: Deletion) -> None:
        deletion._timer = None
        if deletion in self._pending:
            self._pending.remove(deletion)

    def _send(self, deletion: Deletion) -> None:
        with self._lock:
            if deletion not in self._pending or deletion._timer is None:
                return  # undone, or another thread sends it
            deletion._timer = None
        try:
            if deletion.id is None:
                self._client.delete_all()
            else:
                self._client.delete(deletion.id)
        except (ServiceUnavailable, ServiceError) as failure:
            if isinstance(failure, ServiceUnavailable) or failure.retryable:
                with self._lock:
                    self._start_timer(deletion, RETRY_SECONDS)
                return
            if failure.status != 404:  # 404: deleted already
                deletion.failure = failure
        with self._lock:
            self._remove(deletion)


_deletions: Final[dict[Client, Deletions]] = {}
_lock: Final = RLock()


def deletions_of(client: Client) -> Deletions:
    """Return the deletions of the service that a client is connected to."""
    with _lock:
        return _deletions.setdefault(client, Deletions(client))


@atexit.register
def finish_deletions() -> None:
    """Send all requests that wait, of every service."""
    for deletions in list(_deletions.values()):
        deletions.finish()
