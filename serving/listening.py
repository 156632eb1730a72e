"""How fast a worker takes new connections.

uvloop, as libuv does since version 1.46, accepts one connection of a listening socket in a turn of the event loop. A turn under
load takes ten milliseconds or more: a hundred people who come at once would wait a second before anybody hears them.
"""

import asyncio
from functools import cache
from socket import socket
from typing import Any, Final

import uvicorn

PER_TURN: Final = 8


@cache  # once is enough, and twice would be sixty-four
def accept_many() -> None:
    """Have uvicorn listen on each of its sockets several times over, so that as many connections are accepted in a turn."""
    start = uvicorn.Server.startup

    async def start_many(self: uvicorn.Server, sockets: list[socket] | None = None) -> Any:
        more = [one.dup() for one in sockets or [] for _ in range(PER_TURN - 1)] if _one_in_a_turn() else []
        return await start(self, sockets=[*(sockets or []), *more] or None)

    uvicorn.Server.startup = start_many  # type: ignore[method-assign]


def _one_in_a_turn() -> bool:
    """Whether the running event loop is uvloop's; asyncio's own accepts all who wait."""
    return type(asyncio.get_running_loop()).__module__.partition(".")[0] == "uvloop"
