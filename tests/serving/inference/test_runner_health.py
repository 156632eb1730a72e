"""The runner service is asked all the time; nobody waits for one that is gone."""

import asyncio
import errno
from collections.abc import Coroutine
from typing import Any

import pytest

from serving.inference import runner_health
from serving.inference.runner_health import RunnerGone, RunnerHealth
from tests.support.waiting import until_in_loop


@pytest.fixture(autouse=True)
def shorten_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_health, "INTERVAL_SECONDS", 0.001)
    monkeypatch.setattr(runner_health, "TIMEOUT_SECONDS", 0.05)


class Heart:
    """A runner service that answers, hangs or fails on demand."""

    def __init__(self) -> None:
        self.mood: BaseException | str | None = None
        self.beats = 0

    async def beat(self) -> str:
        self.beats += 1
        if self.mood == "hang":
            await asyncio.Event().wait()
        if isinstance(self.mood, BaseException):
            raise self.mood
        return "here"


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


def test_runner_that_answers_is_up_and_can_be_called() -> None:
    async def main() -> None:
        heart = RunnerHealth(Heart().beat)
        assert await heart.is_up()
        assert heart.last_response == "here"
        assert await heart.guard(asyncio.sleep(0, "answer")) == "answer"
        heart.stop()

    run(main())


@pytest.mark.parametrize("mood", ["hang", ConnectionResetError(errno.ECONNRESET, "reset"), ValueError("no answer of ours")])
def test_calls_fail_when_the_runner_goes_down_and_work_after_it_returns(mood: BaseException | str) -> None:
    async def main() -> None:
        runner = Heart()
        heart = RunnerHealth(runner.beat)
        assert await heart.is_up()
        call = asyncio.create_task(heart.guard(asyncio.Event().wait()))
        await asyncio.sleep(0)
        runner.mood = mood
        with pytest.raises(RunnerGone):
            await asyncio.wait_for(call, 5)
        assert not await heart.is_up()
        runner.mood = None
        await until_in_loop(lambda: heart.last_response is not None)
        assert await heart.is_up()
        heart.stop()

    run(main())


def test_first_callers_wait_for_the_first_response(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_health, "TIMEOUT_SECONDS", 5.0)

    async def main() -> None:
        heart = RunnerHealth(Heart().beat)
        answers = await asyncio.gather(*(heart.is_up() for _ in range(3)))
        heart.stop()
        assert answers == [True] * 3

    run(main())


def test_runner_that_never_answers_is_reported_down_soon() -> None:
    async def main() -> None:
        runner = Heart()
        runner.mood = "hang"
        heart = RunnerHealth(runner.beat)
        assert not await asyncio.wait_for(heart.is_up(), 5)
        heart.stop()

    run(main())


@pytest.mark.parametrize(
    "gone", [FileNotFoundError(errno.ENOENT, "no socket"), ConnectionRefusedError(errno.ECONNREFUSED, "no")]
)
def test_removed_socket_does_not_cancel_running_calls(gone: OSError) -> None:
    async def main() -> None:
        runner = Heart()
        heart = RunnerHealth(runner.beat)
        assert await heart.is_up()
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        call = asyncio.create_task(heart.guard(answer))
        runner.mood, seen = gone, runner.beats
        await until_in_loop(lambda: runner.beats > seen + 5)
        assert await heart.is_up()
        answer.set_result("late, but there")
        assert await call == "late, but there"
        heart.stop()

    run(main())


def test_cancelled_caller_cancels_only_its_own_call() -> None:
    async def main() -> None:
        heart = RunnerHealth(Heart().beat)
        assert await heart.is_up()
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        call = asyncio.create_task(heart.guard(answer))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert answer.cancelled()
        assert await heart.is_up()
        heart.stop()

    run(main())
