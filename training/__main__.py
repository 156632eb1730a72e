"""``python -m training NAME --data DIR``: train a model of the catalogue, or with --folder one of your own images."""

import argparse
import io
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.terminal import printable
from training.data.datasets import DataError
from training.data.split_leakage import find_leaks
from training.fitting.loop import Callback, EpochResult
from training.recipe import Recipe
from training.recipes import RECIPES
from training.recipes.folder import Folder
from training.trainer import CHECKPOINT_FILE, train_recipe

CONSOLE = Console(highlight=False, markup=False, soft_wrap=True)


class ProgressBar(Callback):
    """Shows a progress bar over all steps, and prints a line for each epoch."""

    def __init__(self, progress: Progress, epochs: int) -> None:
        self._progress = progress
        self._epochs = epochs
        self._task = progress.add_task("training", total=None)

    def on_step(self, step: int, steps: int, loss: float) -> None:
        self._progress.update(self._task, completed=step, total=steps, description=f"loss {loss:.4f}")

    def on_epoch(self, result: EpochResult) -> None:
        accuracy = "  ".join(f"{name}: {100 * share:.2f} %" for name, share in result.accuracy.items())
        minutes = result.seconds / 60
        CONSOLE.print(f"epoch {result.epoch:2d} of {self._epochs}  loss {result.loss:.4f}  {accuracy}  {minutes:.1f} min")


def log(text: str) -> None:
    """Print lines, with the control characters of file names and labels escaped."""
    CONSOLE.print("\n".join(map(printable, text.split("\n"))))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1, with the reason printed, if data are missing or a split leaks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # a log file shows each epoch when it ends
    options = parse(arguments)
    recipe = selected_recipe(options)
    given = {name: getattr(options, name) for name in ("epochs", "seed") if getattr(options, name) is not None}
    if options.cores is not None:
        given |= {"threads": options.cores, "processes": options.cores}
    settings = replace(recipe.settings, **given)
    out = options.out or Path("build" if options.without else "models") / options.name
    if options.fresh:
        (out / CHECKPOINT_FILE).unlink(missing_ok=True)
    try:
        if options.splits:
            leaks = find_leaks(recipe)
            log("\n".join(leaks) or f"{recipe.name}: no image is in two splits")
            return 1 if leaks else 0
        columns = (TextColumn("{task.description}"), BarColumn(None), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=CONSOLE) as progress:
            card = train_recipe(recipe, out, settings, log, ProgressBar(progress, settings.epochs), tuple(options.without))
    except DataError as error:
        log(f"error: {error}")
        return 1
    for one in card.metrics:
        accuracy = f"{100 * one.accuracy:.2f} % of {one.n:,}, balanced {100 * one.balanced_accuracy:.2f} %"
        log(f"{one.dataset}, {one.split}: {accuracy}, calibration error {100 * one.ece:.2f} %")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; an unknown recipe is an error."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("name", help=f"{', '.join(RECIPES)}; with --folder any other")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, metavar="DIR", help="contains mnist/, emnist/, drawings/, fashion-mnist/")
    source.add_argument("--folder", type=Path, metavar="DIR", help="contains your own images as LABEL/NAME.png")
    parser.add_argument("--subject", choices=("ink", "object"), default="ink", help="what your own images show")
    parser.add_argument("--title", default="", help="describes your own model in a few words")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: models/NAME, with --without build/NAME")
    parser.add_argument("--epochs", type=positive, help="instead of the recipe's number")
    parser.add_argument("--seed", type=int, help="instead of the recipe's seed")
    parser.add_argument("--cores", type=positive, help="threads and processes to use, default 2")
    parser.add_argument("--without", action="append", default=[], metavar="SOURCE", help="leave a source out, as an experiment")
    parser.add_argument("--fresh", action="store_true", help="start again instead of continuing an interrupted run")
    parser.add_argument("--splits", action="store_true", help="only search for images that are in two splits")
    options = parser.parse_args(arguments)
    if options.folder is None and options.name not in RECIPES:
        parser.error(f"unknown recipe {options.name!r}. Choose one of: {', '.join(RECIPES)}.")
    return options


def positive(text: str) -> int:
    """Parse a whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def selected_recipe(options: argparse.Namespace) -> Recipe:
    """Create the recipe that the options name."""
    if options.folder is not None:
        return Folder(options.folder, options.name, options.subject, options.title)
    return RECIPES[options.name](options.data)


if __name__ == "__main__":
    sys.exit(main())
