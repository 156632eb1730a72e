"""Where images are prepared, for how long, and for whom."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from time import perf_counter
from typing import TypeVar

import pytest
from PIL import Image
from starlette.requests import ClientDisconnect

from loadtests.fuzz.formats import bmp, jpeg_with, progressive, segment
from loadtests.fuzz.png import chunk, png_with
from preprocessing import Geometry, ImageLimits, InputSpec, StrippedImage
from serving.errors import Problem
from serving.inference import cancellation, image_processor
from serving.inference.cancellation import CancellationToken
from serving.inference.image_preprocessor import ImagePreprocessor, PreprocessedImage
from serving.inference.image_processor import THREADS_PER_REQUEST
from serving.settings import Settings
from tests.support.cost import relative_cost
from tests.support.pictures import WHITE, digit, encoded
from tests.support.waiting import until_in_loop

T = TypeVar("T")

SPEC = InputSpec(
    height=28,
    width=28,
    geometry=Geometry(fit_box=20, centring="mass", polarity="light_on_dark"),
)
SEVEN = encoded(digit("7"))
PHOTO = digit("7", paper=WHITE).convert("RGB")
LARGE = encoded(PHOTO.resize((600, 600)), "JPEG")


def speckled() -> Image.Image:
    """A seven on specks, which cannot be packed well."""
    specks = Image.effect_noise((280, 280), 20).point(lambda level: min(255, level + 90)).convert("RGB")
    specks.paste((0, 0, 0), mask=digit("7").getchannel("A"))
    return specks


class Watched(ImagePreprocessor):
    """Notes what is prepared, in which thread and how many at a time; pictures in threads take until they are let go."""

    def __init__(self, limits: ImageLimits | None = None) -> None:
        super().__init__([SPEC], limits or ImageLimits())
        self.loop_thread = threading.get_ident()
        self.inline: list[StrippedImage] = []
        self.threaded: list[StrippedImage] = []
        self.most = 0
        self.open = threading.Semaphore(10_000)
        self._at_work = 0
        self._lock = threading.Lock()

    def hold(self) -> None:
        """Have pictures in threads wait; every ``open.release()`` lets one go."""
        self.open = threading.Semaphore(0)

    def _finish(self, found: StrippedImage, started: float) -> PreprocessedImage:
        if threading.get_ident() == self.loop_thread:
            self.inline.append(found)
            return super()._finish(found, started)
        with self._lock:
            self.threaded.append(found)
            self._at_work += 1
            self.most = max(self.most, self._at_work)
        assert self.open.acquire(timeout=20)
        try:
            return super()._finish(found, started)
        finally:
            with self._lock:
                self._at_work -= 1


def patient(seconds: float = 60.0, is_disconnected: Callable[[], Awaitable[bool]] | None = None) -> CancellationToken:
    """A request with so much time."""
    return CancellationToken(perf_counter() + seconds, is_disconnected)


async def leave() -> bool:
    """A client that is not there any more."""
    return True


@pytest.fixture(autouse=True)
def asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the client is there is asked every time."""
    monkeypatch.setattr(cancellation, "DISCONNECT_CHECK_SECONDS", -1.0)


