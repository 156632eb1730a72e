import asyncio

import pytest

from serving.backpressure.loop_scheduler import INITIAL_ITEMS, TIGHTEN_SECONDS, LoopScheduler

SECONDS = 0.01


class Clock:
    """Time that passes only where somebody works."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("serving.backpressure.loop_scheduler.perf_counter", clock)
    return clock


async def longest_turn(clock: Clock, tasks: list["asyncio.Task[None]"]) -> float:
    """Seconds of the longest turn until the tasks are done, but for the first few, which try how much fits."""
    longest, number = 0.0, 0
    while not all(task.done() for task in tasks):
        before = clock.now
        await asyncio.sleep(0)
        number += 1
        if number > 5:
            longest = max(longest, clock.now - before)
    return longest


@pytest.mark.parametrize("milliseconds", [0.2, 1.0, 3.0])
def test_many_items_run_in_iterations_of_limited_length_in_order(clock: Clock, milliseconds: float) -> None:
    async def play() -> None:
        scheduler, done = LoopScheduler(SECONDS), []

        async def work(number: int) -> None:
            await scheduler.acquire()
            clock.now += milliseconds / 1000
            done.append(number)

        tasks = [asyncio.create_task(work(number)) for number in range(300)]
        longest = await longest_turn(clock, tasks)
        assert done == list(range(300))
        assert SECONDS / 3 < longest <= SECONDS + 2 * milliseconds / 1000

    asyncio.run(play())


def test_single_item_does_not_wait(clock: Clock) -> None:
    async def play() -> None:
        scheduler = LoopScheduler(SECONDS)
        for _ in range(3):
            with pytest.raises(StopIteration):
                scheduler.acquire().send(None)
            clock.now += 5.0
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    asyncio.run(play())


def test_cancelled_item_takes_no_capacity(clock: Clock) -> None:
    async def play() -> None:
        scheduler, done = LoopScheduler(SECONDS), []

        async def work(number: int) -> None:
            await scheduler.acquire()
            clock.now += 1.0
            done.append(number)

        tasks = [asyncio.create_task(work(number)) for number in range(INITIAL_ITEMS + 6)]
        await asyncio.sleep(0)
        gone = {INITIAL_ITEMS + 2, INITIAL_ITEMS + 3}
        for number in gone:
            tasks[number].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert done == [number for number in range(INITIAL_ITEMS + 6) if number not in gone]

    asyncio.run(play())


def test_waiters_of_a_closed_loop_do_not_block_the_next_loop(clock: Clock) -> None:
    scheduler = LoopScheduler(SECONDS)

    async def leave() -> None:
        for _ in range(INITIAL_ITEMS + 3):
            asyncio.ensure_future(scheduler.acquire())  # noqa: RUF006 - what becomes of it is the question
        await asyncio.sleep(0)

    async def come() -> None:
        clock.now += 1.0
        await asyncio.wait_for(asyncio.gather(*(scheduler.acquire() for _ in range(3))), 5)

    asyncio.run(leave())
    asyncio.run(come())


def test_iterations_are_short_for_a_while_after_a_new_client_was_refused(clock: Clock) -> None:
    async def play() -> None:
        scheduler = LoopScheduler(SECONDS, SECONDS / 5)

        async def work() -> None:
            await scheduler.acquire()
            clock.now += SECONDS / 20

        async def longest() -> float:
            return await longest_turn(clock, [asyncio.create_task(work()) for _ in range(300)])

        assert await longest() > SECONDS / 2
        scheduler.tighten("somebody")
        assert await longest() <= SECONDS / 5 + 2 * SECONDS / 20
        clock.now += TIGHTEN_SECONDS
        scheduler.tighten("somebody")
        assert await longest() > SECONDS / 2

    asyncio.run(play())
