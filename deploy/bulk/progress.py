"""Shows how far a run is: a bar on a terminal, otherwise a line from time to time."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn

LINE_SECONDS: Final = 10.0
# No rate is shown before: batches of several workers arrive together, and would make the first one many times too high.
RATED_SECONDS: Final = 2.0
STANDARD: Final = (1, 2)  # the descriptors of standard output and error
REFRESHES_PER_SECOND: Final = 4


@contextmanager
def own_console() -> Iterator[Console]:
    """A console on what is now standard error, and stays there when ``output_to`` sends it elsewhere."""
    with os.fdopen(os.dup(2), "w", encoding="utf-8") as file:
        yield Console(file=file, highlight=False)


@contextmanager
def output_to(file: Path) -> Iterator[None]:
    """Append to a file what is written to standard output and error until the block ends, also by libraries in C++."""
    before = [os.dup(number) for number in STANDARD]
    try:
        with file.open("ab") as log:
            for number in STANDARD:
                os.dup2(log.fileno(), number)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, saved in zip(STANDARD, before, strict=True):
            os.dup2(saved, number)
            os.close(saved)


class ProgressReport:
    """Counts the rows of a run and shows them; ``done`` of ``total`` pictures were classified by earlier runs. ``clock`` gives
    seconds."""

    def __init__(self, console: Console, total: int, done: int, clock: Callable[[], float] = monotonic) -> None:
        self._console = console
        self._clock = clock
        self._total = total
        self._done = done
        self._timed = 0  # pictures since the first results
        self._counts: Counter[str] = Counter()
        self._started: float | None = None
        self._shown = clock()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[remaining]}"),
            TextColumn("{task.fields[counts]}"),
            console=console,
            refresh_per_second=REFRESHES_PER_SECOND,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("Classifying", total=total, completed=done, rate="", remaining="", counts="")

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the bar until the block ends."""
        with self._bar:
            yield

    def add(self, rows: pa.Table) -> None:
        """Count results, and show them."""
        now = self._clock()
        if self._started is None:  # the rate begins with the first results, so that it is not that of the start
            self._started = now
        else:
            self._timed += len(rows)
        self._done += len(rows)
        self._counts["rejected"] += pc.sum(rows["rejected"]).as_py() or 0
        self._counts["with a problem"] += len(rows) - rows["problem"].null_count
        rate, remaining = self._rates(now - self._started)
        counted = ", ".join(f"{count:,} {what}" for what, count in self._counts.items())
        self._bar.update(self._task, completed=self._done, rate=rate, remaining=remaining, counts=counted)
        if not self._console.is_terminal and now - self._shown >= LINE_SECONDS:
            self._shown = now
            left = f"{remaining} left" if remaining else ""
            shown = (f"{self._done:,} of {self._total:,} pictures", rate, left, counted)
            self._console.print(", ".join(filter(None, shown)), soft_wrap=True)

    def _rates(self, seconds: float) -> tuple[str, str]:
        """Pictures a second, and the time that is left; empty until they are known."""
        if seconds < RATED_SECONDS or not self._timed:
            return "", ""
        rate = self._timed / seconds
        left = timedelta(seconds=round((self._total - self._done) / rate))
        return f"{rate:,.0f}/s", str(left)