@pytest.mark.parametrize(
    ("name", "data", "inline"),
    [
        ("a canvas", SEVEN, True),
        ("a small photo", encoded(PHOTO, "JPEG", progressive=True), True),
        ("a bitmap", encoded(PHOTO.resize((100, 100)), "BMP"), True),
        ("a small WebP", encoded(PHOTO.resize((64, 64)), "WEBP"), True),
        ("a lossless WebP", encoded(digit("7"), "WEBP", lossless=True), True),
        ("many codes", encoded(speckled(), "WEBP", lossless=True), False),
        ("a large drawing", encoded(digit("7").resize((1050, 800))), True),
        ("a drawing of many pixels", encoded(digit("7").resize((1001, 1000))), False),
        ("many pixels", encoded(PHOTO.resize((401, 400)), "JPEG"), False),
        ("many pixels of a palette", encoded(PHOTO.resize((401, 400)).quantize(8)), False),
        ("many bytes", png_with(SEVEN, [chunk(b"tEXt", bytes(70_000))]), False),
        ("many chunks", png_with(SEVEN, [chunk(b"tEXt")] * 200), False),
        ("many segments", jpeg_with(encoded(PHOTO, "JPEG"), *[segment(0xFE, b"")] * 200), False),
        ("many scans", progressive(PHOTO.convert("L").resize((400, 400)), 40), False),
        ("runs", bmp(b"\x40\x07\0\0" * 64, 64, 64, 8, compression=1, palette=bytes(28) + b"\xff" * 996), False),
    ],
)
def test_only_small_images_are_preprocessed_in_the_event_loop(name: str, data: bytes, inline: bool) -> None:
    async def prepare() -> Watched:
        watched = Watched()
        found = await watched.run_one(data, patient())
        assert (found.code if isinstance(found, Problem) else "") == ("no_ink" if name == "runs" else "")
        return watched

    watched = asyncio.run(prepare())
    assert (len(watched.inline), len(watched.threaded)) == ((1, 0) if inline else (0, 1))


def test_results_of_a_batch_are_in_order() -> None:
    body = memoryview(b"head" + SEVEN + LARGE)
    images: Sequence[bytes | memoryview] = [
        SEVEN, LARGE, b"", body[4 : 4 + len(SEVEN)], body[4 + len(SEVEN) :], LARGE[:5000], encoded(Image.new("L", (900, 900))),
    ]  # fmt: skip
    found = asyncio.run(ImagePreprocessor([SPEC], ImageLimits()).run_many(images, patient()))
    codes = [one.code if isinstance(one, Problem) else "" for one in found]
    assert codes == ["", "", "unsupported_media", "", "", "undecodable", "no_ink"]
    same = [one.tensor.tobytes() for one in found if isinstance(one, PreprocessedImage)]
    assert same[0] == same[2] and same[1] == same[3]


def test_an_image_of_a_batch_that_has_too_many_bytes_fails_alone() -> None:
    limits = Settings(max_image_bytes=4096).limits
    found = asyncio.run(ImagePreprocessor([SPEC], limits).run_many([SEVEN, SEVEN + bytes(8000)], patient()))
    assert isinstance(found[0], PreprocessedImage)
    assert isinstance(found[1], Problem)
    assert found[1].code == "too_large"
    assert f"{len(SEVEN) + 8000:,} bytes; at most 4,096 are allowed" in found[1].detail


def test_no_large_image_is_started_after_the_deadline() -> None:
    async def prepare() -> None:
        watched = Watched()
        watched.hold()
        batch = asyncio.ensure_future(watched.run_many([LARGE] * 50, patient(0.3)))
        await until_in_loop(lambda: bool(watched.threaded))
        with pytest.raises(Problem) as caught:
            await asyncio.wait_for(batch, 60)  # while everything that was begun is held
        assert caught.value.code == "deadline"
        begun = len(watched.threaded)
        watched.open.release(100)
        await watched.run_one(LARGE, patient())  # behind all that was begun
        assert begun == THREADS_PER_REQUEST
        assert len(watched.threaded) == begun + 1

    asyncio.run(prepare())


def test_no_small_image_is_started_after_the_deadline() -> None:
    async def prepare() -> None:
        watched = Watched()
        with pytest.raises(Problem) as caught:
            await watched.run_many([SEVEN] * 256, patient(0.0))
        assert caught.value.code == "deadline"
        with pytest.raises(Problem):
            await watched.run_one(SEVEN, patient(0.0))
        assert len(watched.inline) < 20

    asyncio.run(prepare())


