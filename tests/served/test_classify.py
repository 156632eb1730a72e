"""/classify, /explain and /models of a real `bentoml serve` process."""

import asyncio
import base64
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.support.metrics import Counted
from tests.support.pictures import BLACK, CLEAR, STROKES, WHITE, Colour, digit, encoded, several

pytestmark = pytest.mark.served

SEVEN = encoded(digit("7"))
CONCURRENT = 64


@pytest.fixture
def client(service_address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service_address, timeout=30) as client:
        yield client


def test_health(client: httpx.Client) -> None:
    for path in ("/livez", "/readyz", "/healthz", "/metrics", "/schema.json", "/docs.json", "/"):
        assert client.get(path).status_code == 200, path


def test_the_answer_of_the_contract(client: httpx.Client) -> None:
    response = client.post("/classify", files={"image": ("7.png", SEVEN, "image/png")})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert list(answer) == [
        *("model", "version", "label", "confidence", "top", "probabilities", "rejected", "reject_reason"),
        *("category", "characters", "provider", "batch_size", "timings_ms"),
    ]
    assert (answer["model"], answer["label"], answer["rejected"], answer["category"]) == ("digits", "7", False, None)
    assert answer["top"][0] == {"label": "7", "confidence": answer["confidence"]}
    assert len(answer["top"]) == 3
    assert list(answer["probabilities"]) == [str(i) for i in range(10)]
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert answer["provider"] == "CPUExecutionProvider"
    assert answer["batch_size"] == 1
    timings = answer["timings_ms"]
    assert timings["total"] >= timings["decode"] + timings["preprocess"] + timings["inference"] > 0


@pytest.mark.parametrize("name", list(STROKES))
@pytest.mark.parametrize(("ink", "paper"), [(BLACK, CLEAR), (WHITE, CLEAR), (BLACK, WHITE), (WHITE, BLACK)])
def test_drawn_digits_are_read(client: httpx.Client, name: str, ink: Colour, paper: Colour) -> None:
    data = encoded(digit(name, ink=ink, paper=paper))
    assert client.post("/classify", content=data, headers={"Content-Type": "image/png"}).json()["label"] == name


@pytest.mark.parametrize("model", ["digits", "letters", "category", "characters"])
def test_several_characters_are_rejected_and_the_label_is_left(client: httpx.Client, model: str) -> None:
    pictures = [encoded(several("11")), encoded(digit("7")), encoded(several("147"))]
    options: dict[str, str | int] = {"model": model, "top_k": 1}
    alone = [client.post("/classify", params=options, files={"image": picture}).json() for picture in pictures]
    together = client.post("/classify/batch", params=options, files=[("images", picture) for picture in pictures]).json()
    for answers in (alone, together):
        for answer, number in zip(answers, (2, 1, 3), strict=True):
            reason = f"The picture shows several characters (about {number}), and this model reads one at a time."
            assert str(answer["reject_reason"]).startswith(reason) is (number > 1), answer
            assert answer["rejected"] or number == 1
            assert answer["top"] == [{"label": answer["label"], "confidence": answer["confidence"]}]


def test_clothes_are_never_several_characters(client: httpx.Client) -> None:
    answer = client.post("/classify", params={"model": "fashion"}, files={"image": encoded(several("11"))}).json()
    assert "several characters" not in str(answer["reject_reason"])


def test_several_characters_are_explained_and_counted_as_rejected(client: httpx.Client) -> None:
    counted = Counted(str(client.base_url))
    answer = client.post("/explain", files={"image": encoded(several("17"))}).json()
    assert answer["rejected"] and "several characters (about 2)" in answer["reject_reason"]
    assert counted("rejected_images_total{digits}") == 1


@pytest.mark.parametrize(
    ("format", "kind"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("GIF", "image/gif")]
)
def test_the_body_itself_may_be_the_image(client: httpx.Client, format: str, kind: str) -> None:
    data = encoded(digit("7", ink=BLACK, paper=WHITE).convert("RGB"), format)
    response = client.post("/classify", params={"top_k": 1}, content=data, headers={"Content-Type": kind})
    assert response.json()["label"] == "7"
    assert len(response.json()["top"]) == 1


@pytest.mark.parametrize("route", ["/classify", "/explain"])
def test_an_image_as_text_and_under_any_name(client: httpx.Client, route: str) -> None:
    text = base64.b64encode(SEVEN).decode()
    answers = [
        client.post(route, json={"image": f"data:image/png;base64,{text}", "model": "digits", "top_k": 2, "device": "cpu"}),
        client.post(route, json={"image": text.rstrip("="), "top_k": "2"}),
        client.post(route, data={"image": f"data:image/png;base64,{text}", "top_k": "2"}),
        client.post(route, content=f"image={text}&top_k=2", headers={"Content-Type": "application/x-www-form-urlencoded"}),
        client.post(route, files={"image": (None, text)}, data={"top_k": "2"}),
        client.post(route, files={"file": ("7.png", SEVEN)}, data={"top_k": "2"}),
    ]
    assert [(answer.json()["label"], len(answer.json()["top"])) for answer in answers] == [("7", 2)] * len(answers)


