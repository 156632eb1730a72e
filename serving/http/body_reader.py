"""Reads request bodies within limits on their size, on the time they take, and on the bytes that the service holds in all."""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Final, NamedTuple

from starlette.requests import ClientDisconnect, Request
from starlette.types import Scope

from serving.backpressure.body_budget import FULL, STEP, Body, BodyBudget
from serving.errors import Problem
from serving.settings import SMALL_BODY

# Bodies without a Content-Length cannot be refused before they are read. A worker reads this many steps of them at once, and
# then one per interval, 50 MB/s in all, so that many of them, sent and refused again and again, leave time for other requests.
STEPS_AT_ONCE: Final = 64
STEP_SECONDS: Final = 0.02
TOO_MANY: Final = "Too many request bodies are arriving, and this one was the oldest. Send it again."


class BodyHeaders(NamedTuple):
    """The headers of a request about its body; ``size`` is None for a chunked body."""

    content_type: bytes
    size: int | None

    @classmethod
    def of(cls, scope: Scope) -> "BodyHeaders":
        """From the headers of a request; without any the body is empty."""
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
    """Reads the request bodies of this worker, each within ``seconds``, and can abort those that are still arriving."""

    def __init__(self, budget: BodyBudget, seconds: float) -> None:
        self.budget = budget
        self._seconds = seconds
        # A function that aborts each arriving body, the oldest first.
        self._small: dict[Callable[[Problem], None], None] = {}
        self._large: dict[Callable[[Problem], None], None] = {}
        # Loop time at which a body without a Content-Length may grow again; the loop's clock may have begun a moment ago.
        self._next_step = -inf

    async def read(
        self, request: Request, headers: BodyHeaders, limit: int, too_large: Callable[[int, int, bool], Problem]
    ) -> bytes | Body:
        """The body of a request, of at most ``limit`` bytes; a large one is counted in the budget until it is freed.

        ``too_large`` makes the error from its size, the limit, and whether more bytes were to come.

        Raises:
            Problem: ``slow_body``, ``overloaded``, that of ``too_large``.
            ClientDisconnect: the connection closed before the body was complete.
        """
        limit = min(limit, self.budget.largest)
        announced = headers.size or 0
        if announced > limit:
            raise too_large(announced, limit, False)
        body = self.budget.allocate(announced) if announced > SMALL_BODY else bytearray()
        task, refusal = asyncio.current_task(), None

        def abort_body(problem: Problem | None = None) -> None:
            nonlocal refusal
            refusal = problem or Problem("slow_body", f"The body did not arrive within {self._seconds:g} s.")
            assert task is not None
            task.cancel()

        timer = asyncio.get_running_loop().call_later(self._seconds, abort_body)
        if isinstance(body, Body):
            self._large[abort_body] = None
        else:
            self._make_room()
            self._small[abort_body] = None
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
                    return chunk  # the usual case: a drawing that arrived in one piece
                if size > (body.reserved if isinstance(body, Body) else SMALL_BODY):
                    larger = body if isinstance(body, Body) else Body(self.budget)
                    fits = larger.try_reserve(min(limit, -(-size // STEP) * STEP))
                    if fits and larger is not body:
                        larger += body
                        self._large[abort_body] = self._small.pop(abort_body, None)
                    body = larger
                    await self._wait_for_step()  # refused bodies wait too, because most of their clients retry immediately
                    if not fits:
                        raise Problem("overloaded", FULL)
                body += chunk
                if not more:
                    return body if isinstance(body, Body) else bytes(body)
        except asyncio.CancelledError as error:
            if refusal is None:
                raise
            if task is not None and hasattr(task, "uncancel"):  # Python 3.11 and later count cancellations
                task.uncancel()
            # The error and this frame reference each other, which would keep the bytes until a garbage collection.
            body = larger = Body(self.budget)
            raise refusal from error
        finally:
            timer.cancel()
            self._small.pop(abort_body, None)
            self._large.pop(abort_body, None)

    def abort(self) -> None:
        """Abort all bodies that have not arrived in full, because the worker shuts down."""
        for abort_body in [*self._small, *self._large]:
            abort_body(Problem("unavailable", "The service is shutting down. Send it again."))

    async def _wait_for_step(self) -> None:
        """Wait until a body without a Content-Length may grow by a step."""
        now = asyncio.get_running_loop().time()
        self._next_step = max(self._next_step, now - STEPS_AT_ONCE * STEP_SECONDS) + STEP_SECONDS
        if self._next_step > now:
            await asyncio.sleep(self._next_step - now)

    def _make_room(self) -> None:
        """Make room for another small body: abort the oldest where there are too many."""
        while len(self._small) >= self.budget.max_small:
            oldest = next(iter(self._small))
            del self._small[oldest]
            oldest(Problem("overloaded", TOO_MANY))
