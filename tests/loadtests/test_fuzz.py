"""The fuzzer generates the intended images and checks responses, and a service survives it."""

import io
import warnings
from random import Random

import httpx
import numpy as np
import pytest
from PIL import Image

from loadtests.fuzz.__main__ import FuzzReport
from loadtests.fuzz.corpus import random_image
from loadtests.fuzz.malicious import malicious_files
from loadtests.fuzz.mutation import fix_checksums, mutate
from loadtests.fuzz.png import GREY, PNG, png_of_samples
from loadtests.fuzz.rare_formats import rare_files
from loadtests.fuzz.requests import ALLOWED, bad_request, generate, run
from loadtests.generator.recorder import Recorder, by_success
from loadtests.images import LABEL
from loadtests.requests import Request, Response, find_fault
from tests.support.processes import free_port

ANY = Request("any", statuses=ALLOWED, good=False)
PROBLEM = b'{"status": 422, "code": "undecodable"}'
HEADERS = {b"content-type": b"application/problem+json"}


def test_random_images_are_valid_and_of_many_kinds() -> None:
    rng, kinds = Random(0), set()
    for _ in range(400):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's on broken profiles and metadata
            image = Image.open(io.BytesIO(random_image(rng)))
            image.load()
        kinds.add((image.format, image.mode))
    assert {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"} <= {mode for format, mode in kinds if format == "PNG"}
    assert {("JPEG", "CMYK"), ("JPEG", "L"), ("JPEG", "RGB"), ("WEBP", "RGB"), ("WEBP", "RGBA")} <= kinds
    assert {("BMP", "1"), ("BMP", "P"), ("BMP", "RGB"), ("GIF", "P"), ("GIF", "L")} <= kinds


def test_checksums_are_corrected() -> None:
    file = io.BytesIO()
    Image.new("L", (9, 9)).save(file, "PNG")
    data = bytearray(file.getvalue())
    data[19] ^= 1  # the width, and so a wrong checksum
    assert fix_checksums(bytes(data)) != bytes(data)
    assert Image.open(io.BytesIO(fix_checksums(bytes(data)))).size != (9, 9)
    assert fix_checksums(file.getvalue()) == file.getvalue()
    assert fix_checksums(b"\xff\xd8\xff") == b"\xff\xd8\xff"


def test_mutation_changes_files_and_never_fails() -> None:
    rng = Random(1)
    image = random_image(rng)
    changed = [mutate(image, rng) for _ in range(300)]
    assert sum(one != image for one in changed) > 250
    assert mutate(b"", rng) == b""
    assert any(one.startswith(PNG) for one in changed) or not image.startswith(PNG)


def test_unreachable_service_is_a_fault_for_every_request() -> None:
    recorder = Recorder()
    run(f"http://127.0.0.1:{free_port()}", [ANY] * 3, recorder.add)
    assert recorder.faults == {"any: no response": 3}


def test_same_seed_generates_the_same_requests() -> None:
    first, again = list(generate(60, 5)), list(generate(60, 5))
    assert first == again != list(generate(60, 6))
    requests = list(generate(400, 5))
    assert {request.name.split()[0].partition("?")[0] for request in requests} == {
        *("/classify", "/classify/batch", "/explain", "/gallery")
    }
    assert 20 < sum(request.good for request in requests) < 60
    assert all(request.labels for request in requests if request.good)


def test_every_check_can_fail() -> None:
    def failed(growth_mb: float = 0.0, lost: int = 0, seconds: float = 0.01, status: int = 422, good: int = 200) -> list[str]:
        recorder = Recorder(kind=by_success)
        for _ in range(100):
            recorder.add(ANY, Response(status, seconds, PROBLEM, HEADERS))
        recorder.add(Request("good"), Response(good))
        report = FuzzReport(recorder, growth_mb, lost)
        names = [check.name.split()[0] for check in report.checks() if not check.passed]
        assert report.passed == (not names)
        assert report.text().count("**no**") == len(names)
        return names

    assert failed() == []
    assert failed(growth_mb=65) == ["memory"]
    assert failed(lost=1) == ["processes"]
    assert failed(seconds=0.2) == ["refused,"]
    assert failed(good=422) == ["good"]
    assert failed(status=500) == ["5xx", "responses"]
    assert failed(status=504) == ["5xx", "responses"]


def test_rare_files_have_the_format_in_their_name() -> None:
    formats: set[str | None] = set()
    for name, file in rare_files().items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's on broken profiles and metadata
            if file.statuses == {200}:
                image = Image.open(io.BytesIO(file.data))
                image.load()
                assert name.startswith({"MPO": "JPEG"}.get(image.format or "", image.format or "").replace("WEBP", "WebP"))
                formats.add(image.format)
    assert formats == {"PNG", "JPEG", "WEBP", "MPO", "BMP", "GIF"}


@pytest.mark.parametrize("interlaced", [False, True])
def test_png_of_samples_keeps_the_samples(interlaced: bool) -> None:
    for depth in (1, 2, 4, 8):
        ramp = np.arange(11 * 13, dtype=np.uint16).reshape(11, 13, 1) % 2**depth
        image = Image.open(io.BytesIO(png_of_samples(ramp, GREY, depth, interlaced=interlaced)))
        assert np.array_equal(np.asarray(image.convert("L")), ramp[:, :, 0] * (255 // (2**depth - 1)))
    ramp = np.arange(11 * 13, dtype=np.uint16).reshape(11, 13, 1) * 450
    assert np.array_equal(
        np.asarray(Image.open(io.BytesIO(png_of_samples(ramp, GREY, 16, interlaced=interlaced)))), ramp[:, :, 0]
    )


def received(response: httpx.Response) -> Response:
    """Convert a response of httpx."""
    headers = {name.lower(): value for name, value in response.headers.raw}
    return Response(response.status_code, 0.1, response.content, headers)


@pytest.mark.served
def test_rare_files_are_read_or_refused_for_the_right_reason(service_address: str) -> None:
    faults = {}
    with httpx.Client(base_url=service_address, timeout=60) as client:
        for name, file in rare_files().items():
            for path in ("/classify", "/explain", "/gallery"):
                response = client.post(path, content=file.data)
                success = response.status_code in (200, 201)
                label = response.json()["label"] if success and file.has_label else LABEL
                status = 200 if success else response.status_code
                if find_fault(ANY, received(response)) or label != LABEL or status not in file.statuses:
                    faults[f"{path}: {name}"] = response.text[:200]
    assert faults == {}


@pytest.mark.served
def test_service_survives_fuzzing(service_address: str) -> None:
    recorder = Recorder()
    requests = [
        bad_request("/classify", {"model": model}, data, "image/png")
        for data in malicious_files().values()
        for model in ("digits", "fashion")
    ]
    requests += generate(600, 9)
    run(service_address, requests, recorder.add)
    assert recorder.faults == {}, recorder.examples
    assert recorder.statuses.total() == len(requests)
    assert len(recorder.statuses) > 4


@pytest.mark.served
def test_unknown_paths_leave_no_series_in_the_metrics(service_address: str) -> None:
    def series() -> list[str]:
        return [line for line in client.get("/metrics").text.splitlines() if "bentoml_service_request_total" in line]

    with httpx.Client(base_url=service_address, timeout=60) as client:
        for number in range(200):
            assert client.get(f"/nowhere/{number}").status_code == 404
            assert client.get(f"/gallery/{number:08x}-0000-4000-8000-000000000000").status_code == 404
        found = series()
    assert not [line for line in found if "nowhere" in line or "-4000-" in line]
    assert any('endpoint="other"' in line for line in found)
    assert any('endpoint="/gallery/{id}"' in line for line in found)
