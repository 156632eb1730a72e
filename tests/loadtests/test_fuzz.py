"""Odd and broken pictures: made as they should be, judged rightly, and stood by a real service."""

import asyncio
import io
import warnings
from random import Random

import httpx
import pytest
from PIL import Image

from loadtests.fuzz.attack import Outcome, Shot, attack, shots
from loadtests.fuzz.corpus import odd_picture
from loadtests.fuzz.hostile import hostile
from loadtests.fuzz.mutation import PNG, checked, damaged

GOOD = Shot("/classify", {}, b"", "image/png", expected="7")
BAD = Shot("/classify", {}, b"", "image/png")
PROBLEM = {"content-type": "application/problem+json"}


def test_odd_pictures_are_valid_and_of_many_kinds() -> None:
    hand, kinds = Random(0), set()
    for _ in range(300):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's on broken profiles and metadata
            image = Image.open(io.BytesIO(odd_picture(hand)))
            image.load()
        kinds.add((image.format, image.mode))
    assert {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"} <= {mode for format, mode in kinds if format == "PNG"}
    assert {("JPEG", "CMYK"), ("JPEG", "L"), ("JPEG", "RGB"), ("WEBP", "RGB"), ("WEBP", "RGBA")} <= kinds


def test_checksums_are_made_right() -> None:
    picture = io.BytesIO()
    Image.new("L", (9, 9)).save(picture, "PNG")
    data = bytearray(picture.getvalue())
    data[19] ^= 1  # the width, and so a wrong checksum
    assert checked(bytes(data)) != bytes(data)
    assert Image.open(io.BytesIO(checked(bytes(data)))).size != (9, 9)
    assert checked(picture.getvalue()) == picture.getvalue()
    assert checked(b"\xff\xd8\xff") == b"\xff\xd8\xff"


def test_damage_changes_files_and_never_fails() -> None:
    hand = Random(1)
    picture = odd_picture(hand)
    changed = [damaged(picture, hand) for _ in range(300)]
    assert sum(one != picture for one in changed) > 250
    assert damaged(b"", hand) == b""
    assert any(one.startswith(PNG) for one in changed) or not picture.startswith(PNG)


@pytest.mark.parametrize(
    ("shot", "status", "headers", "faults", "wrong"),
    [
        (BAD, 422, PROBLEM, 0, 0),
        (BAD, 422, {}, 1, 0),
        (BAD, 500, PROBLEM, 1, 0),
        (BAD, 502, {}, 1, 0),
        (GOOD, 200, {}, 0, 0),
        (GOOD, 422, PROBLEM, 0, 1),
    ],
)
def test_answers_are_judged(shot: Shot, status: int, headers: dict[str, str], faults: int, wrong: int) -> None:
    outcome = Outcome()
    outcome.add(shot, httpx.Response(status, headers=headers, json={"label": "7"} if not headers else None), 0.1)
    assert (len(outcome.faults), outcome.wrong) == (faults, wrong)
    outcome.add(GOOD, httpx.Response(200, json={"label": "1"}), 0.1)
    assert outcome.wrong == wrong + 1


def test_the_same_seed_sends_the_same_requests() -> None:
    first, again = list(shots(60, 5)), list(shots(60, 5))
    assert first == again != list(shots(60, 6))
    assert {shot.path for shot in shots(400, 5)} == {"/classify", "/classify/batch", "/explain"}


@pytest.mark.served
def test_a_service_stands_it(service_address: str) -> None:
    outcome = Outcome()
    made = [
        Shot("/classify", {"model": model}, data, "image/png") for data in hostile().values() for model in ("digits", "fashion")
    ]
    asyncio.run(attack(service_address, [*made, *shots(600, 9)], outcome))
    assert outcome.faults == []
    assert outcome.wrong == 0
    assert outcome.statuses.total() == len(made) + 600
    assert len(outcome.statuses) > 4
