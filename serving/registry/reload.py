"""Reload: replaces the models in service, in all workers, without an interruption.

The worker that receives the request (the coordinator) proposes the models of the catalogue as a candidate. Each worker prepares
the candidate beside the models it serves, and reports. When all live workers have, the coordinator commits: each worker serves
the candidate, and closes the old models with the last request that uses them. If one worker cannot prepare it, the candidate is
withdrawn.

Each worker polls the ``ReloadState`` and acts on what it finds there, not on changes it has seen, so that one that starts or
fails at any moment does the right thing. A dead worker is not waited for. A candidate whose coordinator died is withdrawn by
whichever worker first notices that the lock is free.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from models.card import CardError
from serving.errors import Problem
from serving.process.workers import WorkerTable
from serving.registry.model_registry import ModelRegistry
from serving.registry.model_set import ModelSet, checked_cards, read_model_set, remove_model_sets, write_model_set
from serving.registry.reload_state import ReloadState, Report, hold_reload_lock
from serving.settings import Settings

logger = logging.getLogger("bentoml.serving")

POLL_SECONDS: Final = 0.1
# Enough for hundreds of models or a slow disk; a worker that is suspended must not block the request for ever.
LOAD_SECONDS: Final = 120.0
# After so long, a worker retries that could not load what the others serve, or whose follower failed.
RETRY_SECONDS: Final = 5.0
NOT_SUPPORTED: Final = (
    "Models can only be reloaded where they run in the API workers. Restart this service to change its models."
)

Load = Callable[[list[str]], ModelRegistry]


class ModelReload:
    """The model registry in service in this worker, and its part in a reload.

    ``model_set`` lists the models of ``registry``; ``load`` opens a registry of others, given as ``name:version``; ``folder``
    is shared by the workers in ``table``. Without ``load`` or ``folder`` reloading is not supported.
    """

    def __init__(
        self,
        registry: ModelRegistry,
        model_set: ModelSet,
        load: Load | None,
        folder: Path | None,
        table: WorkerTable,
        settings: Settings,
    ) -> None:
        self.registry = registry
        registry.enter_service()
        self._settings = settings
        self._tasks: set[asyncio.Task[None]] = set()
        self._follower: Follower | None = None
        if load is not None and folder is not None:
            state = ReloadState.shared(folder, settings.workers)
            self._follower = Follower(self, model_set.generation, load, state, folder, table)

    async def start(self) -> None:
        """Take part in reloads from now on; returns when this worker serves the same models as the others."""
        if self._follower is not None:
            await self._follower.join()
            self.spawn(supervise(self._follower))

    async def reload(self) -> list[str]:
        """Serve what the catalogue holds now, in all workers; returns the models in service, as ``name:version``.

        Raises:
            Problem: ``not_updated``: a model cannot be served, another reload is running, or reloading is not supported. The
                models in service are unchanged, unless a worker that started after the commit failed.
        """
        if self._follower is None:
            raise Problem("not_updated", NOT_SUPPORTED)
        return await self._follower.coordinate(self._settings)

    async def close(self) -> None:
        """Process what is queued and accept no more."""
        for task in self._tasks:
            task.cancel()
        if self._follower is not None:
            await self._follower.leave()
        await self.registry.close()

    def retire(self, registry: ModelRegistry | None) -> None:
        """Close a registry once no request uses it any more."""
        if registry is not None:
            self.spawn(registry.retire())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task that ends with this worker."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Follower:
    """Follows the reload state in one worker, and coordinates a reload on request."""

    def __init__(
        self, models: ModelReload, generation: int, load: Load, state: ReloadState, folder: Path, table: WorkerTable
    ) -> None:
        self._models = models
        self._load = load
        self._state = state
        self._folder = folder
        self._table = table
        self._serves = generation
        self._tried = 0
        self._prepared: ModelRegistry | None = None  # of the generation that was tried last
        self._retry_at = 0.0

    async def join(self) -> None:
        """Take part, and serve what was committed before this worker joined."""
        self._state.join(self._table.slot, self._table.process.pid, self._serves)
        if self._state.serving != self._serves:
            await self._serve(self._state.serving)

    async def leave(self) -> None:
        """Take part no longer."""
        self._state.leave(self._table.slot)
        if self._prepared is not None:
            await self._prepared.close()
            self._prepared = None

    async def step(self) -> None:
        """Do the one thing that is due now, if any."""
        serving, candidate = self._state.serving, self._state.candidate
        if serving != self._serves and serving == self._tried and self._prepared is not None:
            await self._serve(serving)
        elif candidate:
            if not self._withdrawn_as_abandoned() and candidate != self._tried:
                await self._prepare(candidate)
        elif serving != self._serves:
            if time.monotonic() >= self._retry_at:
                await self._serve(serving)
        else:
            self._discard()

    async def coordinate(self, settings: Settings) -> list[str]:
        """As ``ModelReload.reload``."""
        with hold_reload_lock(self._folder):
            try:
                cards = await asyncio.to_thread(checked_cards, settings)
                model_set = ModelSet(self._state.new_generation(), [card.tag for card in cards.values()])
                await asyncio.to_thread(write_model_set, self._folder, model_set)
            except (CardError, OSError) as error:
                raise Problem("not_updated", str(error)) from error
            self._state.propose(model_set.generation)
            try:
                await self._wait_for_all(lambda report: report.tried, model_set.generation)
            except BaseException:  # also when this task is cancelled
                self._state.withdraw()
                raise
            self._state.commit(model_set.generation)
            try:
                await self._wait_for_all(lambda report: report.serves, model_set.generation)
            except Problem as problem:
                raise Problem(
                    "not_updated", f"The models are in service, but not in all workers: {problem.detail}"
                ) from problem
            with suppress(OSError):  # the files are not needed any more
                await asyncio.to_thread(remove_model_sets, self._folder, keep=model_set.generation)
        logger.info("In service now: %s", ", ".join(model_set.tags))
        return model_set.tags

    async def _prepare(self, generation: int) -> None:
        """Load a model set beside the one in service, and report."""
        self._discard()
        self._state.report_begun(self._table.slot, generation)
        fault = None
        try:
            model_set = await asyncio.to_thread(read_model_set, self._folder, generation)
            self._prepared = await asyncio.to_thread(self._load, model_set.tags)
        except Exception as error:  # whatever a model raises, the worker keeps serving what it has
            fault = " ".join(str(error).split()) or repr(error)
            logger.error("Cannot load the new models: %s", fault)
        self._tried = generation
        self._state.report_tried(self._table.slot, generation, fault)

    async def _serve(self, generation: int) -> None:
        """Serve a committed model set; a worker that started after the proposal loads it first."""
        if self._tried != generation or self._prepared is None:
            await self._prepare(generation)
        if self._prepared is None:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            return
        self._models.retire(self._models.registry)
        self._models.registry, self._prepared = self._prepared, None
        self._models.registry.enter_service()
        self._serves = generation
        self._state.report_serves(self._table.slot, generation)

    def _discard(self) -> None:
        """Close what was prepared and is not needed."""
        self._models.retire(self._prepared)
        self._prepared, self._tried = None, 0

    def _withdrawn_as_abandoned(self) -> bool:
        """Withdraw the candidate if its coordinator died: its models may be why."""
        try:
            with hold_reload_lock(self._folder):
                self._state.withdraw()
        except Problem:  # the coordinator is alive
            return False
        logger.warning("A reload was withdrawn: the worker that coordinated it died.")
        return True

    async def _wait_for_all(self, reached: Callable[[Report], int], generation: int) -> None:
        """Wait until every live worker reports that it reached a generation.

        Raises:
            Problem: ``not_updated``: a worker failed to prepare it, died, or did not finish within ``LOAD_SECONDS``.
        """
        limit = time.monotonic() + LOAD_SECONDS
        while True:
            living, dead = self._reports()
            if faults := {report.fault for report in living if report.tried == generation and report.failed}:
                raise Problem("not_updated", " ".join(sorted(faults)))
            if any(report.begun == generation != report.tried for report in dead):
                raise Problem("not_updated", "A worker died while it loaded the models; the log of the service says more.")
            if all(reached(report) == generation for report in living):
                return
            if time.monotonic() > limit:
                raise Problem("not_updated", f"A worker did not load the models within {LOAD_SECONDS:g} s.")
            await asyncio.sleep(POLL_SECONDS)

    def _reports(self) -> tuple[list[Report], list[Report]]:
        """The reports of live and of dead workers, of those that take part."""
        living = set(self._table.living())
        reports: tuple[list[Report], list[Report]] = ([], [])
        for slot in range(self._state.slots):
            report = self._state.report(slot)
            if report.pid and report.pid == self._table.process_at(slot).pid:
                reports[0 if slot in living else 1].append(report)
        return reports


async def supervise(follower: Follower) -> None:
    """Follow the state until the worker ends, also after errors."""
    while True:
        try:
            await follower.step()
        except Exception:
            logger.exception("Following the reload state failed; retrying in %g s.", RETRY_SECONDS)
            await asyncio.sleep(RETRY_SECONDS)
        await asyncio.sleep(POLL_SECONDS)