def test_a_photo_of_a_phone_is_taken_as_it_is(client: httpx.Client) -> None:
    photo = digit("7", ink=BLACK, paper=WHITE).convert("RGB").resize((3000, 3000))
    noise = Image.effect_noise((3000, 3000), 24).convert("RGB")
    buffer = io.BytesIO()
    Image.blend(photo, noise, 0.15).save(buffer, "JPEG", quality=95)
    data = buffer.getvalue()
    assert 2_000_000 < len(data) < 8_000_000
    text = base64.b64encode(data).decode()
    for answer in (client.post("/classify", content=data), client.post("/classify", json={"image": text})):
        assert answer.json()["label"] == "7", answer.text
    batch = client.post("/classify/batch", json={"images": [text, base64.b64encode(SEVEN).decode(), "AAAA"]}).json()
    assert [entry.get("label", entry.get("code")) for entry in batch] == ["7", "7", "unsupported_media"]


def test_options_as_query_and_as_form_fields(client: httpx.Client) -> None:
    form = {"model": "digits", "top_k": "2", "device": "cpu"}
    as_form = client.post("/classify", files={"image": SEVEN}, data=form)
    as_query = client.post("/classify", files={"image": SEVEN}, params=form)
    assert as_form.json()["top"] == as_query.json()["top"]
    assert len(as_form.json()["top"]) == 2


def test_the_bentoml_client_works(service_address: str, tmp_path: Path) -> None:
    path = tmp_path / "7.png"
    path.write_bytes(SEVEN)
    script = f"""
import bentoml, pathlib
with bentoml.SyncHTTPClient("{service_address}") as client:
    answer = client.classify(image=pathlib.Path("{path}"), model="digits", top_k=5)
    print(answer["label"], len(answer["top"]), client.explain(image=pathlib.Path("{path}"))["label"])
    print([entry["label"] for entry in client.classify_batch(images=[pathlib.Path("{path}")] * 2, top_k=1)])
"""
    # In a process of its own: the client leaves its temporary folder to the garbage collector, which warns.
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "7 5 7\n['7', '7']\n"


def test_explain_shows_every_stage_the_logits_and_the_ink_that_mattered(client: httpx.Client) -> None:
    answer = client.post("/explain", files={"image": SEVEN}).json()
    assert answer["label"] == "7"
    assert [stage["name"] for stage in answer["stages"]] == ["gray", "ink", "crop", "input"]
    for stage in answer["stages"]:
        picture = Image.open(io.BytesIO(base64.b64decode(stage["png"])))
        assert picture.format == "PNG"
        assert 0 <= stage["min"] <= stage["mean"] <= stage["max"] <= 255
        assert stage["note"]
    assert Image.open(io.BytesIO(base64.b64decode(answer["stages"][-1]["png"]))).size == (28, 28)
    assert max(answer["logits"], key=answer["logits"].__getitem__) == "7"
    heat = Image.open(io.BytesIO(base64.b64decode(answer["heatmap"]["png"])))
    assert heat.size == (28, 28)
    assert heat.getbbox() is not None


def test_explain_without_the_heat_map(client: httpx.Client) -> None:
    encoded_seven = base64.b64encode(SEVEN).decode()
    for answer in (
        client.post("/explain?heatmap=false", content=SEVEN, headers={"Content-Type": "image/png"}),
        client.post("/explain", files={"image": SEVEN}, data={"heatmap": "false"}),
        client.post("/explain", json={"image": encoded_seven, "heatmap": False}),
    ):
        assert answer.json()["heatmap"] is None
        assert [stage["name"] for stage in answer.json()["stages"]] == ["gray", "ink", "crop", "input"]
    refused = client.post("/explain?heatmap=perhaps", files={"image": SEVEN})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
    assert "heatmap='perhaps'" in refused.json()["detail"]


def test_models_say_what_they_are_and_where_they_run(client: httpx.Client) -> None:
    catalogue = client.get("/models").json()
    assert catalogue["limits"]["max_image_bytes"] == 10_485_760 and catalogue["limits"]["max_images"] == 256
    assert catalogue["default"] == "digits"
    (model,) = [model for model in catalogue["models"] if model["name"] == "digits"]
    assert model["card"]["sha256"] == model["sha256"]
    assert model["devices"]["cpu"] == {"available": True, "reason": None}
    for device in model["devices"].values():
        assert device["available"] or device["reason"]


def test_concurrent_requests_share_batches_and_keep_their_answers(service_address: str) -> None:
    pictures = {name: encoded(digit(name)) for name in STROKES}

    async def ask(client: httpx.AsyncClient, name: str) -> tuple[str, str, int]:
        response = await client.post("/classify", content=pictures[name], headers={"Content-Type": "image/png"})
        answer = response.json()
        return name, answer["label"], answer["batch_size"]

    async def main() -> list[tuple[str, str, int]]:
        async with httpx.AsyncClient(base_url=service_address, timeout=30) as client:
            rounds = [ask(client, name) for name in list(STROKES) * (CONCURRENT // 3) for _ in range(4)]
            return await asyncio.gather(*rounds)

    answers = asyncio.run(main())
    assert all(name == label for name, label, _ in answers)
    assert max(size for _, _, size in answers) > 1
