"""What request bodies may hold of the memory, and that each is counted from before it is read until it is freed."""

import asyncio
import gc
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from serving.backpressure.body_budget import LARGE_BODY, Body, BodyBudget
from serving.errors import Problem
from serving.http import body_reader
from serving.http.body_reader import BodyHeaders, BodyReader
from serving.settings import CONNECTION_BUFFER, SMALL_BODY, Settings
from tests.serving.http.requests import reader, request
from tests.support.processes import ROOT
from tests.support.waiting import until_in_loop

MEGABYTE = 1_000_000


HELD_ONCE = """
import asyncio, re
from tests.serving.http.requests import reader, request

HEAD = b'--edge\\r\\nContent-Disposition: form-data; name="images"; filename="f"\\r\\n\\r\\n'
TAIL = b"\\r\\n--edge--"
FORM = "multipart/form-data; boundary=edge"
SIZE = 49_000_000

def peak():
    return int(re.search("VmHWM:\\\\s+([0-9]+)", open("/proc/self/status").read())[1]) * 1024

def pieces():
    yield HEAD
    for _ in range(245):
        yield bytes(SIZE // 245)
    yield TAIL

async def main():
    uploads = reader()
    await uploads.batch(request(FORM, [HEAD, b"x", TAIL], len(HEAD + TAIL) + 1))
    before = peak()
    made, body = request(FORM, [], len(HEAD + TAIL) + SIZE), pieces()

    async def receive():
        piece = next(body, b"")
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    made._receive = receive
    upload = await uploads.batch(made)
    assert [len(image) for image in upload.images] == [SIZE]
    print((peak() - before) / SIZE)

asyncio.run(main())
"""


def budget(limit: int, folder: Path | None = None, worker: int = 0) -> BodyBudget:
    return BodyBudget.shared(limit, folder, worker, 2)


def too_large(size: int, limit: int, at_least: bool) -> Problem:
    return Problem("too_large", f"{size} {limit} {at_least}")


async def read(bodies: BodyReader, made: Request, limit: int = 50 * MEGABYTE) -> bytes | Body:
    return await bodies.read(made, BodyHeaders.of(made.scope), limit, too_large)


def test_a_large_body_is_counted_before_it_is_read_until_it_is_freed() -> None:
    async def main() -> None:
        allowed = budget(100 * MEGABYTE)
        bodies = BodyReader(allowed, 10)
        stalled = asyncio.create_task(read(bodies, request("image/png", [b"x"], 10 * MEGABYTE, ends=False)))
        await until_in_loop(lambda: allowed.held > 0)
        assert allowed.held == 10 * MEGABYTE + CONNECTION_BUFFER
        body = await read(bodies, request("image/png", [bytes(MEGABYTE)] * 10, 10 * MEGABYTE))
        view = memoryview(body)[5:9]
        assert allowed.held == 2 * (10 * MEGABYTE + CONNECTION_BUFFER)
        bodies.abort()
        with pytest.raises(Problem, match="shutting down"):
            await stalled
        del body, stalled
        await until_in_loop(lambda: allowed.held == 10 * MEGABYTE + CONNECTION_BUFFER)
        assert bytes(view) == bytes(4)
        thread = Thread(target=view.release)
        thread.start()
        thread.join()
        await until_in_loop(lambda: allowed.held == 0)

    asyncio.run(main())


def test_many_chunked_bodies_are_read_at_a_limited_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_reader, "STEPS_AT_ONCE", 3)
    monkeypatch.setattr(body_reader, "STEP_SECONDS", 3600)

    def growing() -> Request:
        return request("", [bytes(SMALL_BODY), b"x"])

    async def main() -> None:
        bodies = BodyReader(budget(64 * MEGABYTE), 10)
        await asyncio.gather(*(read(bodies, growing()) for _ in range(3)))
        waiting = asyncio.create_task(read(bodies, growing()))
        drawings = (request("", [bytes(SMALL_BODY)]) for _ in range(10))
        photos = (request("", [bytes(MEGABYTE)], MEGABYTE) for _ in range(4))
        await asyncio.gather(*(read(bodies, made) for made in (*drawings, *photos)))
        assert not waiting.done()
        bodies.abort()
        with pytest.raises(Problem, match="shutting down"):
            await waiting

    asyncio.run(main())


def test_small_bodies_are_accepted_when_the_budget_is_full() -> None:
    async def main() -> None:
        allowed = budget(MEGABYTE)
        bodies = BodyReader(allowed, 10)
        held = []
        with pytest.raises(Problem) as refused:
            for _ in range(100):
                held.append(allowed.allocate(SMALL_BODY + 1))  # noqa: PERF401 - until it is refused
        assert (refused.value.status, refused.value.retry_after) == (429, 1)
        for made in (request("", [b"x" * SMALL_BODY], SMALL_BODY), request("", [b"x", b"y"], 2), request("", [b"x"] * 9)):
            assert set(await read(bodies, made)) <= set(b"xy")
        with pytest.raises(Problem, match="as many bytes"):
            await read(bodies, request("", [b"x"], SMALL_BODY + 1))

    asyncio.run(main())


def test_batches_leave_room_for_photos_and_photos_for_drawings() -> None:
    async def main() -> None:
        allowed = budget(256 * MEGABYTE)
        batches = [allowed.allocate(60 * MEGABYTE) for _ in range(2)]
        with pytest.raises(Problem):
            allowed.allocate(LARGE_BODY + 1)
        photos = [allowed.allocate(8 * MEGABYTE) for _ in range(8)]
        with pytest.raises(Problem):
            photos.append(allowed.allocate(8 * MEGABYTE))
        assert allowed.held <= 192 * MEGABYTE
        assert batches

    asyncio.run(main())


