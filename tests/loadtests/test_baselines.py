"""The baseline servers classify digits correctly: a comparison with them would mean nothing otherwise."""

import asyncio
import io
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
from fastapi import FastAPI
from PIL import Image

from loadtests.baselines import fastapi_app, fastapi_simplest, usual
from loadtests.benchmark.offline import LIMIT_BATCH, call_rate, limit
from loadtests.images import CLEAR, DRAWING_SIZE, benchmark_images, encode, load_images
from loadtests.processes import SERVERS, TOPOLOGIES, start_server
from loadtests.requests import FORM_TYPE, encode_form
from loadtests.samples import samples
from tests.support.pictures import STROKES, WHITE, canvas

APPS = (fastapi_app.app, fastapi_simplest.app)
BASELINES = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(not server.is_installed, reason=f"{server.title} is missing; `make setup-peers` installs it"),
    )
    for name, server in SERVERS.items()
    if name not in TOPOLOGIES
]


def ask(app: FastAPI, data: bytes) -> httpx.Response:
    """Post an image to an application in this process."""

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://baseline") as client:
            return await client.post("/classify", content=encode_form([data]), headers={"Content-Type": FORM_TYPE})

    return asyncio.run(post())


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


def test_simplest_preprocessing_puts_the_drawing_in_a_box_of_20x20_in_the_middle() -> None:
    frame = fastapi_simplest.prepare(io.BytesIO(encode(canvas(STROKES["7"], paper=WHITE, offset=(30, 40)))))
    assert frame.shape == (1, 28, 28)
    assert frame.dtype == np.float32
    inked = np.argwhere(frame[0] > 0)
    first, last = inked.min(axis=0), inked.max(axis=0)
    assert (last - first + 1).max() == 20
    assert np.abs(first + last - 27).max() <= 1
    assert frame.max() > 0.9


@pytest.mark.parametrize("mode", ["RGB", "L", "LA"])
def test_simplest_preprocessing_of_every_image_mode_gives_the_same_tensor(mode: str) -> None:
    picture = canvas(STROKES["4"], paper=WHITE)
    one, other = (fastapi_simplest.prepare(io.BytesIO(encode(image))) for image in (picture, picture.convert(mode)))
    assert np.abs(one - other).max() < 0.05


def test_simplest_preprocessing_puts_transparent_images_on_white() -> None:
    clear, white = (encode(canvas(STROKES["4"], paper=paper)) for paper in (CLEAR, WHITE))
    assert np.array_equal(fastapi_simplest.prepare(io.BytesIO(clear)), fastapi_simplest.prepare(io.BytesIO(white)))


def test_simplest_preprocessing_classifies_every_sample() -> None:
    session, labels = fastapi_simplest.session, fastapi_simplest.labels
    for sample in samples():
        logits = usual.predict(session, fastapi_simplest.prepare(io.BytesIO(sample.data))[None])[0]
        assert usual.answer(logits, labels)["label"] == sample.label, sample.name


def test_drawing_is_a_larger_canvas_for_the_benchmark_alone() -> None:
    assert list(load_images()) == ["canvas", "small"]
    assert list(benchmark_images()) == ["canvas", "small", "drawing"]
    small, large = (Image.open(io.BytesIO(benchmark_images()[name].data)) for name in ("canvas", "drawing"))
    assert (large.format, large.mode, large.size) == (small.format, small.mode, DRAWING_SIZE) == ("PNG", "RGBA", (1050, 800))
    assert large.getpixel((0, 0)) == small.getpixel((0, 0)) == CLEAR
    middle = large.crop((125, 0, 925, 800)).resize(small.size, Image.Resampling.BOX)
    assert np.abs(np.asarray(middle, dtype=np.float32) - np.asarray(small)).mean() < 2


@pytest.mark.parametrize("app", APPS)
def test_fastapi_classifies_the_benchmark_images(app: FastAPI) -> None:
    for picture in benchmark_images().values():
        answer = ask(app, picture.data).json()
        assert answer["label"] == picture.label
        assert answer["confidence"] == max(answer["probabilities"].values()) > 0.99
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("app", APPS)
def test_fastapi_refuses_what_is_no_image(app: FastAPI) -> None:
    assert ask(app, b"no picture").status_code == 422


def test_fastapi_refuses_blank_images() -> None:
    assert ask(fastapi_app.app, encode(Image.new("L", (20, 20)))).status_code == 422


@pytest.mark.served
@pytest.mark.parametrize("name", BASELINES)
def test_baselines_classify_every_sample_on_loopback_and_end(name: str, tmp_path: Path) -> None:
    with start_server(SERVERS[name], tmp_path) as server, httpx.Client(timeout=30) as client:
        for sample in (*samples(), *benchmark_images().values()):
            response = client.post(f"{server.address}/classify", files={"image": (sample.name, sample.data, "image/png")})
            assert (response.status_code, response.json()["label"]) == (200, sample.label), sample.name
        processes = [server.process, *server.process.children(recursive=True)]
        assert server.sample().pids <= {process.pid for process in processes}
        listening = {address for process in processes for address in listening_addresses(process)}
    assert listening
    assert listening <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    assert psutil.wait_procs(processes, timeout=30)[1] == []


def listening_addresses(process: psutil.Process) -> set[str]:
    """The addresses on which a process accepts TCP connections."""
    try:
        return {one.laddr.ip for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN}
    except psutil.NoSuchProcess:
        return set()


def test_call_rate_calls_at_least_once() -> None:
    calls: list[None] = []
    assert call_rate(lambda: calls.append(None), seconds=0) > 0
    assert len(calls) == 1


def test_limit_is_measured_in_two_processes() -> None:
    assert limit("small", LIMIT_BATCH, seconds=0.1) > 0
