import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.trace import SpanKind
from starlette.requests import ClientDisconnect

from preprocessing import Tensor
from serving.errors import Problem
from serving.inference import batcher as batcher_module
from serving.inference.batcher import Batcher
from serving.inference.local_runner import ModelOutput
from serving.process.log_records import use_escaped_records
from serving.process.request_context import CURRENT, RequestContext

T = TypeVar("T")
WAIT_SECONDS = 10.0


class Model:
    """Doubles what it is given, notes the batches, and can be held and made to fail."""

    device = "cpu"
    provider = "CPUExecutionProvider"
    span_kind = SpanKind.INTERNAL

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.free = asyncio.Event()
        self.free.set()
        self.busy = asyncio.Event()
        self.poison: float | None = None
        self.closed = False

    @property
    def sizes(self) -> list[int]:
        return [len(batch) for batch in self.batches]

    async def run(self, batch: Tensor) -> list[ModelOutput]:
        assert not self.busy.is_set() or self.free.is_set(), "two calls at a time"
        self.batches.append([float(image.flat[0]) for image in batch])
        self.busy.set()
        await self.free.wait()
        if self.poison is not None and (batch == self.poison).any():
            raise RuntimeError("poisoned")
        return [ModelOutput(row, len(batch), self.provider, 0.0) for row in batch.reshape(len(batch), -1) * 2]

    def close(self) -> None:
        self.closed = True


def batcher(model: Model, *, max_batch_size: int = 8, max_queue: int = 64) -> Batcher:
    return Batcher(model, max_batch_size=max_batch_size, max_queue=max_queue)


def image(value: float) -> Tensor:
    return np.full((1, 2, 2), value, dtype=np.float32)


async def score(queue: Batcher, value: float, seconds: float = WAIT_SECONDS) -> ModelOutput:
    (scored,) = await queue.submit([image(value)], seconds=seconds)
    if isinstance(scored, Problem):
        raise scored
    return scored


def run(main: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        return await asyncio.wait_for(main(), WAIT_SECONDS)

    return asyncio.run(bounded())


async def held(queue: Batcher, model: Model) -> "asyncio.Task[ModelOutput]":
    """Submit image 0 and keep the model busy with it until ``model.free`` is set."""
    model.free.clear()
    task = asyncio.create_task(score(queue, 0))
    await model.busy.wait()
    return task


def test_single_image_is_processed_at_once() -> None:
    async def main() -> None:
        model = Model()
        queue = batcher(model)
        scored = await score(queue, 3)
        await queue.close()
        np.testing.assert_array_equal(scored.logits, [6, 6, 6, 6])
        assert model.sizes == [1]
        assert scored.batch_size == 1
        assert model.closed

    run(main)


def test_images_queued_while_the_model_is_busy_form_the_next_batch() -> None:
    async def main() -> None:
        model = Model()
        queue = batcher(model)
        tasks = [await held(queue, model)]
        tasks += [asyncio.create_task(score(queue, i)) for i in range(1, 13)]
        await asyncio.sleep(0)
        model.free.set()
        scored = await asyncio.gather(*tasks)
        assert model.sizes == [1, 8, 4]
        assert [float(s.logits[0]) for s in scored] == [2.0 * i for i in range(13)]

    run(main)


@settings(max_examples=30)
@given(
    st.lists(st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=12), min_size=1, max_size=12),
    st.integers(1, 9),
    st.sampled_from([None, 0]),
)
def test_each_image_gets_its_own_logits_when_others_fail(
    requests: list[list[float]], max_batch_size: int, bad: int | None
) -> None:
    async def main() -> None:
        model = Model()
        model.poison = None if bad is None else float(np.float32(requests[0][bad]))
        queue = batcher(model, max_batch_size=max_batch_size, max_queue=200)
        answers = await asyncio.gather(*(queue.submit([image(v) for v in values], seconds=WAIT_SECONDS) for values in requests))
        await queue.close()
        for values, scored in zip(requests, answers, strict=True):
            for value, one in zip(values, scored, strict=True):
                if value == model.poison:
                    assert isinstance(one, Problem)
                else:
                    assert isinstance(one, ModelOutput)
                    assert float(one.logits[0]) == 2 * np.float32(value)
        assert max(model.sizes) <= max_batch_size
        if bad is None:
            assert sum(model.sizes) == sum(map(len, requests))

    run(main)


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["stays", "cancelled", "late", "gone"]), min_size=1, max_size=20), st.integers(1, 5))
def test_cancelled_late_and_disconnected_images_are_not_computed(fates: list[str], max_batch_size: int) -> None:
    async def gone() -> bool:
        return True

    async def main() -> None:
        model = Model()
        queue = batcher(model, max_batch_size=max_batch_size)
        first = await held(queue, model)
        tasks = [
            asyncio.create_task(
                queue.submit(
                    [image(i)],
                    seconds=1e-6 if fate == "late" else WAIT_SECONDS,
                    is_disconnected=gone if fate == "gone" else None,
                )
            )
            for i, fate in enumerate(fates, 1)
        ]
        await asyncio.sleep(0)
        for task, fate in zip(tasks, fates, strict=True):
            if fate == "cancelled":
                task.cancel()
        await asyncio.sleep(0.001)  # deadlines of a microsecond pass
        model.free.set()
        await first
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await queue.close()
        wanted = [float(i) for i, fate in enumerate(fates, 1) if fate == "stays"]
        assert [value for batch in model.batches[1:] for value in batch] == wanted
        for fate, result in zip(fates, results, strict=True):
            if fate == "stays":
                assert isinstance(result, list)
                assert isinstance(result[0], ModelOutput)
            elif fate == "late":
                assert isinstance(result, list)
                assert isinstance(result[0], Problem)
                assert result[0].code == "deadline"
            else:
                assert isinstance(result, ClientDisconnect if fate == "gone" else asyncio.CancelledError)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batcher_module, "DISCONNECT_CHECK_SECONDS", -1.0)
        run(main)


