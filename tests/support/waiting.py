"""Wait for a condition, never for a time."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

LOOK_SECONDS: Final = 0.02


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Return once ``condition()`` is true; fail when it is not within ``seconds``."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it never became true"
        time.sleep(LOOK_SECONDS)


async def until_in_loop(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """As ``until``, while the event loop goes on."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it never became true"
        await asyncio.sleep(0.001)
