"""Calling off a write whose caller no longer waits, so that what it was told is true."""

from threading import Lock


class Cancelled(Exception):
    """The write was called off: nothing was changed."""


class Cancellation:
    """Between a caller and the thread that writes for it: either the caller calls the write off, or its commit begins.

    One lock decides which of the two is first. A write that was called off is never committed, and a caller that comes too late
    knows that it has to wait for the commit.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._cancelled = False
        self._committing = False

    def cancel(self) -> bool:
        """Call the write off; False if its commit has begun, so that it may succeed."""
        with self._lock:
            self._cancelled = not self._committing
            return self._cancelled

    def begin_commit(self) -> None:
        """Return if the write may be committed now, which can no longer be prevented afterwards.

        Raises:
            Cancelled: it was called off.
        """
        with self._lock:
            if self._cancelled:
                raise Cancelled
            self._committing = True
