"""``python -m training.drift --data DIR``: simulate what monitoring notices as drift, and how often it is wrong.

The pictures of each model's test set are answered in this process, as they are and under changes. Windows are drawn from the
answers. Prints the tables of docs/drift.md, and plots how soon each change is noticed.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from models.answers import Answers
from models.card import CARD_FILE, read_card
from models.store import CATALOGUE
from models.terminal import printable
from training.data import outliers
from training.data.datasets import DataError
from training.data.image_sets import ImageSet
from training.drift import recording, report
from training.drift.changes import Answerer, Change, common_changes, only
from training.drift.simulation import Binned, consecutive_windows, false_alarms, notice
from training.recipes import EVALUATION_DATA

# Pictures an hour, hours of the window, and months that are simulated: of independent pictures, and of visitors' series.
LOADS: Final = ((100, 6, 24), (1000, 6, 6))
VISITS: Final = ((100, 6, 6), (100, 24, 12), (1000, 6, 3))
THRESHOLDS: Final = (0.1, 0.2, 0.3)
PER_VISITOR: Final = 10
WINDOWS: Final = 20


def first_test_set(data: Path, model: str) -> ImageSet:
    """The test set that the reference of a model is taken from."""
    return next(iter(EVALUATION_DATA[model](data).test().values()))


def digits_changes(data: Path, usual: ImageSet) -> list[Change]:
    """The changes that ``digits`` alone can meet."""
    letters = first_test_set(data, "letters")
    return [Change("letters instead of digits", letters, same_labels=False), Change("only 1s and 7s", only(usual, (1, 7)))]


def letters_changes(data: Path, usual: ImageSet) -> list[Change]:
    """The changes that ``letters`` alone can meet."""
    symbols = next(iter(outliers.unfamiliar_symbols(data, "test").values()))
    return [
        Change("digits instead of letters", first_test_set(data, "digits"), same_labels=False),
        Change("characters of other alphabets", symbols, same_labels=False),
        Change("only vowels", only(usual, (0, 4, 8, 14, 20))),
    ]


def fashion_changes(data: Path, usual: ImageSet) -> list[Change]:
    """The changes that ``fashion`` alone can meet."""
    return [
        Change("digits instead of clothes", first_test_set(data, "digits"), same_labels=False),
        Change("only shoes", only(usual, (5, 7, 9))),
    ]


CHANGES: Final[dict[str, Callable[[Path, ImageSet], list[Change]]]] = {
    "digits": digits_changes,
    "letters": letters_changes,
    "fashion": fashion_changes,
}


def answer_all(data: Path, model: str, n: int) -> tuple[dict[str, Answers], dict[str, float]]:
    """The answers to a model's test set, and to ``n`` pictures of it under each change; and the accuracy under these."""
    answerer, usual = Answerer(CATALOGUE / model), first_test_set(data, model)
    found = {recording.USUAL: answerer.answers(usual.images())[0]}
    accuracies = {}
    with tempfile.TemporaryDirectory() as scratch:
        for change in [*common_changes(usual), *CHANGES[model](data, usual)]:
            found[change.name], accuracy = answerer.changed(change, n, Path(scratch))
            if accuracy is not None:
                accuracies[change.name] = accuracy
    return found, accuracies


def simulate(model: str, answers: dict[str, Answers], accuracies: dict[str, float], plots: Path | None) -> list[str]:
    """Simulate a model's windows; returns the lines of its report."""
    reference = read_card(CATALOGUE / model / CARD_FILE).reference
    assert reference is not None
    binned = {name: Binned(one, reference) for name, one in answers.items()}
    usual = binned.pop(recording.USUAL)
    psi = consecutive_windows(usual, WINDOWS)
    lines = [f"{model}: {WINDOWS} windows of {usual.n // WINDOWS} in random order, no alarm; highest PSI {psi.max():.3f}", ""]
    lines += report.changes_table(model, {name: notice(usual, one) for name, one in binned.items()}, accuracies)
    if plots is not None:
        report.plot(usual, binned, model, plots / f"drift-{model}.png")
    return [*lines, "", *thresholds_table(model, usual, binned), ""]


def thresholds_table(model: str, usual: Binned, changed: dict[str, Binned]) -> list[str]:
    """The lines of a table: what other thresholds would notice, and their false alarms."""
    rows = {}
    for threshold in THRESHOLDS:
        cells = [
            f"{false_alarms(usual, rate, months, window_hours=hours, per_visitor=series, threshold=threshold):.2f}"
            for series, loads in ((1, LOADS), (PER_VISITOR, VISITS))
            for rate, hours, months in loads
        ]
        shares = [notice(usual, one, threshold).share for one in changed.values()]
        noticed = [share for share in shares if share is not None]
        rows[threshold] = [*cells, f"{len(noticed)} of {len(shares)}", f"{median(noticed):.0%}" if noticed else "-"]
    columns = [f"{rate:,}/h, {hours} h" for rate, hours, _ in LOADS]
    columns += [f"{rate:,}/h, {hours} h, series of {PER_VISITOR}" for rate, hours, _ in VISITS]
    columns += ["noticed", "median share"]
    return report.alarms_table(model, rows, columns)


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer, or read recorded answers, and simulate."""
    parser = argparse.ArgumentParser(prog="python -m training.drift", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="the folder that training/README.md describes")
    source.add_argument("--recorded", type=Path, metavar="DIR", help="answers that --record wrote, instead of data")
    parser.add_argument("--model", action="append", choices=CHANGES, help="only this model, instead of all")
    parser.add_argument("--n", type=int, default=2000, help="pictures under each change, default: %(default)s")
    parser.add_argument("--record", type=Path, metavar="DIR", help="write the answers as MODEL.npz to this folder")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="write drift-MODEL.png to this folder")
    options = parser.parse_args(arguments)
    try:
        for model in options.model or CHANGES:
            if options.data is None:
                answers, accuracies = recording.load(options.recorded / f"{model}.npz")
            else:
                answers, accuracies = answer_all(options.data, model, options.n)
            if options.record is not None:
                labels = read_card(CATALOGUE / model / CARD_FILE).labels
                recording.save(answers, accuracies, labels, options.record / f"{model}.npz")
            lines = simulate(model, answers, accuracies, options.plots)
            sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))
    except (DataError, OSError, ValueError) as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
