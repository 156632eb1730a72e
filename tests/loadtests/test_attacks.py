"""The attack pictures are what they say they are, and a report judges failures, latency and memory."""

import io
import struct
from collections import Counter

import pytest
from PIL import Image

from loadtests.attacks.__main__ import main
from loadtests.attacks.attackers import ATTACKS
from loadtests.attacks.measurement import BODY_BUDGET_MB, OTHER_MB, Report
from loadtests.attacks.payloads import FIRST_DIRECTORY, TAGS, exif, noise, png_with_exif, progressive_jpeg


def test_the_exif_directory_has_every_tag_and_the_orientation_last() -> None:
    directory = exif()
    assert struct.unpack_from("<H", directory, FIRST_DIRECTORY) == (TAGS,)
    assert struct.unpack("<HHII", directory[-16:-4]) == (0x0112, 3, 1, 6)
    with Image.open(io.BytesIO(png_with_exif(tags=20))) as image:
        assert image.getexif()[0x0112] == 6


def test_the_progressive_jpeg_is_whole_and_small() -> None:
    data = progressive_jpeg(side=512, scans=64)
    assert data.count(b"\xff\xda") == 64
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert (image.size, image.mode, image.getextrema()) == ((512, 512), "L", (128, 128))
        assert image.info["progressive"]
    assert len(progressive_jpeg()) < 70_000


def test_the_noise_fills_what_the_default_limit_allows() -> None:
    assert len(noise()) > 400_000


@pytest.mark.parametrize(
    ("failed", "seconds", "most", "after", "passed"),
    [
        (2, 0.4, 400.0, 450.0, True),
        (3, 0.4, 400.0, 450.0, False),
        (0, 0.6, 400.0, 450.0, False),
        (0, 0.4, 401.0 + BODY_BUDGET_MB + OTHER_MB, 450.0, False),
        (0, 0.4, 500.0, 500.0, False),
    ],
)
def test_a_report_holds_failures_latency_and_memory_to_their_limits(
    failed: int, seconds: float, most: float, after: float, passed: bool
) -> None:
    endings = Counter({"right": 100 - failed, "429": failed})
    report = Report("bodies", 400.0, [0.01] * 98 + [seconds] * 2, endings, most, after)
    assert report.passed is passed
    assert report.line().endswith("| yes |" if passed else "| **no** |")


def test_a_report_without_requests_does_not_pass() -> None:
    assert not Report("bodies", 400.0).passed


def test_an_unknown_attack_is_named_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["floods"])
    error = capsys.readouterr().err
    assert "floods" in error
    assert all(name in error for name in ATTACKS)
