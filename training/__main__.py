"""``python -m training NAME --data DIR``: make a model of the catalogue again, or one of your own pictures."""

import argparse
import io
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.terminal import printable
from training.datasets import DataError
from training.leaks import leaks
from training.making import make
from training.recipe import Recipe
from training.recipes import RECIPES
from training.recipes.folder import Folder
from training.train import Epoch, Watch

CONSOLE = Console(highlight=False, markup=False, soft_wrap=True)


class Bar(Watch):
    """A progress bar over all steps, and a line above it for each epoch."""

    def __init__(self, progress: Progress, epochs: int) -> None:
        self._progress = progress
        self._epochs = epochs
        self._task = progress.add_task("training", total=None)

    def step(self, done: int, steps: int, loss: float) -> None:
        self._progress.update(self._task, completed=done, total=steps, description=f"loss {loss:.4f}")

    def epoch(self, line: Epoch) -> None:
        shares = "  ".join(f"{name}: {100 * share:.2f} %" for name, share in line.accuracy.items())
        CONSOLE.print(f"epoch {line.epoch:2d} of {self._epochs}  loss {line.loss:.4f}  {shares}  {line.seconds / 60:.1f} min")


def say(text: str) -> None:
    """Print lines, in which names of files and labels are only shown, whatever is in them."""
    CONSOLE.print("\n".join(map(printable, text.split("\n"))))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 with a reason where data are missing or a split leaks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # a log file shows each epoch when it ends
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("name", help=f"{', '.join(RECIPES)}; with --folder any other")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, metavar="DIR", help="holds mnist/, emnist/, drawings/, fashion-mnist/")
    source.add_argument("--folder", type=Path, metavar="DIR", help="holds pictures of your own, LABEL/NAME.png")
    parser.add_argument("--subject", choices=("ink", "object"), default="ink", help="what your own pictures show")
    parser.add_argument("--title", default="", help="what your own model is, in a few words")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: models/NAME, build/NAME of an experiment")
    parser.add_argument("--epochs", type=positive, help="another number than the recipe's")
    parser.add_argument("--seed", type=int, help="another seed than the recipe's")
    parser.add_argument("--cores", type=positive, help="how many to use, instead of two")
    parser.add_argument("--without", action="append", default=[], metavar="SOURCE", help="leave sources out: an experiment")
    parser.add_argument("--fresh", action="store_true", help="do not go on with a run that was cut off")
    parser.add_argument("--splits", action="store_true", help="only look for pictures that are in two parts of the data")
    options = parser.parse_args(arguments)
    if options.folder is None and options.name not in RECIPES:
        parser.error(f"there is no recipe {options.name!r}. There are: {', '.join(RECIPES)}.")
    recipe = chosen(options)
    given = {name: getattr(options, name) for name in ("epochs", "seed") if getattr(options, name) is not None}
    if options.cores is not None:
        given |= {"threads": options.cores, "processes": options.cores}
    settings = replace(recipe.settings, **given)
    out = options.out or Path("build" if options.without else "models") / options.name
    if options.fresh:
        (out / "checkpoint.pt").unlink(missing_ok=True)
    try:
        if options.splits:
            found = leaks(recipe)
            say("\n".join(found) or f"{recipe.name}: no picture is in two parts")
            return 1 if found else 0
        columns = (TextColumn("{task.description}"), BarColumn(None), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=CONSOLE) as progress:
            card = make(recipe, out, settings, say, Bar(progress, settings.epochs), tuple(options.without))
    except DataError as error:
        say(f"error: {error}")
        return 1
    for one in card.metrics:
        shares = f"{100 * one.accuracy:.2f} % of {one.n:,}, balanced {100 * one.balanced_accuracy:.2f} %"
        say(f"{one.dataset}, {one.split}: {shares}, calibration error {100 * one.ece:.2f} %")
    return 0


def positive(text: str) -> int:
    """A whole number above 0, or argparse's refusal of the text."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def chosen(options: argparse.Namespace) -> Recipe:
    """The recipe the command line asks for."""
    if options.folder is not None:
        return Folder(options.folder, options.name, options.subject, options.title)
    return RECIPES[options.name](options.data)


if __name__ == "__main__":
    sys.exit(main())
