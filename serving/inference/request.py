"""A request to a model, and whether its result is still wanted."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final

from starlette.requests import ClientDisconnect

from serving.errors import Problem
from serving.schemas import Options

EncodedBytes = bytes | memoryview

# A client is not asked more often than this whether it is still connected.
DISCONNECT_CHECK_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """Encoded images and how to classify them.

    A memoryview is a slice of the request's body, which stays in memory as long as any slice does. ``started`` is the
    ``perf_counter`` time at which the request began; ``fields`` holds every other field that was sent.
    """

    images: list[EncodedBytes]
    options: Options
    started: float
    is_disconnected: Callable[[], Awaitable[bool]]
    fields: Mapping[str, Any] = field(default_factory=dict)


class CancellationToken:
    """Tells whether the work for a request is still wanted: until ``deadline`` (``perf_counter``), or its client hangs up."""

    __slots__ = ("_asked", "_deadline", "_is_disconnected")

    def __init__(self, deadline: float, is_disconnected: Callable[[], Awaitable[bool]] | None = None) -> None:
        self._deadline = deadline
        self._is_disconnected = is_disconnected
        self._asked = perf_counter()

    @property
    def seconds_left(self) -> float:
        """Time until the deadline; less than nothing when it has passed."""
        return self._deadline - perf_counter()

    async def check(self) -> None:
        """Return while the work is wanted; whether the client is there is asked ten times a second at the most.

        Raises:
            Problem: ``deadline``.
            ClientDisconnect: the client went away.
        """
        now = perf_counter()
        if now >= self._deadline:
            raise deadline_exceeded()
        if now - self._asked > DISCONNECT_CHECK_SECONDS and self._is_disconnected is not None:
            self._asked = now
            if await self._is_disconnected():
                raise ClientDisconnect


def deadline_exceeded() -> Problem:
    """The problem of a request that was not answered before its deadline."""
    return Problem("deadline", "Not answered in time; the image is not read any more. Try again in a moment.")
