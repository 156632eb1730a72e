"""Reads request bodies while the limits hold: on their size, on the time they take, and on what the service holds in all."""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from starlette.requests import ClientDisconnect, Request
from starlette.types import Scope

from serving.backpressure.body_budget import STEP, Body, BodyBudget
from serving.errors import Problem
from serving.settings import SMALL_BODY

# Bodies without a length cannot be refused before they are read. A worker reads this many steps of them at once, and after that
# one in so many seconds: 50 MB/s for all of them, so that many that are sent and refused again and again leave time for others.
STEPS_AT_ONCE: Final = 64
STEP_SECONDS: Final = 0.02
CROWDED: Final = "The service waits for as many bodies as it may, and this one was the longest on its way. Send it again."


class BodyHeaders(NamedTuple):
    """What a request says of its body; ``size`` is None for one in chunks."""

    content_type: bytes
    size: int | None

    @classmethod
    def of(cls, scope: Scope) -> "BodyHeaders":
        """Read them from the headers of a request; without any there is no body."""
        content_type, size = b"", 0
        chunked = False
        for name, value in scope["headers"]:
            if name == b"content-type":
                content_type = content_type or value
            elif name == b"content-length":
                size = int(value) if value.isdigit() else 0
            elif name == b"transfer-encoding":
                chunked = True
        return cls(content_type, None if chunked else size)


class BodyReader:
    """Reads bodies of this worker, each within ``seconds``, and gives up those that are still on their way when it must."""

    def __init__(self, budget: BodyBudget, seconds: float) -> None:
        self.budget = budget
        self._seconds = seconds
        # How to give up each body that is arriving, the longest on its way first.
        self._small: dict[Callable[[Problem], None], None] = {}
        self._large: dict[Callable[[Problem], None], None] = {}
        self._next_step = 0.0  # when the loop's clock lets a body without a length grow again

    async def read(
        self, request: Request, headers: BodyHeaders, limit: int, too_large: Callable[[int, int, bool], Problem]
    ) -> bytes | Body:
        """The body of a request, of at most ``limit`` bytes: counted in the budget while anybody holds it if it is large.

        ``too_large`` makes the refusal of its size, the limit, and whether more than that size was to come.

        Raises:
            Problem: ``slow_body``, ``overloaded``, what ``too_large`` makes.
            ClientDisconnect: the connection closed before the body was complete.
        """
        limit = min(limit, self.budget.largest)
        announced = headers.size or 0
        if announced > limit:
            raise too_large(announced, limit, False)
        body = self.budget.hold(announced) if announced > SMALL_BODY else bytearray()
        task, refusal = asyncio.current_task(), None

        def give_up(problem: Problem) -> None:
            nonlocal refusal
            refusal = problem
            assert task is not None
            task.cancel()

        late = Problem("slow_body", f"The body did not arrive within {self._seconds:g} s.")
        timer = asyncio.get_running_loop().call_later(self._seconds, give_up, late)
        if isinstance(body, Body):
            self._large[give_up] = None
        else:
            self._make_room()
            self._small[give_up] = None
        try:
            while True:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunk: bytes = message.get("body", b"")
                more: bool = message.get("more_body", False)
                size = len(body) + len(chunk)
                if size > limit:
                    raise too_large(size, limit, True)
                if not more and size == len(chunk) and size <= SMALL_BODY:
                    return chunk  # the usual case: all of a drawing is there
                if size > (body.room if isinstance(body, Body) else SMALL_BODY):
                    await self._wait_for_step()
                    room = min(limit, -(-size // STEP) * STEP)
                    if isinstance(body, Body):
                        body.reserve(room)
                    else:
                        small, body = body, self.budget.hold(room)
                        body += small
                        self._large[give_up] = self._small.pop(give_up, None)
                body += chunk
                if not more:
                    return body if isinstance(body, Body) else bytes(body)
        except asyncio.CancelledError as error:
            if refusal is None:
                raise
            if task is not None and hasattr(task, "uncancel"):  # Python 3.11 and later count cancellations
                task.uncancel()
            del body  # the refusal and this frame hold each other: the bytes would stay until the next garbage collection
            raise refusal from error
        finally:
            timer.cancel()
            self._small.pop(give_up, None)
            self._large.pop(give_up, None)

    def abort(self) -> None:
        """Refuse the requests whose bodies have not arrived yet: the worker ends."""
        for give_up in [*self._small, *self._large]:
            give_up(Problem("unavailable", "The service is ending. Send it again."))

    async def _wait_for_step(self) -> None:
        """Wait until a body without a length may grow by a step."""
        now = asyncio.get_running_loop().time()
        self._next_step = max(self._next_step, now - STEPS_AT_ONCE * STEP_SECONDS) + STEP_SECONDS
        if self._next_step > now:
            await asyncio.sleep(self._next_step - now)

    def _make_room(self) -> None:
        """Let another small body in: in the place of the one that has been longest on its way where there are too many."""
        while len(self._small) >= self.budget.max_small:
            oldest = next(iter(self._small))
            del self._small[oldest]
            oldest(Problem("overloaded", CROWDED))
