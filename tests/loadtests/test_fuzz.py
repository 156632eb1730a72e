"""Odd and broken pictures: made as they should be, judged rightly, and stood by a real service."""

import asyncio
import io
import warnings
from collections.abc import Mapping
from random import Random

import httpx
import numpy as np
import pytest
from PIL import Image

from loadtests.fuzz.__main__ import Verdict
from loadtests.fuzz.attack import Outcome, Shot, attack, fault_of, shots
from loadtests.fuzz.corpus import odd_picture
from loadtests.fuzz.hostile import hostile
from loadtests.fuzz.mutation import PNG, checked, damaged
from loadtests.fuzz.rare_pngs import GREY, raw_png
from loadtests.fuzz.rarities import rarities
from loadtests.fuzz.sevens import LABEL
from loadtests.lines import BROKEN, Answer, is_problem
from tests.support.processes import free_port

GOOD = Shot("/classify", {}, b"", "image/png", expected="7")
BAD = Shot("/classify", {}, b"", "image/png")
PROBLEM = {"content-type": "application/problem+json"}
LATER = {"retry-after": "1"}


def answer(status: int, headers: Mapping[str, str], label: str = "") -> Answer:
    """One that reads a picture, or a problem where the headers say so."""
    document = {"status": status, "code": "x"} if "content-type" in headers else {"label": label, "top": [{"label": "7"}]}
    return received(httpx.Response(status, headers=headers, json=document))


def received(response: httpx.Response) -> Answer:
    """An answer of httpx's as it came over the wire."""
    head = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
    return Answer(response.status_code, 0.1, f"HTTP/1.1 {response.status_code}\r\n{head}\r\n".encode() + response.content)


def test_odd_pictures_are_valid_and_of_many_kinds() -> None:
    hand, kinds = Random(0), set()
    for _ in range(400):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's on broken profiles and metadata
            image = Image.open(io.BytesIO(odd_picture(hand)))
            image.load()
        kinds.add((image.format, image.mode))
    assert {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"} <= {mode for format, mode in kinds if format == "PNG"}
    assert {("JPEG", "CMYK"), ("JPEG", "L"), ("JPEG", "RGB"), ("WEBP", "RGB"), ("WEBP", "RGBA")} <= kinds
    assert {("BMP", "1"), ("BMP", "P"), ("BMP", "RGB"), ("GIF", "P"), ("GIF", "L")} <= kinds


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
        (BAD, 504, PROBLEM, 1, 0),
        (BAD, 503, PROBLEM, 1, 0),
        (BAD, 503, PROBLEM | {"retry-after": "soon"}, 1, 0),
        (BAD, 503, PROBLEM | LATER, 0, 0),
        (BAD, BROKEN, {}, 1, 0),
        (GOOD, 200, {}, 0, 0),
        (GOOD, 422, PROBLEM, 0, 1),
    ],
)
def test_answers_are_judged(shot: Shot, status: int, headers: dict[str, str], faults: int, wrong: int) -> None:
    outcome = Outcome()
    outcome.add(shot, answer(status, headers, "7"))
    assert (len(outcome.faults), outcome.wrong) == (faults, wrong)
    outcome.add(GOOD, answer(200, {}, "1"))
    assert outcome.wrong == wrong + 1


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b'{"status": 422}'])
def test_what_only_calls_itself_a_problem_is_none(body: bytes) -> None:
    assert not is_problem(b"HTTP/1.1 422 x\r\ncontent-type: application/problem+json\r\n\r\n" + body)


def test_a_service_that_is_not_there_is_a_fault_for_every_request() -> None:
    outcome = Outcome()
    asyncio.run(attack(f"http://127.0.0.1:{free_port()}", [BAD] * 3, outcome))
    assert [what for _, what in outcome.faults] == ["no answer"] * 3


def test_the_same_seed_sends_the_same_requests() -> None:
    first, again = list(shots(60, 5)), list(shots(60, 5))
    assert first == again != list(shots(60, 6))
    assert {shot.path for shot in shots(400, 5)} == {"/classify", "/classify/batch", "/explain", "/gallery"}


def test_every_promise_can_be_broken() -> None:
    def missed(growth_mb: float = 0.0, lost: int = 0, seconds: float = 0.01, status: int = 200, wrong: int = 0) -> list[str]:
        outcome = Outcome(rejected_seconds=[seconds] * 100, wrong=wrong)
        outcome.add(BAD, answer(status, PROBLEM | LATER))
        verdict = Verdict(outcome, growth_mb, lost)
        assert verdict.stands == all(line.startswith("kept: ") for line in verdict.lines()[3:9])
        return [promise.what.split()[0] for promise in verdict.promises() if not promise.kept]

    assert missed() == missed(status=503) == []
    assert missed(growth_mb=65) == ["memory"]
    assert missed(lost=1) == ["processes"]
    assert missed(seconds=0.2, status=422) == ["refused,"]
    assert missed(wrong=1) == ["good"]
    assert missed(status=500) == ["5xx", "answers"]


def test_rare_files_are_what_they_are_called() -> None:
    formats: set[str | None] = set()
    for name, rarity in rarities().items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's on broken profiles and metadata
            if rarity.statuses == {200}:
                image = Image.open(io.BytesIO(rarity.data))
                image.load()
                assert name.startswith({"MPO": "JPEG"}.get(image.format or "", image.format or "").replace("WEBP", "WebP"))
                formats.add(image.format)
    assert formats == {"PNG", "JPEG", "WEBP", "MPO", "BMP", "GIF"}


@pytest.mark.parametrize("interlaced", [False, True])
def test_pngs_made_by_hand_hold_their_levels(interlaced: bool) -> None:
    for depth in (1, 2, 4, 8):
        ramp = np.arange(11 * 13, dtype=np.uint16).reshape(11, 13, 1) % 2**depth
        image = Image.open(io.BytesIO(raw_png(ramp, GREY, depth, interlaced=interlaced)))
        assert np.array_equal(np.asarray(image.convert("L")), ramp[:, :, 0] * (255 // (2**depth - 1)))
    ramp = np.arange(11 * 13, dtype=np.uint16).reshape(11, 13, 1) * 450
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(raw_png(ramp, GREY, 16, interlaced=interlaced)))), ramp[:, :, 0])


@pytest.mark.served
def test_rare_files_are_read_or_refused_for_the_right_reason(service_address: str) -> None:
    faults = {}
    with httpx.Client(base_url=service_address, timeout=60) as client:
        for name, rarity in rarities().items():
            for path in ("/classify", "/explain", "/gallery"):
                response = client.post(path, content=rarity.data)
                read = response.status_code in (200, 201)
                label = response.json()["label"] if read and rarity.seen else LABEL
                if (
                    fault_of(received(response))
                    or label != LABEL
                    or (200 if read else response.status_code) not in rarity.statuses
                ):
                    faults[f"{path}: {name}"] = response.text[:200]
    assert faults == {}


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


@pytest.mark.served
def test_paths_that_nobody_serves_leave_nothing_behind(service_address: str) -> None:
    def told() -> list[str]:
        return [line for line in client.get("/metrics").text.splitlines() if "bentoml_service_request_total" in line]

    with httpx.Client(base_url=service_address, timeout=60) as client:
        for number in range(200):
            assert client.get(f"/nowhere/{number}").status_code == 404
            assert client.get(f"/gallery/{number:08x}-0000-4000-8000-000000000000").status_code == 404
        series = told()
    assert not [line for line in series if "nowhere" in line or "-4000-" in line]
    assert any('endpoint="other"' in line for line in series)
    assert any('endpoint="/gallery/{id}"' in line for line in series)