def test_images_of_a_disconnected_client_are_not_started() -> None:
    there = True

    async def gone() -> bool:
        return not there

    async def prepare() -> None:
        nonlocal there
        watched = Watched()
        watched.hold()
        batch = asyncio.ensure_future(watched.run_many([LARGE] * 50, patient(is_disconnected=gone)))
        await until_in_loop(lambda: len(watched.threaded) == THREADS_PER_REQUEST)
        there = False
        watched.open.release(100)
        with pytest.raises(ClientDisconnect):
            await batch
        await watched.run_one(LARGE, patient())
        assert len(watched.threaded) <= 2 * THREADS_PER_REQUEST + 1
        with pytest.raises(ClientDisconnect):
            await watched.run_many([SEVEN] * 256, patient(is_disconnected=leave))
        assert len(watched.inline) < 20

    asyncio.run(prepare())


def test_image_waiting_for_a_thread_is_dropped_when_its_client_disconnects() -> None:
    async def prepare() -> None:
        watched = Watched()
        watched.hold()
        threads = int(image_processor.THREADS.total_tokens)
        busy = [asyncio.ensure_future(watched.run_one(LARGE, patient())) for _ in range(threads)]
        await until_in_loop(lambda: len(watched.threaded) == len(busy))
        waits = asyncio.ensure_future(watched.run_one(LARGE, CancellationToken(perf_counter() + 60, leave_soon())))
        late = asyncio.ensure_future(watched.run_one(LARGE, patient(0.05)))
        with pytest.raises(Problem, match="Not answered in time"):
            await late
        watched.open.release(100)
        with pytest.raises(ClientDisconnect):
            await waits
        await asyncio.gather(*busy)
        assert len(watched.threaded) == len(busy)

    asyncio.run(prepare())


def leave_soon() -> Callable[[], Awaitable[bool]]:
    """A client that is there when it is first asked for."""
    asked = 0

    async def gone() -> bool:
        nonlocal asked
        asked += 1
        return asked > 1

    return gone


def test_batch_of_large_images_leaves_threads_to_other_requests() -> None:
    async def prepare() -> None:
        batches, other = Watched(), Watched()
        batches.hold()
        running = [asyncio.ensure_future(batches.run_many([LARGE] * 40, patient())) for _ in range(3)]
        await until_in_loop(
            lambda: len(batches.threaded) >= min(3 * THREADS_PER_REQUEST, int(image_processor.THREADS.total_tokens))
        )
        single = asyncio.ensure_future(other.run_one(LARGE, patient()))
        await asyncio.sleep(0)
        begun = len(batches.threaded)
        while not single.done():  # one picture after the other is done
            batches.open.release()
            await asyncio.sleep(0.001)
        await single
        assert len(batches.threaded) - begun <= 3 * THREADS_PER_REQUEST + 2
        batches.open.release(1000)
        assert [len(done) for done in await asyncio.gather(*running)] == [40] * 3

    asyncio.run(prepare())


def test_one_batch_uses_at_most_half_of_the_threads() -> None:
    async def prepare() -> None:
        watched = Watched()
        found = await watched.run_many([LARGE] * 12, patient())
        assert all(isinstance(one, PreprocessedImage) for one in found)
        assert watched.most <= THREADS_PER_REQUEST

    asyncio.run(prepare())


def test_file_inspection_does_not_block_the_loop() -> None:
    worst = [
        png_with(SEVEN, [chunk(b"tEXt")] * 5000),
        encoded(PHOTO, "JPEG") + b"\xff\xda\0\x02" * 10_000,
        png_with(SEVEN, [chunk(b"eXIf", b"MM\0*\0\0\0\x08\xff\xff" + bytes(60_000))]),
    ]
    watched = Watched()
    for data in worst:
        assert len(data) < image_processor.INLINE_BYTES + 6000
        assert relative_cost(partial(watched._run_inline, data), rounds=5) < 10


def test_warm_up_covers_every_image_format() -> None:
    assert ImagePreprocessor([SPEC], ImageLimits()).warm_up().tensors[0].shape == (1, 28, 28)
