"""The attacks by name: each opens connections to a service and holds or floods them until it is cancelled."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from typing import Final
from urllib.parse import urlsplit

import uvloop

from loadtests.attacks.payloads import noise, png_with_exif, png_with_profiles, progressive_jpeg
from loadtests.bench.pictures import CONTENT_TYPE, form
from loadtests.lines import wire

ANNOUNCED: Final = 63 * 2**20
SENT: Final = 60_000_000
PIECE: Final = 65_536
HALF_HEAD: Final = b"POST /classify HTTP/1.1\r\nHost: here\r\nX-Padding: "
BATCH_IMAGES: Final = 256
EXPORTED: Final = 24
# A server that hangs up is called again after so long; one that answers at once is asked again at once.
AGAIN_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Service:
    """Where the service under attack listens, on loopback."""

    address: str

    @property
    def host(self) -> str:
        """The Host header."""
        return urlsplit(self.address).netloc

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection."""
        parts = urlsplit(self.address)
        return await asyncio.open_connection(parts.hostname, parts.port)


Attacker = Callable[[Service], Awaitable[None]]
"""One connection after another of an attack; it returns when the service ends a connection, and is then called again."""


async def flood(service: Service, head: bytes, piece: bytes, size: int) -> None:
    """Send a head and ``size`` bytes in all of a piece that is repeated, as fast as they are taken; then wait for an answer."""
    reader, writer = await service.connect()
    answer = asyncio.ensure_future(reader.read(1))
    answer.add_done_callback(lambda task: task.cancelled() or task.exception())  # retrieved, though the sending fails first
    try:
        writer.write(head)
        for _ in range(size // len(piece)):
            writer.write(piece)
            await writer.drain()
            if answer.done():
                break
        await answer
    finally:
        answer.cancel()
        writer.close()


async def unfinished_batch(service: Service) -> None:
    """A batch of 63 MiB of which 60 MB arrive."""
    await flood(service, wire(service.host, "POST", "/classify/batch", b"", CONTENT_TYPE, ANNOUNCED), bytes(PIECE), SENT)


async def unfinished_gallery(service: Service) -> None:
    """A picture for the gallery that announces 9 MiB and never ends."""
    size = 9 * 2**20
    await flood(service, wire(service.host, "POST", "/gallery", b"", "image/png", size), bytes(PIECE), size - PIECE)


async def unfinished_chunks(service: Service) -> None:
    """A batch without a length that never ends."""
    head = f"POST /classify/batch HTTP/1.1\r\nHost: {service.host}\r\nContent-Type: {CONTENT_TYPE}\r\n"
    piece = f"{PIECE:x}\r\n".encode() + bytes(PIECE) + b"\r\n"
    await flood(service, head.encode() + b"Transfer-Encoding: chunked\r\n\r\n", piece, SENT)


async def headers(service: Service) -> None:
    """One header of 60 MB."""
    await flood(service, HALF_HEAD, b"x" * PIECE, SENT)


async def half_heads(service: Service) -> None:
    """500 connections with half a head each, held until the service ends them."""
    held = await asyncio.gather(*(service.connect() for _ in range(500)), return_exceptions=True)
    connections = [one for one in held if not isinstance(one, BaseException)]
    try:
        for _, writer in connections:
            writer.write(HALF_HEAD)
        await asyncio.gather(*(reader.read(1) for reader, _ in connections), return_exceptions=True)
    finally:
        for _, writer in connections:
            writer.close()


def repeated(make: Callable[[Service], bytes]) -> Attacker:
    """An attacker that sends the same request again as soon as it is answered."""

    async def attack(service: Service) -> None:
        request = make(service)
        reader, writer = await service.connect()
        try:
            while True:
                writer.write(request)
                await writer.drain()
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0))
                if b"connection: close" in head:
                    return
        finally:
            writer.close()

    return attack


def picture(data: bytes) -> Callable[[Service], bytes]:
    """A request that posts one picture to /classify."""
    return lambda service: wire(service.host, "POST", "/classify", form([data]), CONTENT_TYPE)


def batch(data: bytes, images: int = BATCH_IMAGES) -> Callable[[Service], bytes]:
    """A request that posts the same picture many times to /classify/batch."""
    return lambda service: wire(service.host, "POST", "/classify/batch", form([data] * images, "images"), CONTENT_TYPE)


async def unread_export(service: Service) -> None:
    """The gallery's export, asked for and not read."""
    reader, writer = await service.connect()
    try:
        reader._limit = 1  # type: ignore[attr-defined]  # asyncio's reader takes no more than this from the socket
        writer.write(f"GET /gallery/export HTTP/1.1\r\nHost: {service.host}\r\n\r\n".encode())
        while not writer.transport.is_closing():
            await asyncio.sleep(AGAIN_SECONDS)
    finally:
        writer.transport.abort()


async def fill_gallery(service: Service) -> None:
    """Keep large pictures for the export."""
    data = noise()
    reader, writer = await service.connect()
    for _ in range(EXPORTED):
        writer.write(wire(service.host, "POST", "/gallery", form([data]), CONTENT_TYPE))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        if b" 201 " not in head.partition(b"\r\n")[0]:
            raise RuntimeError(f"A picture was not kept: {head!r}. The export cannot be attacked.")
    writer.close()


@dataclass(frozen=True, slots=True)
class Attack:
    """What is sent over each connection, and what has to be there before."""

    attacker: Attacker
    prepare: Attacker | None = None


ATTACKS: Final = {
    "bodies": Attack(unfinished_batch),
    "chunked-bodies": Attack(unfinished_chunks),
    "gallery-bodies": Attack(unfinished_gallery),
    "exif": Attack(repeated(picture(png_with_exif()))),
    "nested-exif": Attack(repeated(picture(png_with_exif(nested=True)))),
    "profiles": Attack(repeated(picture(png_with_profiles()))),
    "exif-batches": Attack(repeated(batch(png_with_exif(tags=3000)))),
    "scan-batches": Attack(repeated(batch(progressive_jpeg()))),
    "headers": Attack(headers),
    "half-heads": Attack(half_heads),
    "exports": Attack(unread_export, fill_gallery),
}


async def keep_attacking(attack: Attack, address: str, connections: int) -> None:
    """Attack over so many connections until cancelled; a connection that ends is replaced."""
    service = Service(address)

    async def forever() -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                await attack.attacker(service)
            await asyncio.sleep(AGAIN_SECONDS)

    await asyncio.gather(*(forever() for _ in range(connections)))


def attack(name: str, address: str, connections: int, begun: Event) -> None:
    """Attack from a process of its own, so that it does not delay the measurement, until it is killed."""
    begun.set()
    with suppress(KeyboardInterrupt):
        uvloop.run(keep_attacking(ATTACKS[name], address, connections))
