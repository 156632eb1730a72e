"""A cascade in real `bentoml serve` processes of both topologies, over the project's digits and stand-ins for what reads
letters and tells categories apart."""

import asyncio
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.support.catalogues import CATEGORIES, LETTERS
from tests.support.load import post_all
from tests.support.metrics import Counted
from tests.support.pictures import Point, canvas, digit, encoded
from tests.support.processes import free_port, start_service

pytestmark = pytest.mark.served

CROSS: list[list[Point]] = [[(60, 60), (220, 220)], [(60, 220), (220, 60)]]
SEVEN = encoded(digit("7"))
LETTER = encoded(digit("7").transpose(Image.Transpose.FLIP_TOP_BOTTOM))
DRAWING = encoded(canvas(CROSS))
ONE = encoded(digit("1"))
DIGITS = [str(i) for i in range(10)]


@pytest.fixture(scope="module", params=["embedded", "runner"])
def address(request: pytest.FixtureRequest, cascade_store: Path) -> Iterator[str]:
    settings = {"CATALOGUE": str(cascade_store / "catalogue"), "DEFAULT_MODEL": "characters", "TOPOLOGY": str(request.param)}
    with start_service(cascade_store, free_port(), **settings) as address:
        yield address


def classify(address: str, image: bytes, path: str = "/classify", **options: str) -> httpx.Response:
    return httpx.post(f"{address}{path}", content=image, params=options, timeout=30)


def test_models_tell_of_the_cascade_and_its_stages(address: str) -> None:
    listed = httpx.get(f"{address}/models").json()
    assert listed["default"] == listed["defaults"]["model"] == "characters"
    assert [model["name"] for model in listed["models"]] == ["category", "digits", "letters", "characters"]
    cascade = listed["models"][-1]
    assert cascade["stages"] == ["category:1.0.0", "digits:1.3.0", "letters:1.0.0"]
    assert cascade["card"]["labels"] == [*DIGITS, *LETTERS, "drawing"]
    assert cascade["providers"] == ["CPUExecutionProvider"]
    assert cascade["devices"]["cpu"] == {"available": True, "reason": None}
    assert cascade["devices"]["gpu"]["available"] is False
    assert len(cascade["sha256"]) == 64
    refused = classify(address, SEVEN, device="gpu")
    assert (refused.status_code, refused.json()["code"]) == (409, "device_unavailable")


def test_the_default_model_is_in_the_description(address: str) -> None:
    schemas = httpx.get(f"{address}/docs.json").json()["components"]["schemas"]
    for name, field in (("ImageInput", "image"), ("ExplainInput", "image"), ("BatchInput", "images")):
        assert schemas[name]["properties"]["model"]["default"] == "characters"
        assert schemas[name]["required"] == [field]


@pytest.mark.parametrize(
    ("image", "category", "asked"), [(SEVEN, "digit", [1, 0]), (LETTER, "letter", [0, 1]), (DRAWING, "drawing", [1, 1])]
)
def test_the_category_decides_who_reads_on(address: str, image: bytes, category: str, asked: list[int]) -> None:
    counted = Counted(address)
    answer = classify(address, image).json()
    assert answer["model"] == "characters"
    assert answer["category"]["label"] == category
    assert answer["category"]["label"] in CATEGORIES
    members = {"digit": DIGITS, "letter": LETTERS, "drawing": ["drawing"]}[category]
    assert answer["label"] in members
    shares = answer["probabilities"]
    assert sum(shares.values()) == pytest.approx(1, abs=1e-4)
    assert sum(shares[label] for label in members) == pytest.approx(answer["category"]["confidence"], abs=1e-4)
    assert shares[answer["label"]] == max(shares.values()) == answer["confidence"]
    assert counted("batch_size_count{cpu,category}") == 1
    assert [counted(f"batch_size_count{{cpu,{name}}}") for name in ("digits", "letters")] == asked
    assert [counted(f"images_total{{{name}}}") for name in ("characters", "category", "digits", "letters")] == [1, 0, 0, 0]
    assert counted("stage_duration_seconds_count{inference}") == counted("stage_duration_seconds_count{preprocess}") == 1
    timings = answer["timings_ms"]
    assert timings["total"] >= timings["decode"] + timings["preprocess"] + timings["queue"] + timings["inference"] > 0


def test_a_cascade_says_what_its_models_say(address: str) -> None:
    parts = {name: classify(address, ONE, model=name).json()["probabilities"] for name in ("category", "digits", "letters")}
    joint = classify(address, ONE).json()["probabilities"]
    for category, name in (("digit", "digits"), ("letter", "letters")):
        for label, share in parts[name].items():
            assert joint[label] == pytest.approx(parts["category"][category] * share, abs=1e-5)
    assert joint["drawing"] == pytest.approx(parts["category"]["drawing"], abs=1e-5)
    assert classify(address, ONE, model="category").json()["category"] is None


def test_a_batch_is_a_call_of_every_model_that_is_asked(address: str) -> None:
    counted = Counted(address)
    images = [SEVEN, LETTER, b"no picture", ONE, SEVEN, LETTER]
    files = [("images", (f"{i}.png", data, "image/png")) for i, data in enumerate(images)]
    entries = httpx.post(f"{address}/classify/batch", files=files, timeout=30).json()
    assert entries[2]["code"] == "unsupported_media"
    answers = [entry for entry in entries if "label" in entry]
    alone = [classify(address, data).json() for data in images if data != b"no picture"]
    assert [answer["probabilities"] for answer in answers] == [
        pytest.approx(other["probabilities"], abs=1e-5) for other in alone
    ]
    assert [answer["batch_size"] for answer in answers] == [5] * 5
    sizes = {name: counted(f"batch_size_bucket{{cpu,1.0,{name}}}") for name in ("category", "digits", "letters")}
    calls = {name: counted(f"batch_size_count{{cpu,{name}}}") for name in sizes}
    assert {name: calls[name] - sizes[name] for name in sizes} == {"category": 1, "digits": 1, "letters": 1}


@pytest.mark.parametrize(
    ("image", "labels"), [(SEVEN, DIGITS), (LETTER, LETTERS), (DRAWING, CATEGORIES)], ids=["digit", "letter", "drawing"]
)
def test_an_explanation_is_of_the_model_that_gave_the_label(address: str, image: bytes, labels: list[str]) -> None:
    explained = classify(address, image, "/explain").json()
    answer = classify(address, image).json()
    assert {name: explained[name] for name in ("label", "probabilities", "category")} == {
        name: answer[name] for name in ("label", "probabilities", "category")
    }
    assert list(explained["logits"]) == labels
    assert [stage["name"] for stage in explained["stages"]][-1] == "input"
    assert f"takes {explained['label']!r} from" in explained["heatmap"]["note"]


def test_under_load_the_stages_share_calls_with_the_models_themselves(address: str) -> None:
    async def both() -> tuple[list[str], list[str]]:
        paths = ("/classify?model=digits", "/classify?model=characters")
        answers = await asyncio.gather(*(post_all(address, [SEVEN] * 200, path) for path in paths))
        digits, characters = ([answer.json()["label"] for answer in side] for side in answers)
        return digits, characters

    counted = Counted(address)
    assert set(chain(*asyncio.run(both()))) == {"7"}
    assert counted("batch_size_sum{cpu,digits}") == 400
    assert counted("batch_size_sum{cpu,category}") == 200
    assert counted("batch_size_count{cpu,digits}") < 360
    assert counted("batch_size_count{cpu,category}") < 180
