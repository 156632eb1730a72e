"""The protocol of a reload, with simulated workers that end, start and fail at every step; tests/served/test_reload.py has it
with real ones."""

import asyncio
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.errors import Problem
from serving.process.workers import WorkerTable
from serving.registry import reload
from serving.registry.model_registry import ModelRegistry
from serving.registry.model_set import ModelSet
from serving.registry.reload import NOT_SUPPORTED, ModelReload
from serving.registry.reload_state import FAULT_BYTES, ReloadState
from serving.settings import Settings
from tests.serving.registry.simulation import WORKERS, Service, simulated

# More than a reload takes when nothing happens.
STEPS: Final = 20

Event = Callable[[Service, int], object]


def disk_full(service: Service, _: int) -> None:
    service.disk_full = True


def disk_empty(service: Service, _: int) -> None:
    service.disk_full = False


def fails_to_load(service: Service, slot: int) -> None:
    service.failing.add(slot)


def follower_fails(service: Service, slot: int) -> None:
    service.workers[slot].fail_once()


EVENTS: Final[dict[str, Event]] = {
    "crash": Service.crash,
    "restart": Service.restart,
    "disk full": disk_full,
    "disk empty": disk_empty,
    "fails to load": fails_to_load,
    "follower fails": follower_fails,
    "reload": Service.reload,
}


def play(folder: Path, events: list[tuple[int, str, int]], reload_at: int | None = 0) -> Service:
    """Have things happen at steps of a reload that worker 0 coordinates, and see that all is well afterwards."""

    async def run(begin: Callable[[], Service]) -> Service:
        service = begin()
        await service.until(lambda: all(worker.ready for worker in service.workers), "the start")
        for step in range(max([STEPS, *(step for step, _, _ in events)]) + 1):
            if step == reload_at:
                service.reload(0)
            for _, event, slot in (one for one in events if one[0] == step):
                EVENTS[event](service, slot)
            await service.step()
        await service.recover()
        for worker in service.workers:
            worker.crash()
        return service

    with simulated(folder) as begin:
        return asyncio.run(run(begin))


@pytest.mark.parametrize("slot", [0, 1], ids=["coordinator", "another"])
@pytest.mark.parametrize("event", EVENTS)
def test_reload_is_consistent_after_any_event_at_any_step(
    event: str, slot: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    for step in range(STEPS):
        folder = tmp_path / str(step)
        folder.mkdir()
        play(folder, [(step, event, slot)])


def test_worker_that_starts_during_a_commit_and_fails_to_load_retries(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for step in range(STEPS):
        folder = tmp_path / str(step)
        folder.mkdir()
        play(folder, [(step, "restart", 1), (step, "fails to load", 1)])
    assert "Cannot load the new models" in caplog.text


Schedule = list[tuple[int, str, int]]
SCHEDULES: Final = st.lists(
    st.tuples(st.integers(0, STEPS), st.sampled_from(sorted(EVENTS)), st.integers(0, WORKERS - 1)), max_size=8
)


@given(schedule=SCHEDULES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reload_is_consistent_after_any_sequence_of_events(schedule: Schedule, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        play(Path(folder), schedule)


def test_a_worker_that_starts_while_a_candidate_is_proposed_prepares_it(tmp_path: Path) -> None:
    """Worker 1 is away when the reload begins and comes while worker 2 still loads."""

    async def run(begin: Callable[[], Service]) -> None:
        service = begin()
        await service.until(lambda: all(worker.ready for worker in service.workers), "the start")
        service.crash(1)
        task = service.reload(0)
        assert task is not None
        await service.until(lambda: service.state.candidate != 0, "the proposal")
        service.restart(1)
        await service.until(task.done, "the reload")
        assert task.result() == ["m:1"]
        await service.recover()
        for worker in service.workers:
            worker.crash()

    with simulated(tmp_path) as begin:
        asyncio.run(run(begin))


def test_worker_killed_by_a_candidate_fails_the_reload_and_is_not_given_it_again(tmp_path: Path) -> None:
    async def run(begin: Callable[[], Service]) -> None:
        service = begin()
        await service.until(lambda: all(worker.ready for worker in service.workers), "the start")
        task = service.reload(0)
        assert task is not None
        generation = service.state.serving + 1
        await service.until(lambda: service.state.report(1).begun == generation, "worker 1 loads")
        service.crash(1)
        await service.until(task.done, "the reload")
        with pytest.raises(Problem, match="died while it loaded"):
            task.result()
        assert service.state.candidate == 0
        service.restart(1)
        await service.recover()
        for worker in service.workers:
            worker.crash()

    with simulated(tmp_path) as begin:
        asyncio.run(run(begin))


@pytest.mark.parametrize(
    ("event", "detail"), [("disk full", "No space left on device"), ("fails to load", "answers a known picture wrongly")]
)
def test_a_reload_that_fails_says_why_and_leaves_everything_as_it_was(event: str, detail: str, tmp_path: Path) -> None:
    async def run(begin: Callable[[], Service]) -> None:
        service = begin()
        await service.until(lambda: all(worker.ready for worker in service.workers), "the start")
        EVENTS[event](service, 1)
        task = service.reload(0)
        assert task is not None
        await service.until(task.done, "the reload")
        with pytest.raises(Problem, match=detail) as refused:
            task.result()
        assert refused.value.code == "not_updated"
        assert [service.state.serving, service.state.candidate] == [0, 0]
        await service.recover()
        for worker in service.workers:
            worker.crash()

    with simulated(tmp_path) as begin:
        asyncio.run(run(begin))


def test_follower_error_is_logged_and_retried(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    play(tmp_path, [(0, "follower fails", 1)])
    assert "Following the reload state failed" in caplog.text
    assert "MemoryError" in caplog.text


def test_suspended_worker_fails_the_reload_after_a_timeout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(begin: Callable[[], Service]) -> None:
        monkeypatch.setattr(reload, "LOAD_SECONDS", 2.0)
        service = begin()
        await service.until(lambda: all(worker.ready for worker in service.workers), "the start")
        stopped = service.workers[1].models
        assert stopped is not None
        for follower in stopped._tasks:
            follower.cancel()
        task = service.reload(0)
        assert task is not None
        await service.until(task.done, "the reload")
        with pytest.raises(Problem, match="did not load the models within 2 s"):
            task.result()
        assert service.state.candidate == 0
        for worker in service.workers:
            worker.crash()

    with simulated(tmp_path) as begin:
        asyncio.run(run(begin))


def test_reload_is_refused_without_shared_folder_or_with_a_runner(tmp_path: Path) -> None:
    table = WorkerTable(None, 2, 0)
    for load, folder in ((None, tmp_path), (lambda _: pytest.fail("loaded"), None)):
        models = ModelReload(
            ModelRegistry([], lambda _: pytest.fail("made"), Settings()), ModelSet(), load, folder, table, Settings()
        )
        with pytest.raises(Problem) as refused:
            asyncio.run(models.reload())
        assert refused.value.detail == NOT_SUPPORTED


def test_long_fault_is_truncated_in_the_report(tmp_path: Path) -> None:
    state = ReloadState.shared(tmp_path, 2)
    state.join(3, os.getpid(), 0)
    state.report_tried(3, 7, "für " * FAULT_BYTES)
    report = ReloadState.shared(tmp_path, 2).report(3)
    assert (report.tried, report.failed) == (7, True)
    assert report.fault.startswith("für für")
    assert len(report.fault.encode()) <= FAULT_BYTES + 2
    state.report_tried(3, 8, None)
    assert (state.report(3).failed, state.report(3).fault) == (False, "")
