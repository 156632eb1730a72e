"""Reload: other models come into service in all workers, without an interruption.

The worker that is asked for it (the coordinator) proposes what the catalogue holds as a candidate. Every worker prepares the
candidate beside the models it serves and reports. When all that live have, the coordinator commits: each worker serves the
candidate, and the models before end with the last request that uses them. If one cannot prepare it, the candidate is withdrawn.

Every worker follows the ``ReloadBoard`` and acts on what it finds there, not on changes it has seen: one that starts, or fails,
at any moment does what is to be done then. A worker that dies is not waited for. A candidate whose coordinator died is
withdrawn by whichever worker notices first that nobody holds the lock.
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
from serving.registry.model_registry import Catalogue
from serving.registry.model_set import ModelSet, checked_cards, forget_model_sets, read_model_set, write_model_set
from serving.registry.reload_state import ReloadBoard, Report, hold_reload_lock
from serving.settings import Settings

logger = logging.getLogger("bentoml.serving")

LOOK_SECONDS: Final = 0.1
# Hundreds of models or a slow disk; a worker that is stopped must not keep whoever asked waiting for ever.
LOAD_SECONDS: Final = 120.0
# A worker that cannot load what the others serve, or whose follower failed, tries again after so long.
RETRY_SECONDS: Final = 5.0
NOT_HERE: Final = (
    "Models are changed under way only where they run in the API workers. Start this service again to change its models."
)

Load = Callable[[list[str]], Catalogue]


class ModelReload:
    """The catalogue in service in this worker, and its part in a reload.

    ``model_set`` is what ``catalogue`` was made of; ``load`` makes one of other models, given as ``name:version``; ``folder``
    is shared by the workers in ``table``. Without ``load`` or ``folder`` there is no reload.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        model_set: ModelSet,
        load: Load | None,
        folder: Path | None,
        table: WorkerTable,
        settings: Settings,
    ) -> None:
        self.catalogue = catalogue
        self._settings = settings
        self._tasks: set[asyncio.Task[None]] = set()
        self._follower: Follower | None = None
        if load is not None and folder is not None:
            board = ReloadBoard.shared(folder, settings.workers)
            self._follower = Follower(self, model_set.generation, load, board, folder, table)

    async def start(self) -> None:
        """Take part in reloads from now on; the models that the others serve by now are served on return."""
        if self._follower is not None:
            await self._follower.join()
            self.spawn(supervise(self._follower))

    async def reload(self) -> list[str]:
        """Serve what the catalogue holds now, in all workers; the models in service then, as ``name:version``.

        Raises:
            Problem: ``not_updated``: a model cannot be served, another reload is under way, or there can be none. All is as it
                was then, unless the one worker that failed began after the commit.
        """
        if self._follower is None:
            raise Problem("not_updated", NOT_HERE)
        return await self._follower.coordinate(self._settings)

    async def close(self) -> None:
        """Answer what is queued and take no more."""
        for task in self._tasks:
            task.cancel()
        if self._follower is not None:
            await self._follower.leave()
        await self.catalogue.close()

    def retire(self, catalogue: Catalogue | None) -> None:
        """Close a catalogue once nobody uses it any more."""
        if catalogue is not None:
            self.spawn(catalogue.retire())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task that ends with this worker."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Follower:
    """Does in one worker what the board says, and coordinates a reload where it is asked to."""

    def __init__(
        self, models: ModelReload, generation: int, load: Load, board: ReloadBoard, folder: Path, table: WorkerTable
    ) -> None:
        self._models = models
        self._load = load
        self._board = board
        self._folder = folder
        self._table = table
        self._serves = generation
        self._tried = 0
        self._prepared: Catalogue | None = None  # of the generation that was tried last
        self._retry_at = 0.0

    async def join(self) -> None:
        """Take part, and serve what was committed before the others knew of this worker."""
        self._board.join(self._table.slot, self._table.process.pid, self._serves)
        if self._board.serving != self._serves:
            await self._serve(self._board.serving)

    async def leave(self) -> None:
        """Take no part any more."""
        self._board.leave(self._table.slot)
        if self._prepared is not None:
            await self._prepared.close()
            self._prepared = None

    async def step(self) -> None:
        """Do the one thing that is to be done now, if there is any."""
        serving, candidate = self._board.serving, self._board.candidate
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
                model_set = ModelSet(self._board.new_generation(), [card.tag for card in cards.values()])
                await asyncio.to_thread(write_model_set, self._folder, model_set)
            except (CardError, OSError) as error:
                raise Problem("not_updated", str(error)) from error
            self._board.propose(model_set.generation)
            try:
                await self._wait_for_all(lambda report: report.tried, model_set.generation)
            except BaseException:  # also when this task is cancelled
                self._board.withdraw()
                raise
            self._board.commit(model_set.generation)
            try:
                await self._wait_for_all(lambda report: report.serves, model_set.generation)
            except Problem as problem:
                raise Problem(
                    "not_updated", f"The models are in service, but not in all workers: {problem.detail}"
                ) from problem
            with suppress(OSError):  # files that are not needed any more
                await asyncio.to_thread(forget_model_sets, self._folder, keep=model_set.generation)
        logger.info("In service now: %s", ", ".join(model_set.tags))
        return model_set.tags

    async def _prepare(self, generation: int) -> None:
        """Load a set beside the one in service, and report."""
        self._discard()
        self._board.report_begun(self._table.slot, generation)
        fault = None
        try:
            model_set = await asyncio.to_thread(read_model_set, self._folder, generation)
            self._prepared = await asyncio.to_thread(self._load, model_set.tags)
        except Exception as error:  # whatever a model raises, the worker goes on with what it has
            fault = " ".join(str(error).split()) or repr(error)
            logger.error("Not taken into service: %s", fault)
        self._tried = generation
        self._board.report_tried(self._table.slot, generation, fault)

    async def _serve(self, generation: int) -> None:
        """Serve a set that was committed; a worker that began after the proposal has to load it first."""
        if self._tried != generation or self._prepared is None:
            await self._prepare(generation)
        if self._prepared is None:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            return
        self._models.retire(self._models.catalogue)
        self._models.catalogue, self._prepared = self._prepared, None
        self._serves = generation
        self._board.report_serves(self._table.slot, generation)

    def _discard(self) -> None:
        """Close what was prepared and is not wanted."""
        self._models.retire(self._prepared)
        self._prepared, self._tried = None, 0

    def _withdrawn_as_abandoned(self) -> bool:
        """Withdraw the candidate if its coordinator died, which then may be what became of all who prepared it."""
        try:
            with hold_reload_lock(self._folder):
                self._board.withdraw()
        except Problem:  # the coordinator lives
            return False
        logger.warning("A reload was given up: the worker that coordinated it died.")
        return True

    async def _wait_for_all(self, reached: Callable[[Report], int], generation: int) -> None:
        """Wait until every worker that lives reports to have reached a generation.

        Raises:
            Problem: ``not_updated``: one could not prepare it, died of it, or has not within ``LOAD_SECONDS``.
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
            await asyncio.sleep(LOOK_SECONDS)

    def _reports(self) -> tuple[list[Report], list[Report]]:
        """What the workers that live and those that died report, of those that take part."""
        living = set(self._table.living())
        reports: tuple[list[Report], list[Report]] = ([], [])
        for slot in range(self._board.slots):
            report = self._board.report(slot)
            if report.pid and report.pid == self._table.process_at(slot).pid:
                reports[0 if slot in living else 1].append(report)
        return reports


async def supervise(follower: Follower) -> None:
    """Have a worker follow the board until it ends, whatever fails meanwhile."""
    while True:
        try:
            await follower.step()
        except Exception:
            logger.exception("Following the reload board failed; tried again in %g s.", RETRY_SECONDS)
            await asyncio.sleep(RETRY_SECONDS)
        await asyncio.sleep(LOOK_SECONDS)
