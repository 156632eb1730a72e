"""The attacks by name: each opens connections to a service and holds or floods them until it is cancelled."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf
from multiprocessing.synchronize import Event
from typing import Final

import uvloop

from loadtests.attacks.payloads import noise, png_with_exif, png_with_profiles, progressive_jpeg
from loadtests.http_client import ConnectionPool
from loadtests.requests import BROKEN, FORM_TYPE, Request, form_request

# Announced sizes of bodies, and how much is sent.
BATCH_BODY: Final = 63 * 2**20
GALLERY_BODY: Final = 9 * 2**20
SENT: Final = 60_000_000
PIECE: Final = 65_536
HALF_HEAD: Final = b"POST /classify HTTP/1.1\r\nHost: here\r\nX-Padding: "
CHUNKED_HEAD: Final = (
    b"POST /classify/batch HTTP/1.1\r\nHost: %b\r\nContent-Type: "
    + FORM_TYPE.encode()
    + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
)
HALF_HEADS: Final = 500
BATCH_IMAGES: Final = 256
EXPORTED: Final = 24
# Pause before a connection that the server closed is opened again.
RECONNECT_SECONDS: Final = 0.02


Attacker = Callable[[ConnectionPool], Awaitable[None]]
"""Attacks over one connection; returns when the service closes it, and is then called again with a new pool of one."""


def flood(make_head: Callable[[str], bytes], piece: bytes = bytes(PIECE), size: int = SENT) -> Attacker:
    """Make an attacker that sends a head, given the host, and ``size`` bytes of a repeated piece as fast as they are read."""

    async def attack(pool: ConnectionPool) -> None:
        reader, writer = await asyncio.open_connection(*pool.endpoint)
        response = asyncio.ensure_future(reader.read(1))
        response.add_done_callback(lambda task: task.cancelled() or task.exception())  # retrieved if sending fails first
        try:
            writer.write(make_head(pool.host))
            for _ in range(size // len(piece)):
                writer.write(piece)
                await writer.drain()
                if response.done():
                    break
            await response
        finally:
            response.cancel()
            writer.close()

    return attack


async def half_heads(pool: ConnectionPool) -> None:
    """Hold 500 connections with half a head each until the service closes them."""
    hold = flood(lambda _host: HALF_HEAD, size=0)
    await asyncio.gather(*(hold(pool) for _ in range(HALF_HEADS)), return_exceptions=True)


def repeat(path: str, images: list[bytes], field: str = "image") -> Attacker:
    """Make an attacker that posts the same form again as soon as it is answered."""
    request = form_request(path, images, path, field)

    async def attack(pool: ConnectionPool) -> None:
        while (await pool.send(request)).status != BROKEN and pool.open_connections:
            pass

    return attack


async def unread_export(pool: ConnectionPool) -> None:
    """Request the gallery's export and do not read it."""
    reader, writer = await asyncio.open_connection(*pool.endpoint)
    try:
        reader._limit = 1  # type: ignore[attr-defined]  # asyncio's reader takes no more than this from the socket
        writer.write(Request("export", "/gallery/export", method="GET").encode(pool.host))
        while not writer.transport.is_closing():
            await asyncio.sleep(RECONNECT_SECONDS)
    finally:
        writer.transport.abort()


async def fill_gallery(pool: ConnectionPool) -> None:
    """Save large images for the export.

    Raises:
        RuntimeError: one was not saved.
    """
    request = form_request("save", [noise()], "/gallery")
    for _ in range(EXPORTED):
        if (response := await pool.send(request)).status != 201:
            raise RuntimeError(f"An image was not saved: {response.body!r}. The export cannot be attacked.")


ATTACKS: Final[dict[str, Attacker]] = {
    "bodies": flood(Request("body", "/classify/batch", content_type=FORM_TYPE, content_length=BATCH_BODY).encode),
    "chunked-bodies": flood(lambda host: CHUNKED_HEAD % host.encode(), f"{PIECE:x}\r\n".encode() + bytes(PIECE) + b"\r\n"),
    "gallery-bodies": flood(
        Request("body", "/gallery", content_type="image/png", content_length=GALLERY_BODY).encode, size=GALLERY_BODY - PIECE
    ),
    "exif": repeat("/classify", [png_with_exif()]),
    "nested-exif": repeat("/classify", [png_with_exif(nested=True)]),
    "profiles": repeat("/classify", [png_with_profiles()]),
    "exif-batches": repeat("/classify/batch", [png_with_exif(tags=3000)] * BATCH_IMAGES, "images"),
    "scan-batches": repeat("/classify/batch", [progressive_jpeg()] * BATCH_IMAGES, "images"),
    "headers": flood(lambda _host: HALF_HEAD, b"x" * PIECE),
    "half-heads": half_heads,
    "exports": unread_export,
}
# What is sent once before an attack.
PREPARATIONS: Final = {"exports": fill_gallery}


async def keep_attacking(attack: Attacker, address: str, connections: int) -> None:
    """Attack over so many connections until cancelled; a connection that ends is replaced."""

    async def forever() -> None:
        while True:
            pool = ConnectionPool(address, 1, timeout=inf)
            with suppress(OSError, asyncio.IncompleteReadError):
                await attack(pool)
            pool.close()
            await asyncio.sleep(RECONNECT_SECONDS)

    await asyncio.gather(*(forever() for _ in range(connections)))


def run_attack(name: str, address: str, connections: int, started: Event) -> None:
    """Attack until killed; runs in a process of its own, so that it does not delay the measurement."""
    started.set()
    with suppress(KeyboardInterrupt):
        uvloop.run(keep_attacking(ATTACKS[name], address, connections))
