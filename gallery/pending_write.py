"""A write to the database that its caller may cancel until its commit begins."""

from threading import Lock


class WriteCancelled(Exception):
    """The write was cancelled: nothing was changed."""


class PendingWrite:
    """Decides between a caller that cancels a write and the thread that is about to commit it: whichever comes first wins.

    A cancelled write is never committed. A caller that cancels too late learns that it has to wait for the commit.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._cancelled = False
        self._committing = False

    def cancel(self) -> bool:
        """Cancel the write; returns False if its commit has begun, so that it may succeed."""
        with self._lock:
            self._cancelled = not self._committing
            return self._cancelled

    def begin_commit(self) -> None:
        """Mark the commit as begun, after which the write can no longer be cancelled.

        Raises:
            WriteCancelled: it was cancelled.
        """
        with self._lock:
            if self._cancelled:
                raise WriteCancelled
            self._committing = True
