"""``python -m training.evaluation.preprocessing_search --data DIR``: measures how well the import finds the preprocessing.

Each model is imported twice with the same pictures, by the command: given its preprocessing, and not. The accuracies on the
half that the choice is not made on are compared. Prints a table in Markdown; existing models that are not in DIR are left out.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from models.card import CARD_FILE, ModelCard, read_card
from models.card_options import as_options
from preprocessing import InputSpec
from training.evaluation.preprocessing_cases import CASES, Case

# The accuracy as found may be less than as given by this much.
TOLERANCE: Final = 0.01
HEADER: Final = """| model | given | found | right as given | right as found | of | clearly the best |
| --- | --- | --- | --- | --- | --- | --- |"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The accuracies of one model on the same pictures, with the preprocessing it was made with and with the one found."""

    name: str
    given: str
    found: str
    accuracy_given: float
    accuracy_found: float
    count: int
    sure: bool

    @property
    def passed(self) -> bool:
        """Whether the found preprocessing is as good as the given one, within ``TOLERANCE``."""
        return self.accuracy_found >= self.accuracy_given - TOLERANCE

    def row(self) -> str:
        """A row of the table."""
        accuracies = f"{self.accuracy_given:.1%} | {self.accuracy_found:.1%}"
        return f"| {self.name} | {self.given} | {self.found} | {accuracies} | {self.count} | {'yes' if self.sure else 'no'} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a found preprocessing is worse than the given one."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluation.preprocessing_search", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="contains mnist/, emnist/, fashion-mnist/")
    parser.add_argument("--only", default="", metavar="TEXT", help="only models whose name begins so")
    options = parser.parse_args(arguments)
    wanted = [case for case in CASES if case.name.startswith(options.only)]
    cases = [case for case in wanted if not case.file or (options.data / case.file).exists()]
    sys.stdout.write(f"{HEADER}\n")
    torch.set_num_threads(1)
    passed = True
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            comparison = compare(case, options.data, Path(folder))
        passed &= comparison.passed
        sys.stdout.write(f"{comparison.row()}\n")
        sys.stdout.flush()
    return 0 if passed else 1


def compare(case: Case, data: Path, folder: Path) -> Comparison:
    """Make the model and the pictures of a case in ``folder``, and import them with and without the preprocessing."""
    model, labels = case.make(data, folder)
    fields = case.given.model_dump(mode="json", include={"colour", "transposed", "geometry", "normalisation"})
    options = as_options({"input": fields}).split()
    if not case.given.transposed:
        options.append("--no-transposed")
    given = import_model(model, labels, folder, "given", options)
    found = import_model(model, labels, folder, "found", [])
    return Comparison(
        name=case.name,
        given=short(case.given),
        found=short(found.input),
        accuracy_given=given.metrics[0].accuracy,
        accuracy_found=found.metrics[0].accuracy,
        count=found.metrics[0].n,
        sure=any("is clearly likelier" in remark for remark in found.remarks),
    )


def import_model(model: Path, labels: Sequence[str], folder: Path, name: str, options: Sequence[str]) -> ModelCard:
    """Import a model with the pictures in ``folder``/pictures by the command, in a catalogue and store of its own."""
    catalogue = folder / "catalogue"
    command = [sys.executable, "-m", "models", "--catalogue", str(catalogue), "import", str(model), "--name", name]
    command += ["--labels", ",".join(labels), "--pictures", str(folder / "pictures"), *options]
    environment = {**os.environ, "BENTOML_HOME": str(folder / "store"), "BENTOML_DO_NOT_TRACK": "True"}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise RuntimeError(f"{' '.join(command)}: {finished.stderr}")
    card = read_card(catalogue / name / CARD_FILE)
    assert isinstance(card, ModelCard)
    return card


def short(spec: InputSpec) -> str:
    """The preprocessing as the options that differ from the defaults of a photo of this colour."""
    fields = spec.model_dump(mode="json", include={"colour", "transposed", "geometry", "normalisation"})
    if spec.geometry.subject == "photo":
        geometry = fields["geometry"]
        usual = {"filter": "area" if spec.channels == 1 else "bilinear", "polarity": "as_is"}
        usual |= {"pad_level": geometry["pad_level"]} if geometry["fit"] != "pad" else {}
        fields["geometry"] = {key: value for key, value in geometry.items() if usual.get(key) != value}
    if spec.colour in ("grey", "RGB"):
        del fields["colour"]
    text = as_options({"input": fields}).replace(".0", "") + " "
    for default in ("--mean 0 ", "--std 1 "):
        text = text.replace(default, "")
    return f"`{text.strip()}`"


if __name__ == "__main__":
    sys.exit(main())
