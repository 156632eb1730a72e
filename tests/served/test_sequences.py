"""Numbers and texts, read by real `bentoml serve` processes of both topologies."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.support.load import post_all
from tests.support.metrics import Counted
from tests.support.pictures import WHITE, digit, encoded
from tests.support.processes import free_port, start_service
from tests.support.sequences import GAP, HEIGHT, MARGIN, sheet

pytestmark = pytest.mark.served

FORTY_TWO = encoded(sheet(["42"]))
TWO_LINES = encoded(sheet(["1987", "20"]))
LONG = encoded(sheet(["0123456789" * 3, "9876543210" * 3], 60))
SEVENTY = encoded(sheet(["1" * 35, "7" * 35], 40))
BLANK = encoded(Image.new("L", (300, 200), 255))
EACH = 16  # requests for each model at a time
SEVEN = encoded(digit("7", paper=WHITE))


@pytest.fixture(scope="module", params=["embedded", "runner"])
def topology(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def address(topology: str, model_store: Path) -> Iterator[str]:
    with start_service(model_store, free_port(), TOPOLOGY=topology) as address:
        yield address


def post(address: str, image: bytes, path: str = "/classify", **options: str) -> httpx.Response:
    return httpx.post(f"{address}{path}", content=image, params={"model": "numbers", **options}, timeout=30)


def test_a_number_is_read_with_its_characters(address: str) -> None:
    answer = post(address, FORTY_TWO).json()
    assert (answer["model"], answer["label"], answer["category"], answer["rejected"]) == ("numbers", "42", None, False)
    assert [one["label"] for one in answer["characters"]] == ["4", "2"]
    assert answer["confidence"] == pytest.approx(
        answer["characters"][0]["confidence"] * answer["characters"][1]["confidence"], abs=1e-5
    )
    assert len(answer["top"]) == 3 and answer["top"][0] == {"label": "42", "confidence": answer["confidence"]}
    assert answer["probabilities"] == {one["label"]: one["confidence"] for one in answer["top"]}
    for number, one in enumerate(answer["characters"]):
        left, top, width, height = one["box"]
        assert left >= MARGIN + number * (GAP + 10) - 4 and top >= MARGIN - 4
        assert width <= HEIGHT + 8 and MARGIN + HEIGHT - 8 <= top + height <= MARGIN + HEIGHT + 8
        assert len(one["top"]) == 3 and one["line"] == 0 and one["rejected"] is False


def test_the_client_of_bentoml_reads_answers_with_and_without_characters(address: str, tmp_path: Path) -> None:
    (tmp_path / "42.png").write_bytes(FORTY_TWO)
    (tmp_path / "7.png").write_bytes(SEVEN)
    script = f"""
import bentoml, pathlib
folder = pathlib.Path("{tmp_path}")
with bentoml.SyncHTTPClient("{address}") as client:
    number = client.classify(image=folder / "42.png", model="numbers")
    print(number["label"], [one["label"] for one in number["characters"]])
    for model in ("digits", "numbers"):
        (entry,) = client.classify_batch(images=[folder / "7.png"], model=model)
        print(entry["label"], entry["characters"] and len(entry["characters"]))