def test_chunked_body_is_counted_while_it_arrives() -> None:
    async def main() -> None:
        allowed = budget(8 * MEGABYTE)
        bodies = BodyReader(allowed, 10)
        body = await read(bodies, request("", [bytes(100_000)] * 30))
        assert len(body) == 3 * MEGABYTE
        assert 3 * MEGABYTE < allowed.held < 5 * MEGABYTE
        with pytest.raises(Problem) as refused:
            await read(bodies, request("", [bytes(100_000)] * 40))
        assert refused.value.code == "overloaded"
        with pytest.raises(Problem, match=r"^200000 150000 True$") as refused:
            await read(bodies, request("", [bytes(100_000)] * 40), 150_000)
        with pytest.raises(Problem, match=r"^5000000 3737856 False$"):  # more than could ever be let in
            await read(bodies, request("", [], 5 * MEGABYTE))

    asyncio.run(main())


def test_refused_or_aborted_bodies_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even until the next garbage collection, which may be far away where nobody asks for anything."""

    async def refused(bodies: BodyReader, made: Request, **limit: int) -> None:
        with pytest.raises((Problem, ClientDisconnect)):
            await read(bodies, made, **limit)

    async def broken_off(bodies: BodyReader) -> None:
        made = request("", [bytes(100_000)], MEGABYTE)
        receive = made._receive
        first = True

        async def hang_up() -> Any:
            nonlocal first
            message = await receive() if first else {"type": "http.disconnect"}
            first = False
            return message

        await refused(bodies, Request(made.scope, hang_up))

    async def cancelled(bodies: BodyReader) -> None:
        task = asyncio.create_task(read(bodies, request("", [bytes(100_000)], MEGABYTE, ends=False)))
        await until_in_loop(lambda: bodies.budget.held > 0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    bodies = BodyReader(budget(8 * MEGABYTE), 0.02)

    async def waiting(size: int) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(body_reader, "STEPS_AT_ONCE", 2)
            patched.setattr(body_reader, "STEP_SECONDS", 3600)
            await refused(BodyReader(bodies.budget, 0.02), request("", [bytes(size)] * 9))

    async def main() -> None:
        cases: list[Callable[[], Coroutine[Any, Any, None]]] = [
            lambda: refused(bodies, request("", [bytes(100_000)], MEGABYTE, ends=False)),
            lambda: refused(bodies, request("", [bytes(100_000)], ends=False)),
            lambda: refused(bodies, request("", [bytes(100_000)] * 9), limit=500_000),
            lambda: refused(bodies, request("", [bytes(100_000)] * 60)),
            lambda: broken_off(bodies),
            lambda: cancelled(bodies),
            lambda: waiting(500_000),
            lambda: waiting(4_000_000),
        ]
        for case in cases:
            await case()
            await until_in_loop(lambda: bodies.budget.held == 0)

    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()


def test_decoded_image_is_counted_and_its_base64_is_released() -> None:
    async def main() -> None:
        uploads = reader()
        text = b'{"image": "' + b"/9j/" * 500_000 + b'"}'
        upload = await uploads.image(request("application/json", [text], len(text)))
        assert len(upload.images[0]) == 1_500_000
        await until_in_loop(lambda: uploads.bodies.budget.held == 1_500_000 + CONNECTION_BUFFER)

    asyncio.run(main())


def test_workers_share_one_budget(tmp_path: Path) -> None:
    async def main() -> None:
        first, second = (budget(4 * MEGABYTE, tmp_path, worker) for worker in (0, 1))
        held = first.allocate(MEGABYTE), second.allocate(MEGABYTE)
        assert first.held == second.held == 2 * (MEGABYTE + CONNECTION_BUFFER)
        with pytest.raises(Problem):
            second.allocate(MEGABYTE)
        assert budget(4 * MEGABYTE, tmp_path, 1).held == MEGABYTE + CONNECTION_BUFFER  # the second was killed
        del held

    asyncio.run(main())


def test_oldest_of_too_many_small_bodies_is_aborted() -> None:
    async def main() -> None:
        bodies = BodyReader(budget(MEGABYTE), 10)
        most = bodies.budget.max_small
        stalled = [asyncio.create_task(read(bodies, request("", [b"x"], 2, ends=False))) for _ in range(most)]
        await asyncio.sleep(0)
        assert await read(bodies, request("", [b"drawing"], 7)) == b"drawing"
        with pytest.raises(Problem, match="was the oldest") as refused:
            await stalled[0]
        assert refused.value.status == 429
        assert not any(task.done() for task in stalled[1:])
        bodies.abort()
        assert len(await asyncio.gather(*stalled, return_exceptions=True)) == most

    asyncio.run(main())


def test_form_is_in_memory_once() -> None:
    """In a process of its own: the most memory it ever had is what tells."""
    ran = subprocess.run([sys.executable, "-c", HELD_ONCE], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert 0.9 < float(ran.stdout) < 1.3


def test_announced_batch_limit_fits_the_budget() -> None:
    settings = Settings(max_body_bytes_in_flight=8 * MEGABYTE)
    assert settings.announced["max_batch_bytes"] == budget(8 * MEGABYTE).largest == 4 * MEGABYTE - CONNECTION_BUFFER
    assert Settings().announced["max_batch_bytes"] == Settings().max_batch_bytes
