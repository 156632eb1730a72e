"""Workers of a service that reload their models, all in one process and step by step: any of them can end at any step."""

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from models.card import CardError
from serving.errors import Problem
from serving.process import workers
from serving.process.workers import Process, WorkerTable, worker_slots
from serving.registry import reload
from serving.registry.model_set import MODEL_SET_FILE, ModelSet, read_model_set
from serving.registry.reload import ModelReload
from serving.registry.reload_state import ReloadState
from serving.settings import Settings

WORKERS: Final = 3
SECONDS_A_STEP: Final = reload.POLL_SECONDS
# Of steps; a reload that takes longer waits for somebody who will never answer.
SOON: Final = 60
START_STEPS: Final = 8


class FakeCatalogue:
    """A catalogue of models that are only named; ``open`` until it is closed."""

    def __init__(self, tags: list[str]) -> None:
        self.tags = tags
        self.open = True

    def enter_service(self) -> None:
        """As for every catalogue."""

    async def retire(self) -> None:
        """Close once nobody uses it, which takes a step here."""
        await asyncio.sleep(0)
        self.open = False

    async def close(self) -> None:
        """As for every catalogue."""
        self.open = False


class DeadBoard:
    """What a process that ended can still write: nothing."""

    def __init__(self, state: ReloadState) -> None:
        self._state = state

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._state, name)
        return value if not callable(value) or name == "report" else lambda *_, **__: 1


class Worker:
    """A simulated worker process; ``catalogues`` are all it ever loaded."""

    def __init__(self, service: "Service", slot: int, pid: int) -> None:
        self.service = service
        self.slot = slot
        self.process = Process(pid, 1)
        self.catalogues: list[FakeCatalogue] = []
        self.models: ModelReload | None = None
        self.tasks: list[asyncio.Task[Any]] = [asyncio.ensure_future(self._run())]

    async def _run(self) -> None:
        folder = self.service.folder
        table = WorkerTable(folder / "workers", worker_slots(WORKERS), self.slot, self.process)
        table.join()
        state = ReloadState.shared(folder, WORKERS)
        served = read_model_set(folder, state.serving) if state.serving else ModelSet(0, ["m:0"])
        catalogue = FakeCatalogue(served.tags)
        self.catalogues.append(catalogue)
        for _ in range(START_STEPS):  # it loads its models; others may be committed meanwhile
            await asyncio.sleep(0)
        self.models = ModelReload(catalogue, served, self._load, folder, table, Settings(workers=WORKERS))  # type: ignore[arg-type]
        committed = state.serving
        await self.models.start()
        if self.slot not in self.service.failing:  # it takes requests from now on
            assert self.models._follower is not None
            assert self.models._follower._serves >= committed

    def _load(self, tags: list[str]) -> Any:
        if self.slot in self.service.failing:
            raise CardError("answers a known picture wrongly")
        self.catalogues.append(FakeCatalogue(tags))
        return self.catalogues[-1]

    @property
    def ready(self) -> bool:
        """Whether it takes requests."""
        start = self.tasks[0]
        return start.done() and not start.cancelled() and start.result() is None

    @property
    def open_catalogues(self) -> int:
        return sum(catalogue.open for catalogue in self.catalogues)

    def crash(self) -> None:
        """End as by SIGKILL: nothing is cleaned up but what the system does."""
        self.service.living.discard(self.process.pid)
        if self.models is not None:
            assert self.models._follower is not None
            self.models._follower._state = DeadBoard(self.models._follower._state)  # type: ignore[assignment]
            self.tasks += self.models._tasks
        for task in self.tasks:
            task.cancel()

    def fail_once(self) -> None:
        """Have the next step of the follower raise what nobody expects."""
        if self.models is None or self.models._follower is None:
            return
        follower = self.models._follower

        async def fail() -> None:
            del follower.step
            raise MemoryError

        follower.step = fail  # type: ignore[method-assign]


