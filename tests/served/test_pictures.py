"""Formats, metadata and large pictures, asked of a real `bentoml serve` process."""

import asyncio
import base64
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from loadtests.fuzz.formats import jpeg_with, segment
from loadtests.fuzz.png import chunk, png_with
from loadtests.requests import form_request
from tests.preprocessing.files import exif
from tests.support.metrics import Counted
from tests.support.pictures import WHITE, digit, encoded
from tests.support.processes import processes_of
from tests.support.waiting import until

pytestmark = pytest.mark.served

SEVEN = encoded(digit("7"))
PHOTO = digit("7", paper=WHITE).convert("RGB")
TAGS = struct.pack(">HHII", 0x0112, 3, 1, 1 << 16) + b"".join(struct.pack(">HHII", tag, 7, 65_535, 8) for tag in range(65_534))
BOMB = png_with(encoded(digit("7").resize((64, 64))), [chunk(b"eXIf", b"MM\0*\0\0\0\x08\xff\xff" + TAGS + bytes(4))])
PREPARED = "stage_duration_seconds_count{preprocess}"


@pytest.fixture(scope="module")
def client(service_address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service_address, timeout=30) as client:
        yield client


@pytest.mark.parametrize("format", ["BMP", "GIF"])
def test_bitmaps_and_gifs_are_read(client: httpx.Client, format: str) -> None:
    data = encoded(PHOTO, format)
    for path in ("/classify", "/explain"):
        answer = client.post(path, content=data, headers={"Content-Type": f"image/{format.lower()}"})
        assert (answer.status_code, answer.json()["label"]) == (200, "7")
    animation = encoded(PHOTO, "GIF", save_all=True, append_images=[PHOTO.rotate(90)] * 3)
    entries = client.post("/classify/batch", files=[("images", data), ("images", animation), ("images", data[:99])]).json()
    assert [entry.get("label", entry.get("code")) for entry in entries] == ["7", "7", "undecodable"]


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "Set the iPhone camera to Most Compatible"),
        (b"data:image/png;base64," + base64.b64encode(SEVEN), "a data: URL"),
        (b"http://127.0.0.1:1/7.png", "Addresses are never fetched"),
        (b"%PDF-1.7", "a PDF document"),
    ],
)
def test_what_is_not_read_is_named_with_what_to_do(client: httpx.Client, data: bytes, advice: str) -> None:
    answer = client.post("/classify", content=data, headers={"Content-Type": "image/png"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media")
    assert advice in answer.json()["detail"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_upright(client: httpx.Client, orientation: int) -> None:
    turns = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90", 7: "TRANSVERSE"}
    turns |= {8: "ROTATE_270"}
    stored = PHOTO.transpose(Image.Transpose[turns[orientation]]) if orientation > 1 else PHOTO
    data = jpeg_with(encoded(stored, "JPEG"), segment(0xE1, b"Exif\0\0" + exif(orientation)))
    assert client.post("/classify", content=data).json()["label"] == "7"


def cpu_seconds(address: str, data: bytes) -> float:
    """The CPU time that the service spends on 100 requests with an image."""
    processes = processes_of(address)

    def spent() -> float:
        return float(sum(times.user + times.system for times in (process.cpu_times() for process in processes)))

    before = spent()
    with httpx.Client(base_url=address, timeout=60) as client:
        for _ in range(100):
            assert client.post("/classify", content=data).json()["label"] == "7"
    return spent() - before


def test_tags_of_exif_cost_little(service_address: str) -> None:
    """Pillow takes a thousand times as long for them."""
    assert cpu_seconds(service_address, BOMB) < 30 * cpu_seconds(service_address, SEVEN)


def test_tags_of_exif_hold_nobody_up_and_leave_no_line_in_the_log(service_address: str, model_store: Path) -> None:
    log = model_store / f"service-{urlsplit(service_address).port}.log"
    before = log.stat().st_size
    assert asyncio.run(_answered_beside(service_address, BOMB)) == {"7"}
    written = log.read_bytes()[before:]
    assert b"PIL" not in written and b"EXIF" not in written and b"warn" not in written


async def _answered_beside(address: str, bomb: bytes) -> set[str]:
    """What 100 requests are answered, one after the other, while six connections send ``bomb`` all the time."""
    async with (
        httpx.AsyncClient(base_url=address, timeout=60) as ordinary,
        httpx.AsyncClient(base_url=address, timeout=60) as other,
    ):

        async def attack() -> None:
            while True:
                assert (await other.post("/classify", content=bomb)).status_code in (200, 429)

        attackers = [asyncio.ensure_future(attack()) for _ in range(6)]
        try:
            return {(await ordinary.post("/classify", content=SEVEN)).json()["label"] for _ in range(100)}
        finally:
            for one in attackers:
                one.cancel()
            ended = await asyncio.gather(*attackers, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in ended)


def test_a_batch_whose_client_hung_up_is_not_prepared_to_its_end(service_address: str) -> None:
    large = encoded(PHOTO.convert("L").resize((3600, 3600)), "JPEG", progressive=True)
    counted = Counted(service_address)
    parts = urlsplit(service_address)
    with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 80), timeout=30) as connection:
        connection.sendall(form_request("batch", [large] * 256, "/classify/batch", "images").encode(parts.netloc))
        until(lambda: counted(PREPARED) >= 2, 30)
    begun = counted(PREPARED)
    settled = [begun, begun + 1]

    def level() -> bool:
        settled.append(counted(PREPARED))
        time.sleep(0.5)  # several times what a picture takes
        return settled[-1] == counted(PREPARED)

    until(level, 30)
    assert settled[-1] < 40
    assert httpx.post(f"{service_address}/classify", content=SEVEN, timeout=60).json()["label"] == "7"
