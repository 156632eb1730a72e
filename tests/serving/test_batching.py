import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preprocessing import Tensor
from serving.batching import Batcher, Scored
from serving.errors import Problem

T = TypeVar("T")
WAIT_SECONDS = 10.0


class Model:
    """Doubles what it is given, notes the batch sizes, and can be held and made to fail."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.free = threading.Event()
        self.free.set()
        self.busy = threading.Event()
        self.poison: float | None = None

    def __call__(self, batch: Tensor) -> Tensor:
        self.sizes.append(len(batch))
        self.busy.set()
        assert self.free.wait(WAIT_SECONDS)
        if self.poison is not None and (batch == self.poison).any():
            raise RuntimeError("poisoned")
        return batch.reshape(len(batch), -1) * 2


def batcher(model: Model, *, max_batch_size: int = 8, max_queue: int = 64, deadline_seconds: float = WAIT_SECONDS) -> Batcher:
    return Batcher(model, max_batch_size=max_batch_size, max_queue=max_queue, deadline_seconds=deadline_seconds)


def image(value: float) -> Tensor:
    return np.full((1, 2, 2), value, dtype=np.float32)


def run(main: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        return await asyncio.wait_for(main(), WAIT_SECONDS)

    return asyncio.run(bounded())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0)


def test_one_image_alone_waits_for_nobody() -> None:
    model = Model()

    async def main() -> Scored:
        queue = batcher(model)
        scored = await queue.submit(image(3))
        await queue.close()
        return scored

    scored = run(main)
    np.testing.assert_array_equal(scored.logits, [6, 6, 6, 6])
    assert model.sizes == [1]
    assert scored.batch_size == 1


def test_what_queues_while_the_model_is_busy_shares_the_next_batch() -> None:
    model = Model()

    async def main() -> list[Scored]:
        queue = batcher(model)
        model.free.clear()
        tasks = [asyncio.create_task(queue.submit(image(0)))]
        await until(model.busy.is_set)
        tasks += [asyncio.create_task(queue.submit(image(i))) for i in range(1, 13)]
        await asyncio.sleep(0)
        model.free.set()
        scored = await asyncio.gather(*tasks)
        await queue.close()
        return list(scored)

    scored = run(main)
    assert model.sizes == [1, 8, 4]
    assert [float(s.logits[0]) for s in scored] == [2.0 * i for i in range(13)]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=40), st.integers(1, 9))
def test_every_image_gets_its_own_logits(values: list[float], max_batch_size: int) -> None:
    model = Model()

    async def main() -> list[Scored]:
        queue = batcher(model, max_batch_size=max_batch_size)
        scored = await asyncio.gather(*(queue.submit(image(v)) for v in values))
        await queue.close()
        return list(scored)

    scored = run(main)
    assert [float(s.logits[0]) for s in scored] == [2 * np.float32(v) for v in values]
    assert max(model.sizes) <= max_batch_size
    assert sum(model.sizes) == len(values)


def test_a_full_queue_is_overloaded() -> None:
    model = Model()

    async def main() -> None:
        queue = batcher(model, max_batch_size=1, max_queue=2)
        model.free.clear()
        tasks = [asyncio.create_task(queue.submit(image(0)))]
        await until(model.busy.is_set)
        tasks += [asyncio.create_task(queue.submit(image(i))) for i in (1, 2)]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await queue.submit(image(3))
        assert refused.value.code == "overloaded"
        assert refused.value.response().headers["retry-after"] == "1"
        model.free.set()
        await asyncio.gather(*tasks)
        await queue.close()

    run(main)


def test_an_image_past_its_deadline_is_answered_and_never_computed() -> None:
    model = Model()

    async def main() -> None:
        queue = batcher(model, deadline_seconds=0.05)
        model.free.clear()
        first = asyncio.create_task(queue.submit(image(0)))
        await until(model.busy.is_set)
        with pytest.raises(Problem) as late:
            await queue.submit(image(1))
        assert late.value.code == "deadline"
        model.free.set()
        with pytest.raises(Problem):
            await first
        await queue.close()

    run(main)
    assert model.sizes == [1]


def test_an_image_whose_client_went_away_is_not_computed() -> None:
    model = Model()

    async def main() -> None:
        queue = batcher(model)
        model.free.clear()
        first = asyncio.create_task(queue.submit(image(0)))
        await until(model.busy.is_set)
        gone = asyncio.create_task(queue.submit(image(1)))
        stays = asyncio.create_task(queue.submit(image(2)))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        model.free.set()
        await asyncio.gather(first, stays)
        await queue.close()

    run(main)
    assert model.sizes == [1, 1]


def test_no_image_suffers_for_another() -> None:
    model = Model()
    model.poison = 5

    async def main() -> list[Scored | BaseException]:
        queue = batcher(model)
        answers = await asyncio.gather(*(queue.submit(image(i)) for i in range(4, 7)), return_exceptions=True)
        await queue.close()
        return list(answers)

    four, five, six = run(main)
    assert isinstance(four, Scored)
    assert isinstance(six, Scored)
    assert isinstance(five, Problem)
    assert five.code == "unavailable"


def test_closing_answers_what_waits_and_takes_no_more() -> None:
    model = Model()

    async def main() -> None:
        queue = batcher(model)
        model.free.clear()
        tasks = [asyncio.create_task(queue.submit(image(i))) for i in range(3)]
        await until(model.busy.is_set)
        closing = asyncio.create_task(queue.close())
        await asyncio.sleep(0)
        with pytest.raises(Problem, match="shutting down"):
            await queue.submit(image(9))
        model.free.set()
        await closing
        assert len(await asyncio.gather(*tasks)) == 3

    run(main)
