"""Batching in real `bentoml serve` processes, embedded and with a runner: seen in the answers and, inside the sessions, in the
metrics."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import psutil
import pytest

from loadtests.samples import samples
from models.card import CARD_FILE, SequenceCard, read_card
from models.reference import QUANTITIES
from models.store import card_folders
from serving.inference.cancellation import DISCONNECT_CHECK_SECONDS
from tests.support.load import post_all
from tests.support.metrics import Counted, scrape
from tests.support.pictures import WHITE, digit, encoded
from tests.support.processes import free_port, halt, processes_of, refused_start, start_service
from tests.support.waiting import until

pytestmark = pytest.mark.served

SEVEN = encoded(digit("7"))
PAPER_SEVEN = encoded(digit("7", paper=WHITE))
REQUESTS = 400
TAKEN = ("digits", "characters") * 6
PATIENT = "tests.served.patient:ImageClassifier"


@pytest.fixture(scope="module")
def runner_address(model_store: Path) -> Iterator[str]:
    with start_service(model_store, free_port(), TOPOLOGY="runner") as address:
        yield address


@pytest.fixture(params=["embedded", "runner"])
def address(request: pytest.FixtureRequest) -> str:
    fixture = "service_address" if request.param == "embedded" else "runner_address"
    return str(request.getfixturevalue(fixture))


def post_batch(address: str, images: list[bytes], path: str = "/classify/batch") -> httpx.Response:
    files = [("images", (f"{i}.png", data, "image/png")) for i, data in enumerate(images)]
    return httpx.post(f"{address}{path}", files=files, timeout=30)


def test_under_load_images_share_calls_of_the_session_and_answers_stay_the_same(address: str) -> None:
    # The largest model: images wait for its session rather than for their preparation, however busy the machine is.
    path = "/classify?model=fashion"
    pictures = samples()
    alone = {}
    counted = Counted(address)
    for picture in pictures:
        answer = httpx.post(f"{address}{path}", content=picture.data, timeout=30).json()
        assert answer["batch_size"] == 1
        alone[picture.data] = answer
    assert counted("batch_size_count{cpu,fashion}") == counted("batch_size_sum{cpu,fashion}") == len(pictures)
    counted = Counted(address)
    images = [pictures[i % len(pictures)].data for i in range(REQUESTS)]
    for data, response in zip(images, asyncio.run(post_all(address, images, path)), strict=True):
        answer, expected = response.json(), alone[data]
        assert answer["label"] == expected["label"]
        assert answer["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)
    assert counted("batch_size_sum{cpu,fashion}") == REQUESTS
    assert counted("batch_size_count{cpu,fashion}") < REQUESTS * 0.75
    assert counted("batch_size_bucket{cpu,1.0,fashion}") < REQUESTS * 0.5


def test_what_is_counted_adds_up_over_the_workers(address: str) -> None:
    counted = Counted(address)
    responses = asyncio.run(post_all(address, [SEVEN] * 40 + [b"no picture"] * 10 + [SEVEN[:90]] * 7))
    assert sorted({response.status_code for response in responses}) == [200, 415, 422]
    assert counted("images_total{digits}") == 40
    assert counted("observed_images_total{7,digits,label}") == counted("observed_images_total{false,digits,rejected}") == 40
    assert counted.observed("digits") == dict.fromkeys(QUANTITIES, 40)
    assert counted("errors_total{unsupported_media}") == 10
    assert counted("errors_total{undecodable}") == 7
    for stage in ("decode", "preprocess", "queue", "inference"):
        assert counted(f"stage_duration_seconds_count{{{stage}}}") == 40
        assert counted(f"stage_duration_seconds_sum{{{stage}}}") > 0
    assert (
        counted("stage_duration_seconds_bucket{0.0001,inference}")
        <= counted("stage_duration_seconds_bucket{10.0,inference}")
        == 40
    )
    samples_now = scrape(address)
    until(lambda: scrape(address)["queue_depth{cpu,digits}"] == 0)
    assert samples_now["sessions{cpu,digits,CPUExecutionProvider}"] >= 1
    assert samples_now["gpu_fallback{digits}"] == 0


def test_references_do_not_add_up_over_the_workers(address: str) -> None:
    found = scrape(address)
    for folder in card_folders():
        card = read_card(folder / CARD_FILE)
        if isinstance(card, SequenceCard):
            assert found[f"reference_images{{{card.name}}}"] == 0
            continue
        assert card.reference is not None
        assert found[f"reference_images{{{card.name}}}"] == card.reference.n
        for quantity in QUANTITIES:
            for name, share in zip(card.reference.bins(quantity), card.reference.shares(quantity), strict=True):
                assert found[f"reference_share{{{name},{card.name},{quantity}}}"] == pytest.approx(share)
                assert f"observed_images_total{{{name},{card.name},{quantity}}}" in found


def test_an_image_is_compared_once_with_the_reference_of_the_model_that_was_asked(address: str) -> None:
    counted = Counted(address)
    image = httpx.post(f"{address}/classify?model=characters", content=SEVEN, timeout=30)
    explained = httpx.post(f"{address}/explain?model=characters", content=SEVEN, timeout=30)
    batch = post_batch(address, [SEVEN, b"no picture"], "/classify/batch?model=characters")
    assert {response.status_code for response in (image, explained, batch)} == {200}
    assert counted.observed("characters") == dict.fromkeys(QUANTITIES, 2)
    for stage in ("category", "digits", "letters"):
        assert counted.observed(stage) == dict.fromkeys(QUANTITIES, 0)


def described(address: str, name: str) -> dict[str, Any]:
    """What GET /models says of one model."""
    entry: dict[str, Any] = next(one for one in httpx.get(f"{address}/models").json()["models"] if one["name"] == name)
    return entry


@pytest.mark.parametrize("name", [read_card(folder / CARD_FILE).name for folder in card_folders()])
def test_every_model_of_the_catalogue_answers(address: str, name: str) -> None:
    card = described(address, name)["card"]
    for path in ("/classify", "/explain"):
        response = httpx.post(f"{address}{path}", content=PAPER_SEVEN, params={"model": name}, timeout=30)
        assert response.status_code == 200, response.text
        answer = response.json()
        assert (answer["model"], answer["version"]) == (name, card["version"])
        if card["task"] == "sequence":
            assert list(answer["probabilities"]) == [entry["label"] for entry in answer["top"]]
            assert answer["label"] == "7" == answer["characters"][0]["label"]
            continue
        assert list(answer["probabilities"]) == card["labels"]
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert (answer["category"] is None) == (card["task"] == "classify")
        assert answer["characters"] is None
    (entry,) = post_batch(address, [PAPER_SEVEN], f"/classify/batch?model={name}").json()
    assert entry["label"] == answer["label"]


def test_models_and_explain_tell_the_same_in_both_topologies(address: str) -> None:
    model = described(address, "digits")
    assert model["providers"] == ["CPUExecutionProvider"]
    assert model["devices"]["cpu"] == {"available": True, "reason": None}
    assert model["devices"]["gpu"]["reason"] == "The installed onnxruntime has no CUDAExecutionProvider."
    refused = httpx.post(f"{address}/classify", content=SEVEN, params={"device": "gpu"})
    assert (refused.status_code, refused.json()["code"]) == (409, "device_unavailable")
    explained = httpx.post(f"{address}/explain", content=SEVEN, timeout=30).json()
    assert (explained["label"], explained["heatmap"]["note"][:8]) == ("7", "Covering")


def test_a_batch_is_answered_in_order_and_a_bad_image_fails_alone(address: str) -> None:
    images = [encoded(digit(name)) for name in "7147147"]
    response = post_batch(address, [*images[:3], b"no picture", *images[3:], b"", SEVEN[:90]])
    assert response.status_code == 200
    entries = response.json()
    assert [entry.get("label", entry.get("code")) for entry in entries] == [
        *("7", "1", "4", "unsupported_media", "7", "1", "4", "7", "unsupported_media", "undecodable"),
    ]
    assert entries[3]["status"] == 415
    assert entries[0]["batch_size"] == 7
    assert list(entries[0]) == list(httpx.post(f"{address}/classify", content=SEVEN).json())


def test_invalid_batch_request_is_refused(service_address: str) -> None:
    assert httpx.post(f"{service_address}/classify/batch", content=SEVEN).json()["code"] == "bad_request"
    no_file = httpx.post(f"{service_address}/classify/batch", files={"model": (None, "digits")})
    assert (no_file.status_code, no_file.json()["code"]) == (400, "bad_request")
    text = httpx.post(f"{service_address}/classify/batch", data={"images": "http://host/x.png"}, files={"other": b""})
    assert (text.status_code, text.json()["code"]) == (400, "bad_request")
    many = post_batch(service_address, [b"x"] * 257)
    assert (many.status_code, many.json()["code"]) == (413, "too_large")
    unknown = post_batch(service_address, [SEVEN], "/classify/batch?model=cats")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_model")


def test_one_call_of_the_model_for_every_full_batch_and_no_more_than_the_queue_holds(model_store: Path) -> None:
    settings = {"WORKERS": "1", "MAX_BATCH_SIZE": "8", "MAX_QUEUE": "20"}
    with start_service(model_store, free_port(), **settings) as address:
        counted = Counted(address)
        sizes = [entry["batch_size"] for entry in post_batch(address, [SEVEN] * 20).json()]
        assert sizes == [8] * 16 + [4] * 4
        assert counted("batch_size_count{cpu,digits}") == 3
        assert post_batch(address, [SEVEN] * 21).status_code == 413
        small = next(picture.data for picture in samples())
        responses: list[httpx.Response] = []
        refused: list[httpx.Response] = []
        while not refused and len(responses) < 240:  # a client that is slow sends them one after the other
            responses += asyncio.run(_batches(address, [small] * 20, 12))
            refused = [response for response in responses if response.status_code != 200]
        assert refused
        assert {(response.status_code, response.headers["retry-after"]) for response in refused} == {(429, "1")}
        answered = [response.json() for response in responses if response.status_code == 200]
        assert all(entry["label"] == answered[0][0]["label"] for entries in answered for entry in entries)
        assert counted("errors_total{overloaded}") == len(refused)


async def _batches(address: str, images: list[bytes], requests: int) -> list[httpx.Response]:
    files = [("images", (f"{i}.png", data, "image/png")) for i, data in enumerate(images)]
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        return list(await asyncio.gather(*(client.post("/classify/batch", files=files) for _ in range(requests))))


def test_past_the_deadline_nothing_is_computed(model_store: Path) -> None:
    with start_service(model_store, free_port(), DEADLINE_SECONDS="0.0001", WORKERS="1") as address:
        counted = Counted(address)
        responses = asyncio.run(post_all(address, [SEVEN] * 20))
        assert {(response.status_code, response.json()["code"]) for response in responses} == {(504, "deadline")}
        assert counted("errors_total{deadline}") == 20
        assert counted("batch_size_count{cpu,digits}") == 0


def test_images_of_clients_that_went_away_are_not_computed(model_store: Path) -> None:
    with start_service(model_store, free_port(), PATIENT, TOPOLOGY="runner", WORKERS="1") as address:
        assert httpx.post(f"{address}/classify", content=SEVEN).status_code == 200
        counted = Counted(address)
        runner = next(process for process in processes_of(address) if _is_runner(process))
        with halt(runner):
            answers = asyncio.run(_some_go_away(address, runner))
        assert [answer.json()["label"] for answer in answers] == ["7", "7"]
        assert counted("batch_size_sum{cpu,digits}") == 2
        assert counted("images_total{digits}") == 2


def test_what_was_taken_is_answered_before_the_end(cascade_store: Path) -> None:
    # Without a drain: a runner that stood still for five seconds would close its connections, which are idle to it.
    settings = {"CATALOGUE": str(cascade_store / "catalogue"), "DEFAULT_MODEL": "digits", "DRAIN_SECONDS": "0"}
    with start_service(cascade_store, free_port(), PATIENT, TOPOLOGY="runner", WORKERS="1", **settings) as address:
        processes = processes_of(address)
        runner = next(process for process in processes if _is_runner(process))
        arbiter = next(process for process in processes if process.parent() not in processes)
        with halt(runner):
            answers = asyncio.run(_end_while_waiting(address, arbiter, runner))
        assert [(answer.status_code, answer.json().get("label", answer.text)) for answer in answers] == [(200, "7")] * len(
            TAKEN
        )


async def _end_while_waiting(address: str, arbiter: psutil.Process, runner: psutil.Process) -> list[httpx.Response]:
    """Requests hold the models or wait for them; the service gets SIGTERM, and only then does the model go on."""
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        counted = Counted(address)
        requests = [asyncio.create_task(client.post("/classify", params={"model": model}, content=SEVEN)) for model in TAKEN]
        await _prepared(counted, len(TAKEN))
        arbiter.terminate()
        while await _listens(address):
            await asyncio.sleep(0.02)
        runner.resume()
        return list(await asyncio.gather(*requests))


async def _prepared(counted: Counted, n: int) -> None:
    """Wait until ``n`` images are ready for the model."""
    while await asyncio.to_thread(counted, "stage_duration_seconds_count{preprocess}") < n:
        await asyncio.sleep(0.02)


async def _listens(address: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=0.5) as client:
            return (await client.get(f"{address}/livez")).status_code == 200
    except httpx.TransportError:
        return False


def _is_runner(process: psutil.Process) -> bool:
    return "image_classifier_runner" in (process.info["cmdline"] or ())


async def _some_go_away(address: str, runner: psutil.Process) -> list[httpx.Response]:
    """One request holds the model; of three that wait behind it two go away before it is free again."""
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:

        async def waiting(n: int) -> None:
            while (await asyncio.to_thread(scrape, address)).get("queue_depth{cpu,digits}", 0) < n:
                await asyncio.sleep(0.02)

        counted = Counted(address)
        first = asyncio.create_task(client.post("/classify", content=SEVEN))
        await _prepared(counted, 1)
        rest = [asyncio.create_task(client.post("/classify", content=SEVEN)) for _ in range(3)]
        await waiting(3)
        queued = monotonic()
        rest[0].cancel()
        rest[2].cancel()
        await asyncio.gather(*rest[::2], return_exceptions=True)
        while monotonic() - queued < DISCONNECT_CHECK_SECONDS:
            await asyncio.sleep(0.01)
        runner.resume()
        return [await first, await rest[1]]


def test_a_working_gpu_means_a_runner_and_is_asked_first(model_store: Path) -> None:
    with start_service(model_store, free_port(), "tests.served.standin:ImageClassifier", WORKERS="1") as address:
        devices = described(address, "digits")["devices"]
        assert [devices[name]["available"] for name in ("cpu", "gpu")] == [True, True]
        counted = Counted(address)
        assert httpx.post(f"{address}/classify", content=SEVEN).json()["label"] == "7"
        assert counted("batch_size_count{gpu,digits}") == 1
        assert httpx.post(f"{address}/classify?device=cpu", content=SEVEN).json()["label"] == "7"
        assert counted("batch_size_count{cpu,digits}") == 1
        assert scrape(address)["sessions{gpu,digits,CPUExecutionProvider}"] == 1


def test_asking_for_a_gpu_that_is_not_there_stops_the_start(model_store: Path) -> None:
    said = refused_start(model_store, DEVICE="gpu")
    assert said == (
        "DEVICE=gpu, but there is no working GPU: The installed onnxruntime has no CUDAExecutionProvider. "
        "Install requirements/gpu.txt in place of requirements/bento.txt, or set DEVICE=cpu.\n"
    )