class Service:
    """Simulated workers that share a folder; ``disk_full`` says whether a file can be written, ``failing`` are the slots whose
    workers cannot load any models but those of their start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.living: set[int] = set()
        self.disk_full = False
        self.failing: set[int] = set()
        self.version = 0
        self.now = 0.0
        self._pids = iter(range(1000, 10_000))
        self.workers = [self._begin(slot) for slot in range(WORKERS)]
        self.reloads: list[tuple[Worker, asyncio.Task[list[str]]]] = []

    @property
    def state(self) -> ReloadState:
        return ReloadState.shared(self.folder, WORKERS)

    def _begin(self, slot: int) -> Worker:
        pid = next(self._pids)
        self.living.add(pid)
        return Worker(self, slot, pid)

    def alive(self, slot: int) -> bool:
        return self.workers[slot].process.pid in self.living

    def crash(self, slot: int) -> None:
        """Kill a worker."""
        self.workers[slot].crash()

    def restart(self, slot: int) -> None:
        """Start a worker in the place of one that died; one that lives is killed first."""
        self.crash(slot)
        self.workers[slot] = self._begin(slot)

    def reload(self, slot: int) -> "asyncio.Task[list[str]] | None":
        """Ask a worker for a reload of a new version, if it takes requests."""
        worker = self.workers[slot]
        if not (self.alive(slot) and worker.ready and worker.models is not None):
            return None
        self.version += 1
        task = asyncio.ensure_future(worker.models.reload())
        worker.tasks.append(task)
        self.reloads.append((worker, task))
        return task

    async def step(self) -> None:
        """Let every task of every worker go one step on."""
        self.now += SECONDS_A_STEP
        await asyncio.sleep(0)

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Step until ``condition`` holds; fail when that is not soon."""
        for _ in range(SOON):
            if condition():
                return
            await self.step()
        pytest.fail(f"not soon: {what}")

    async def recover(self) -> None:
        """Start what died, let disks be empty and models sound, and check that all is as it should be, and can be reloaded."""
        self.disk_full = False
        self.failing.clear()
        for slot in range(WORKERS):
            if not self.alive(slot):
                self.restart(slot)
        await self.until(lambda: all(worker.ready for worker in self.workers), "all workers take requests")
        await self.until(lambda: all(task.done() for _, task in self.reloads), "every reload has ended")
        for worker, task in self.reloads:
            if task.cancelled():
                assert worker.process.pid not in self.living
            elif task.exception() is not None:
                assert isinstance(task.exception(), Problem), task.exception()
        await self.until(self._settled, "all workers serve what was committed, and nothing else is open")
        last = self.reload(0)
        assert last is not None
        await self.until(last.done, "the last reload has ended")
        assert last.result() == [f"m:{self.version}"]
        await self.until(self._settled, "all workers serve the last version, and nothing else is open")
        assert [file.name for file in self.folder.glob(MODEL_SET_FILE.format("*"))] == [
            MODEL_SET_FILE.format(self.state.serving)
        ]
        assert list(self.folder.glob("*.new")) == []

    def _settled(self) -> bool:
        serving = self.state.serving
        tags = read_model_set(self.folder, serving).tags if serving else ["m:0"]
        return self.state.candidate == 0 and all(
            worker.models is not None
            and isinstance(catalogue := worker.models.registry, FakeCatalogue)
            and catalogue.tags == tags
            and worker.open_catalogues == 1
            for worker in self.workers
        )


@contextmanager
def simulated(folder: Path) -> Iterator[Callable[[], Service]]:
    """Gives what makes a service in a running loop; the clock, threads, processes and the disk are the simulation's."""
    services: list[Service] = []

    def begin() -> Service:
        services.append(Service(folder))
        return services[0]

    async def in_this_thread(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        await asyncio.sleep(0)
        result = function(*arguments, **options)
        await asyncio.sleep(0)
        return result

    write = Path.write_text

    def write_or_fail(path: Path, text: str, **options: Any) -> int:
        if services[0].disk_full:
            write(path, text[: len(text) // 2], **options)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, text, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reload, "POLL_SECONDS", 0)
        patch.setattr(reload, "RETRY_SECONDS", 0)
        patch.setattr(reload, "time", SimpleNamespace(monotonic=lambda: services[0].now))
        patch.setattr(asyncio, "to_thread", in_this_thread)
        patch.setattr(reload, "checked_cards", lambda _: {"m": SimpleNamespace(tag=f"m:{services[0].version}")})
        patch.setattr(workers, "is_alive", lambda process: process.pid in services[0].living)
        patch.setattr(Path, "write_text", write_or_fail)
        yield begin
