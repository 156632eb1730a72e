"""A change of the models in service without an interruption.

Whoever is asked for it proposes what the catalogue holds to all workers. Each loads it beside what it serves and says so; when
all have, each takes it instead, and what was served before ends with the last request that uses it. If one cannot, nobody does.
They speak through files in the folder they share: nobody has to know whom else there is, and a worker that dies is not waited
for.
"""

import asyncio
import fcntl
import logging
import os
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from models.card import CardError
from serving.catalogue import Catalogue
from serving.edition import Edition, checked_cards, read_edition, read_json, write_edition, write_json
from serving.errors import Problem
from serving.settings import Settings

logger = logging.getLogger("bentoml.serving")

LOCK_FILE: Final = "edition.lock"
REPORTS: Final = "worker-{}.edition"
LOOK_SECONDS: Final = 0.1
# Hundreds of models or a slow disk; a worker that is stopped must not keep whoever asked waiting for ever.
LOAD_SECONDS: Final = 120.0
NOT_HERE: Final = (
    "Models are changed under way only where they run in the API workers. Start this service again to change its models."
)

Load = Callable[[list[str]], Catalogue]


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker serves, which proposal it has loaded or could not, and why not; editions are told apart by numbers."""

    serves: int
    tried: int = 0
    fault: str | None = None


class Rollout:
    """The catalogue in service in this worker, and its part in a change of it.

    ``edition`` is what ``catalogue`` was made of; ``load`` makes one of other models, given as ``name:version``, where that can
    be; ``folder`` is shared by the workers of the service.
    """

    def __init__(
        self, catalogue: Catalogue, edition: Edition, load: Load | None, folder: Path | None, settings: Settings
    ) -> None:
        self.catalogue = catalogue
        self._edition = edition
        self._load = load
        self._folder = folder
        self._settings = settings
        self._report = Report(edition.number)
        self._loaded: Catalogue | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Follow what is proposed and decided from now on. Called in the event loop's thread."""
        if self._load is not None and self._folder is not None:
            self._tell(self._folder, self._report)
            self._spawn(self._follow(self._load, self._folder))

    async def change(self) -> list[str]:
        """Serve what the catalogue holds now, in all workers; the models in service then, as ``name:version``.

        Raises:
            Problem: ``not_updated``: a model cannot be served, another change is under way, or there can be none. All is as it
                was then, unless the one worker that failed began after the others had decided.
        """
        if self._load is None or self._folder is None:
            raise Problem("not_updated", NOT_HERE)
        with _alone(self._folder):
            try:
                cards = await asyncio.to_thread(checked_cards, self._settings)
            except CardError as error:
                raise Problem("not_updated", str(error)) from error
            tags, number = [card.tag for card in cards.values()], time.time_ns()
            before = self._edition
            write_edition(self._folder, Edition(before.number, before.tags, number, tags))
            try:
                await self._all(self._folder, lambda report: report.tried == number)
            except BaseException:  # nobody is to keep a proposal that is not decided on any more
                write_edition(self._folder, before)
                raise
            write_edition(self._folder, Edition(number, tags))
            await self._all(self._folder, lambda report: report.serves == number)
        logger.info("In service now: %s", ", ".join(tags))
        return tags

    async def close(self) -> None:
        """Answer what is queued and take no more."""
        for task in self._tasks:
            task.cancel()
        await self.catalogue.close()

    async def _follow(self, load: Load, folder: Path) -> None:
        while True:
            edition = read_edition(folder)
            if edition is not None and edition != self._edition:
                self._edition = edition
                if edition.number != self._report.serves:
                    await self._take(load, folder, edition)
                elif edition.proposed:
                    await self._try(load, folder, edition.proposed, edition.proposed_tags)
                else:
                    self._retire(self._loaded)
                    self._loaded = None
            await asyncio.sleep(LOOK_SECONDS)

    async def _try(self, load: Load, folder: Path, number: int, tags: list[str]) -> None:
        """Load models beside those in service, and report."""
        self._retire(self._loaded)
        self._loaded, fault = None, None
        try:
            self._loaded = await asyncio.to_thread(load, tags)
        except Exception as error:  # whatever a model raises, the worker goes on with what it has
            fault = " ".join(str(error).split()) or repr(error)
            logger.error("Not taken into service: %s", fault)
        self._tell(folder, Report(self._report.serves, number, fault))

    async def _take(self, load: Load, folder: Path, edition: Edition) -> None:
        """Serve what was decided; a worker that began after the proposal has to load it first."""
        if self._report.tried != edition.number:
            await self._try(load, folder, edition.number, edition.tags)
        if self._loaded is not None:
            self._retire(self.catalogue)
            self.catalogue, self._loaded = self._loaded, None
            self._tell(folder, Report(edition.number, edition.number))

    async def _all(self, folder: Path, done: Callable[[Report], bool]) -> None:
        """Wait until every worker that lives reports so.

        Raises:
            Problem: ``not_updated``: one could not load the models, or has not within ``LOAD_SECONDS``.
        """
        limit = time.monotonic() + LOAD_SECONDS
        while not all(done(report) for report in _reports(folder)):
            if time.monotonic() > limit:
                raise Problem("not_updated", f"A worker did not load the models within {LOAD_SECONDS:g} s.")
            await asyncio.sleep(LOOK_SECONDS)
        if faults := {report.fault for report in _reports(folder) if report.fault and done(report)}:
            raise Problem("not_updated", " ".join(sorted(faults)))

    def _tell(self, folder: Path, report: Report) -> None:
        self._report = report
        write_json(folder / REPORTS.format(os.getpid()), asdict(report))

    def _retire(self, catalogue: Catalogue | None) -> None:
        if catalogue is not None:
            self._spawn(catalogue.retire())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _reports(folder: Path) -> list[Report]:
    """What the workers that live reported last."""
    files = ((file, int(file.stem.rpartition("-")[2])) for file in folder.glob(REPORTS.format("*")))
    found = [read_json(file) for file, pid in files if _alive(pid)]
    return [Report(**one) for one in found if one]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of all changes.

    Raises:
        Problem: ``not_updated``: another change is under way.
    """
    with (folder / LOCK_FILE).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Problem("not_updated", "Another change of the models is under way. Try again when it is done.") from error
        yield


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
