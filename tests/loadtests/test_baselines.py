"""The baseline servers classify digits correctly: a comparison with them would mean nothing otherwise."""

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from loadtests.baselines import usual
from loadtests.baselines.fastapi_app import app
from loadtests.benchmark.offline import LIMIT_BATCH, call_rate, limit
from loadtests.images import encode, load_images
from loadtests.processes import SERVERS, import_models, start_server
from loadtests.requests import FORM_TYPE, encode_form
from loadtests.samples import samples
from tests.support.pictures import STROKES, WHITE, canvas


def ask_fastapi(data: bytes) -> httpx.Response:
    """Post an image to the application in this process."""

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://baseline") as client:
            return await client.post("/classify", content=encode_form([data]), headers={"Content-Type": FORM_TYPE})

    return asyncio.run(ask())


def test_image_is_centred_light_on_dark() -> None:
    frame = usual.prepare(canvas(STROKES["7"], paper=WHITE, offset=(30, 40)))
    assert frame.shape == (1, 28, 28)
    assert frame.dtype == np.float32
    inked = np.argwhere(frame[0] > 0)
    assert (inked.max(axis=0) - inked.min(axis=0) + 1).max() == 20
    mass = (frame[0][..., None] * np.moveaxis(np.indices((28, 28)), 0, -1)).sum(axis=(0, 1)) / frame.sum()
    assert np.abs(mass - 13.5).max() <= 0.5


@pytest.mark.parametrize("mode", ["RGB", "L", "LA"])
def test_every_image_mode_gives_the_same_tensor(mode: str) -> None:
    picture = canvas(STROKES["4"], paper=WHITE)
    assert np.abs(usual.prepare(picture.convert(mode)) - usual.prepare(picture)).max() < 0.05


def test_light_ink_on_dark_is_not_inverted() -> None:
    dark = canvas(STROKES["4"], ink=WHITE, paper=(0, 0, 0, 255))
    assert np.array_equal(usual.prepare(dark), usual.prepare(canvas(STROKES["4"], paper=WHITE)))


def test_blank_image_is_refused() -> None:
    with pytest.raises(ValueError, match="blank"):
        usual.prepare(Image.new("RGBA", (20, 20), WHITE))


def test_fastapi_classifies_the_benchmark_images() -> None:
    for picture in load_images().values():
        answer = ask_fastapi(picture.data).json()
        assert answer["label"] == picture.label
        assert answer["confidence"] == max(answer["probabilities"].values()) > 0.99
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("data", [b"no picture", encode(Image.new("L", (20, 20)))])
def test_fastapi_refuses_invalid_images(data: bytes) -> None:
    assert ask_fastapi(data).status_code == 422


@pytest.mark.served
@pytest.mark.parametrize("name", ["fastapi", "bentoml"])
def test_baselines_classify_every_sample(name: str, tmp_path: Path) -> None:
    import_models(tmp_path)
    with start_server(SERVERS[name], tmp_path) as server, httpx.Client(timeout=30) as client:
        for sample in samples():
            response = client.post(f"{server.address}/classify", files={"image": (sample.name, sample.data, "image/png")})
            assert (response.status_code, response.json()["label"]) == (200, sample.label), sample.name


def test_call_rate_calls_at_least_once() -> None:
    calls: list[None] = []
    assert call_rate(lambda: calls.append(None), seconds=0) > 0
    assert len(calls) == 1


def test_limit_is_measured_in_two_processes() -> None:
    assert limit("small", LIMIT_BATCH, seconds=0.1) > 0
