"""Every row of the error table that exists, asked of a real `bentoml serve` process."""

import contextlib
import io
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.pictures import CLEAR, WHITE, digit, encoded
from tests.support.problems import is_problem

pytestmark = pytest.mark.served

SEVEN = encoded(digit("7"))
PNG = {"Content-Type": "image/png"}
FORM = {"Content-Type": "multipart/form-data; boundary=edge"}


@pytest.fixture(scope="module")
def client(service_address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service_address, timeout=30) as client:
        yield client
        assert client.post("/classify", content=SEVEN, headers=PNG).json()["label"] == "7"


def test_no_image(client: httpx.Client) -> None:
    is_problem(client.post("/classify"), 400, "bad_request")
    is_problem(client.post("/classify", files={"left": SEVEN, "right": SEVEN}), 400, "bad_request")
    is_problem(client.post("/classify", files={"image": b""}), 400, "bad_request")


def test_two_images(client: httpx.Client) -> None:
    detail = is_problem(client.post("/classify", files=[("image", SEVEN), ("image", SEVEN)]), 400, "bad_request")
    assert "2 images" in detail


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"garbage", FORM),
        (b"", FORM),
        (b"--edge\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\nabc", FORM),
        (b"--edge--\r\n", {"Content-Type": "multipart/form-data"}),
    ],
)
def test_broken_multipart(client: httpx.Client, body: bytes, headers: dict[str, str]) -> None:
    is_problem(client.post("/classify", content=body, headers=headers), 400, "bad_request")


@pytest.mark.parametrize("options", [{"top_k": "0"}, {"top_k": "three"}, {"device": "tpu"}])
def test_bad_option_values(client: httpx.Client, options: dict[str, str]) -> None:
    detail = is_problem(client.post("/classify", params=options, content=SEVEN, headers=PNG), 400, "bad_request")
    assert next(iter(options)) in detail


def test_unknown_model(client: httpx.Client) -> None:
    response = client.post("/classify", params={"model": "nobody"}, content=SEVEN, headers=PNG)
    assert "digits" in is_problem(response, 404, "unknown_model")


def test_a_gpu_is_used_or_refused_but_never_faked(client: httpx.Client) -> None:
    response = client.post("/classify", params={"device": "gpu"}, content=SEVEN, headers=PNG)
    if client.get("/models").json()["models"][0]["devices"]["gpu"]["available"]:
        assert response.json()["provider"] == "CUDAExecutionProvider"
    else:
        assert "CUDAExecutionProvider" in is_problem(response, 409, "device_unavailable")


def test_too_many_bytes_announced_and_unannounced(client: httpx.Client) -> None:
    megabytes = [bytes(1 << 20)] * 30
    is_problem(client.post("/classify", content=b"".join(megabytes), headers=PNG), 413, "too_large")
    is_problem(client.post("/classify", content=iter(megabytes), headers=PNG), 413, "too_large")
    is_problem(client.post("/classify", files={"image": b"".join(megabytes)}), 413, "too_large")


def test_too_many_pixels(client: httpx.Client) -> None:
    bomb = encoded(Image.new("1", (30_000, 30_000)))
    assert len(bomb) < 1_000_000
    is_problem(client.post("/classify", content=bomb, headers=PNG), 413, "too_large")


@pytest.mark.parametrize("kind", ["image/gif", "image/png", "application/json", "application/vnd.bentoml+pickle"])
def test_unsupported_content(client: httpx.Client, kind: str) -> None:
    tiff = encoded(digit("7"), "TIFF")
    is_problem(client.post("/classify", content=tiff, headers={"Content-Type": kind}), 415, "unsupported_media")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_truncated(client: httpx.Client, format: str) -> None:
    data = encoded(digit("7", paper=WHITE).convert("RGB"), format)
    is_problem(client.post("/classify", content=data[: len(data) // 2], headers=PNG), 422, "undecodable")


@pytest.mark.parametrize("paper", [CLEAR, WHITE])
def test_nothing_drawn(client: httpx.Client, paper: tuple[int, int, int, int]) -> None:
    blank = encoded(Image.new("RGBA", (280, 280), paper))
    for route in ("/classify", "/explain"):
        is_problem(client.post(route, content=blank, headers=PNG), 422, "no_ink")


def test_paths_and_methods_there_are_not(client: httpx.Client) -> None:
    is_problem(client.get("/nowhere"), 404, "not_found")
    is_problem(client.get("/classify"), 405, "method_not_allowed")
    is_problem(client.post("/models"), 405, "method_not_allowed")


def test_no_address_is_ever_fetched(client: httpx.Client) -> None:
    visits: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as trap:

        def watch() -> None:
            with contextlib.suppress(OSError):
                while True:
                    visits.append(trap.accept())

        watcher = threading.Thread(target=watch)
        watcher.start()
        address = f"http://127.0.0.1:{trap.getsockname()[1]}/7.png"
        for route in ("/classify", "/explain"):
            answers = [
                client.post(route, data={"image": address}),
                client.post(route, files={"image": (None, address)}),
                client.post(route, files={"image": ("7.png", address.encode(), "image/png")}),
                client.post(route, json={"image": address}),
                client.post(route, content=address.encode(), headers=PNG),
                client.post(route, params={"image": address}),
            ]
            assert all(400 <= answer.status_code < 500 for answer in answers)
        trap.shutdown(socket.SHUT_RDWR)
        watcher.join()
    assert visits == []


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "GIF"]), st.data())
def test_damaged_pictures_never_answer_500(client: httpx.Client, format: str, data: st.DataObject) -> None:
    picture = bytearray(encoded(digit("7", paper=WHITE).convert("RGB"), format))
    for _ in range(data.draw(st.integers(1, 8))):
        picture[data.draw(st.integers(0, len(picture) - 1))] = data.draw(st.integers(0, 255))
    response = client.post("/classify", content=bytes(picture), headers=PNG)
    assert response.status_code in (200, 413, 415, 422), response.text


def test_the_content_decides_not_the_name_or_the_type(client: httpx.Client) -> None:
    buffer = io.BytesIO(SEVEN)
    response = client.post("/classify", files={"image": ("misnamed.gif", buffer, "image/gif")})
    assert response.json()["label"] == "7"