"""
    # In a process of its own: the client leaves its temporary folder to the garbage collector, which warns.
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "42 ['4', '2']\n7 None\n7 1\n"


def test_lines_are_read_in_order(address: str) -> None:
    answer = post(address, TWO_LINES).json()
    assert answer["label"] == "1987\n20"
    assert [one["line"] for one in answer["characters"]] == [0, 0, 0, 0, 1, 1]
    answer = post(address, TWO_LINES, model="text").json()
    assert answer["label"].count("\n") == 1
    for number, line in enumerate(answer["label"].split("\n")):
        assert line == "".join(one["label"] for one in answer["characters"] if one["line"] == number)


def test_one_character_is_read_as_by_the_reader(address: str) -> None:
    for model, reader in (("numbers", "digits"), ("text", "characters")):
        sequence, alone = (post(address, SEVEN, model=name, top_k="10").json() for name in (model, reader))
        assert (sequence["label"], sequence["confidence"]) == (alone["label"], alone["confidence"])
        scores = {one["label"]: one["confidence"] for one in sequence["characters"][0]["top"]}
        assert scores == {label: share for label, share in alone["probabilities"].items() if label in scores}
        assert alone["characters"] is None


@pytest.mark.parametrize(
    ("image", "status", "code"),
    [
        (SEVENTY, 413, "too_large"),
        (BLANK, 422, "no_ink"),
        (b"nothing", 415, "unsupported_media"),
    ],
    ids=["70 characters", "blank", "no picture"],
)
def test_what_cannot_be_read_is_refused(address: str, image: bytes, status: int, code: str) -> None:
    refused = post(address, image)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_a_bad_picture_of_a_batch_fails_alone(address: str) -> None:
    images = [FORTY_TWO, b"no picture", TWO_LINES, BLANK, SEVEN]
    counted = Counted(address)
    files = [("images", (f"{number}.png", data, "image/png")) for number, data in enumerate(images)]
    answer = httpx.post(f"{address}/classify/batch", files=files, params={"model": "numbers"}, timeout=30)
    assert answer.status_code == 200, answer.text
    entries = answer.json()
    assert [entry.get("label", entry.get("code")) for entry in entries] == [
        *("42", "unsupported_media", "1987\n20", "no_ink", "7")
    ]
    assert counted("batch_size_count{cpu,digits}") == 1
    assert counted("batch_size_sum{cpu,digits}") == entries[0]["batch_size"]
    assert [counted(f"images_total{{{name}}}") for name in ("numbers", "digits")] == [3, 0]
    assert counted.observed("numbers") == dict.fromkeys(("label", "confidence", "rejected", "ink"), 2 + 6 + 1)


def test_segmentation_and_characters_are_explained(address: str) -> None:
    whole = post(address, FORTY_TWO, "/explain").json()
    assert [stage["name"] for stage in whole["stages"]] == ["gray", "ink", "boxes"]
    assert (whole["label"], whole["logits"], whole["heatmap"]) == ("42", {}, None)
    second = post(address, FORTY_TWO, "/explain", character="1").json()
    assert [stage["name"] for stage in second["stages"]] == ["crop", "input"]
    assert max(second["logits"], key=second["logits"].get) == "2"
    assert "'2'" in second["heatmap"]["note"]
    assert second["characters"] == whole["characters"]
    quick = post(address, FORTY_TWO, "/explain", character="1", heatmap="false").json()
    assert quick["label"] == "42" and quick["heatmap"] is None, quick
    for options in ({"character": "2"}, {"character": "-1"}, {"character": "x"}, {"character": "0", "model": "digits"}):
        refused = post(address, FORTY_TWO, "/explain", **options)
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_request"), options
        assert "character=" in refused.json()["detail"]


def test_models_list_sequences(address: str) -> None:
    listed = httpx.get(f"{address}/models").json()
    assert listed["limits"]["max_characters"] == 64
    by_name = {model["name"]: model for model in listed["models"]}
    assert by_name["numbers"]["card"]["task"] == by_name["text"]["card"]["task"] == "sequence"
    assert by_name["numbers"]["card"]["labels"] == [str(number) for number in range(10)]
    assert [stage.split(":")[0] for stage in by_name["text"]["stages"]] == ["characters", "category", "digits", "letters"]
    assert by_name["text"]["providers"] == ["CPUExecutionProvider"]
    assert post(address, SEVEN, device="gpu").status_code == 409


def test_sequences_share_calls_with_other_models_under_load(address: str) -> None:
    async def all_models() -> list[list[Any]]:
        asked = {"digits": SEVEN, "numbers": FORTY_TWO, "characters": SEVEN, "text": SEVEN}
        return await asyncio.gather(
            *(post_all(address, [image] * EACH, f"/classify?model={model}") for model, image in asked.items())
        )

    counted = Counted(address)
    found = [{answer.json().get("label", str(answer.json())) for answer in answers} for answers in asyncio.run(all_models())]
    assert found == [{"7"}, {"42"}, {"7"}, {"7"}]
    assert counted("batch_size_sum{cpu,digits}") >= EACH * (1 + 2 + 1 + 1)
    assert counted("batch_size_count{cpu,digits}") < counted("batch_size_sum{cpu,digits}")


def test_a_saved_text_can_be_corrected(address: str) -> None:
    saved = httpx.post(f"{address}/gallery", content=TWO_LINES, params={"model": "numbers"}, timeout=30)
    assert saved.status_code == 201, saved.text
    assert saved.json()["label"] == "1987\n20"
    place = f"{address}{saved.headers['location']}"
    for label, status in (("1988\n20", 200), ("198x", 400), ("19\n\n20", 400), ("1" * 65, 400), ("", 400)):
        assert httpx.patch(place, json={"label": label}).status_code == status, label
    found = httpx.get(f"{address}/gallery", params={"label": "1988\n20"}).json()
    assert [entry["corrected"] for entry in found["entries"]] == ["1988\n20"]
    assert httpx.delete(place).status_code == 204


def test_a_reload_serves_sequences(address: str, topology: str) -> None:
    answer = httpx.post(f"{address}/models/reload", timeout=60)
    assert answer.status_code == (200 if topology == "embedded" else 409)
    if topology == "embedded":
        assert {"numbers", "text", "digits"} <= answer.json()["models"].keys()
    assert post(address, FORTY_TWO).json()["label"] == "42"


def test_the_characters_of_sequences_count_in_the_queue(model_store: Path) -> None:
    """A queue of 96 holds one image of 60 characters, of which half a queue is read at a time, and hardly another."""
    with start_service(model_store, free_port(), MAX_QUEUE="96", WORKERS="1", MAX_CHARACTERS="60") as address:
        assert post(address, LONG).json()["label"] == "0123456789" * 3 + "\n" + "9876543210" * 3
        answers = asyncio.run(post_all(address, [LONG] * 32, "/classify?model=numbers"))  # all at once
        statuses = Counter(answer.status_code for answer in answers)
        assert set(statuses) <= {200, 429} and statuses[200] > 0
        assert post(address, SEVEN, model="digits").json()["label"] == "7"
        assert post(address, encoded(sheet(["1" * 61], 40))).json()["code"] == "too_large"
