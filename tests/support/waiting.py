"""Wait for a condition, never for a time."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

LOOK_SECONDS: Final = 0.02
# A look may start a process or ask a service, so that the looks of a long wait are further apart, as a share of it.
SHARE_BETWEEN_LOOKS: Final = 0.05
MAX_BETWEEN_LOOKS: Final = 0.2


def until(condition: Callable[[], object], seconds: float = 60.0, *, steadily: bool = False) -> None:
    """Return once ``condition()`` is true; fail when it is not within ``seconds``.

    ``steadily`` looks as often all the time: for what is true for moments alone, and where a look is what brings it about.
    """
    begin = time.monotonic()
    while not condition():
        waited = time.monotonic() - begin
        assert waited < seconds, "it never became true"
        time.sleep(LOOK_SECONDS if steadily else min(max(LOOK_SECONDS, waited * SHARE_BETWEEN_LOOKS), MAX_BETWEEN_LOOKS))


async def until_in_loop(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """As ``until``, while the event loop goes on."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it never became true"
        await asyncio.sleep(0.001)