def test_failed_images_of_a_disconnected_client_log_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone() -> bool:
        return True

    async def main() -> None:
        news: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: news.append(context))
        queue = batcher(Model())
        with pytest.raises(ClientDisconnect):
            await queue.submit([image(i) for i in range(3)], seconds=WAIT_SECONDS, is_disconnected=gone)
        gc.collect()
        await asyncio.sleep(0)
        assert news == []
        assert isinstance(await score(queue, 1), ModelOutput)

    monkeypatch.setattr(batcher_module, "DISCONNECT_CHECK_SECONDS", -1.0)
    run(main)


def test_disconnects_are_checked_only_after_an_interval() -> None:
    async def main() -> None:
        asked = 0

        async def gone() -> bool:
            nonlocal asked
            asked += 1
            return False

        model = Model()
        queue = batcher(model)
        await queue.submit([image(1)], seconds=WAIT_SECONDS, is_disconnected=gone)
        assert asked == 0

    run(main)


def test_full_queue_refuses_a_request_as_a_whole() -> None:
    async def main() -> None:
        model = Model()
        queue = batcher(model, max_batch_size=1, max_queue=2)
        tasks = [await held(queue, model), asyncio.create_task(score(queue, 1))]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await queue.submit([image(2), image(3)], seconds=WAIT_SECONDS)
        assert refused.value.code == "overloaded"
        assert refused.value.response().headers["retry-after"] == "1"
        tasks.append(asyncio.create_task(score(queue, 4)))
        await asyncio.sleep(0)
        model.free.set()
        await asyncio.gather(*tasks)
        assert model.batches == [[0], [1], [4]]

    run(main)


def test_failing_image_does_not_fail_its_batch() -> None:
    async def main() -> None:
        model = Model()
        model.poison = 5
        queue = batcher(model)
        four, five, six = await queue.submit([image(4), image(5), image(6)], seconds=WAIT_SECONDS)
        assert isinstance(four, ModelOutput)
        assert isinstance(six, ModelOutput)
        assert isinstance(five, Problem)
        assert five.code == "unavailable"
        assert model.batches == [[4, 5, 6], [4], [5], [6]]

    run(main)


def test_close_processes_the_queue_and_refuses_new_images() -> None:
    async def main() -> None:
        model = Model()
        queue = batcher(model)
        tasks = [await held(queue, model)] + [asyncio.create_task(score(queue, i)) for i in range(3)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(queue.close())
        await asyncio.sleep(0)
        with pytest.raises(Problem, match="shutting down"):
            await score(queue, 9)
        assert not model.closed
        model.free.set()
        await closing
        assert model.closed
        assert len(await asyncio.gather(*tasks)) == 4

    run(main)


def test_a_failing_image_is_logged_under_the_id_of_its_own_request(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        model = Model()
        model.free.clear()
        model.poison = 3.0
        queue = batcher(model)

        async def request(number: float) -> None:
            CURRENT.set(RequestContext(f"request-{number:g}"))
            await asyncio.gather(score(queue, number), return_exceptions=True)

        requests = [asyncio.create_task(request(number)) for number in (1.0, 2.0, 3.0, 4.0)]
        await model.busy.wait()
        model.free.set()
        await asyncio.gather(*requests)
        assert model.sizes == [4, 1, 1, 1, 1]
        await queue.close()

    before = logging.getLogRecordFactory()
    use_escaped_records()
    try:
        run(main)
    finally:
        logging.setLogRecordFactory(before)
    (record,) = (record for record in caplog.records if record.name == "bentoml.serving")
    assert record.__dict__["request"].request_id == "request-3"
