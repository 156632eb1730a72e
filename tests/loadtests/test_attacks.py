"""The attack images have the properties they claim, and a report checks failures, latency and memory."""

import io
import struct
from contextlib import closing, suppress

import gevent
import pytest
from gevent import socket
from PIL import Image

from loadtests.attacks.__main__ import BODY_BUDGET_MB, OTHER_MB, AttackReport, main
from loadtests.attacks.attacks import ATTACKS, HALF_HEADS
from loadtests.attacks.payloads import FIRST_DIRECTORY, TAGS, noise, png_with_exif, progressive_jpeg
from loadtests.fuzz.png import split_chunks
from loadtests.generator.client import ServiceClient
from loadtests.generator.recorder import Recorder
from loadtests.requests import Request, Response
from tests.support.raw_service import OK, raw_service


def test_exif_directory_has_every_tag_and_the_orientation_last() -> None:
    directory = dict(split_chunks(png_with_exif()))[b"eXIf"]
    assert struct.unpack_from("<H", directory, FIRST_DIRECTORY) == (TAGS,)
    assert struct.unpack("<HHII", directory[-16:-4]) == (0x0112, 3, 1, 6)
    with Image.open(io.BytesIO(png_with_exif(tags=20))) as image:
        assert image.getexif()[0x0112] == 6


def test_progressive_jpeg_is_valid_and_small() -> None:
    data = progressive_jpeg(side=512, scans=64)
    assert data.count(b"\xff\xda") == 64
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert (image.size, image.mode, image.getextrema()) == ((512, 512), "L", (128, 128))
        assert image.info["progressive"]
    assert len(progressive_jpeg()) < 70_000


def test_noise_is_a_large_file() -> None:
    assert len(noise()) > 400_000


@pytest.mark.parametrize(
    ("failed", "seconds", "most", "after", "passed"),
    [
        (2, 0.4, 400.0, 450.0, True),
        (3, 0.4, 400.0, 450.0, False),
        (0, 0.6, 400.0, 450.0, False),
        (2, 0.6, 400.0, 450.0, False),
        (0, 0.4, 401.0 + BODY_BUDGET_MB + OTHER_MB, 450.0, False),
        (0, 0.4, 500.0, 500.0, False),
    ],
)
def test_report_fails_when_failures_latency_or_memory_exceed_limits(
    failed: int, seconds: float, most: float, after: float, passed: bool
) -> None:
    recorder, request = Recorder(), Request("canvas")
    for number in range(100):
        recorder.add(request, Response(429 if number >= 100 - failed else 200, seconds if number >= 98 else 0.01))
    report = AttackReport("bodies", 400.0, recorder, most, after)
    assert report.passed is passed
    assert report.text().startswith(f"| bodies | 100 | {f'{failed:.1f}% ({failed} 429)' if failed else 'none'} |")
    assert report.text().endswith("| yes |" if passed else "| **no** |")


def test_report_without_requests_fails() -> None:
    assert not AttackReport("bodies", 400.0).passed


REPEATED = ("exif", "nested-exif", "profiles", "exif-batches", "scan-batches")
CONNECTIONS = dict.fromkeys(ATTACKS, 1) | {"half-heads": HALF_HEADS}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_ends_when_the_service_closes_its_connections(name: str) -> None:
    received: list[bytes] = []

    def answer_twice_and_close(connection: socket.socket) -> None:
        received.append(connection.recv(20))
        for _ in range(2 if name in REPEATED and len(received) == 1 else 0):
            end = b""
            while not end.endswith(b"boundary--\r\n"):
                end = (end + connection.recv(1_000_000))[-100:]
            connection.sendall(OK)

    service = raw_service(answer_twice_and_close)
    with service as address, closing(ServiceClient(address, 1)) as client, gevent.Timeout(20), suppress(OSError):
        ATTACKS[name](client)
    assert len(received) >= CONNECTIONS[name]
    assert {one[:5] for one in received} <= {b"POST ", b"GET /"}


def test_unknown_attack_is_reported_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["floods"])
    error = capsys.readouterr().err
    assert "floods" in error
    assert all(name in error for name in ATTACKS)
