"""Tells whether a request is still wanted: until its deadline, and while its client is connected."""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Final

from starlette.requests import ClientDisconnect

from serving.errors import Problem

# How often a client is asked, at most, whether it is still connected.
DISCONNECT_CHECK_SECONDS: Final = 0.1


class CancellationToken:
    """The deadline of a request (``perf_counter``), and how to ask whether its client disconnected."""

    __slots__ = ("_checked", "_deadline", "is_disconnected")

    def __init__(self, deadline: float, is_disconnected: Callable[[], Awaitable[bool]] | None = None) -> None:
        self._deadline = deadline
        self._checked = perf_counter()
        self.is_disconnected = is_disconnected

    @property
    def seconds_left(self) -> float:
        """Time until the deadline; negative when it has passed."""
        return self._deadline - perf_counter()

    async def check(self) -> None:
        """Return while the request is wanted.

        Raises:
            Problem: ``deadline``.
            ClientDisconnect: the client closed its connection.
        """
        now = perf_counter()
        if now >= self._deadline:
            raise deadline_exceeded()
        if now - self._checked > DISCONNECT_CHECK_SECONDS and self.is_disconnected is not None:
            self._checked = now
            if await self.is_disconnected():
                raise ClientDisconnect


def deadline_exceeded() -> Problem:
    """The error of an image that was not processed before its deadline."""
    return Problem("deadline", "Not answered in time, so the image was not processed. Try again in a moment.")
