"""``python -m training.robustness --data DIR``, ``make robustness``: measure a model on perturbed digits, and write the report.

The digits of the MNIST test set are rendered under every perturbation of ``training.evaluation.perturbations``, preprocessed
and classified. The report also says how often images of one and of several characters are rejected as several
(``training.evaluation.multi_character``).
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from models.terminal import printable
from preprocessing import load, stages
from training.data.datasets import DataError, LabelledImages, mnist
from training.evaluation import multi_character
from training.evaluation.multi_character import RejectionRate
from training.evaluation.networks import Network
from training.evaluation.perturbations import PERTURBATIONS, Perturbation

MIN_AGREEMENT: Final = 0.995
MIN_UNPERTURBED: Final = 0.995
THUMBNAIL: Final = 112
EXAMPLES: Final = 4

Classes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PerturbationResult:
    """The accuracy under a perturbation, and the share of answers that are the same as without it."""

    perturbation: Perturbation
    accuracy: float
    agreement: float

    @property
    def passed(self) -> bool:
        """Whether the requirements of the perturbation are met."""
        same = not self.perturbation.same_answer or self.agreement >= MIN_AGREEMENT
        return self.accuracy >= self.perturbation.min_accuracy and same

    def cells(self) -> list[str]:
        """The cells of the table row."""
        required = f"{self.perturbation.min_accuracy:.1%}"
        required += f", same answer {MIN_AGREEMENT:.1%}" if self.perturbation.same_answer else ""
        passed = "yes" if self.passed else "**no**"
        return [self.perturbation.name, f"{self.accuracy:.2%}", f"{self.agreement:.2%}", required, passed]


def predict(network: Network, digits: LabelledImages, perturbation: Perturbation | None, seed: int) -> Classes:
    """Classify every digit under a perturbation, or unperturbed: ``int64[N]``."""
    rng = np.random.default_rng(seed)
    images = (Image.fromarray(digit) if perturbation is None else perturbation.render(digit, rng) for digit in digits.images)
    return np.array([network.classify(image) for image in images], dtype=np.int64)


def measure(
    network: Network, digits: LabelledImages, perturbations: Sequence[Perturbation] = PERTURBATIONS, seed: int = 0
) -> tuple[float, list[PerturbationResult]]:
    """Measure the accuracy of the unperturbed digits, and a result for every perturbation."""
    unperturbed = predict(network, digits, None, seed)
    results = []
    for perturbation in perturbations:
        classes = predict(network, digits, perturbation, seed)
        accuracy, agreement = float((classes == digits.labels).mean()), float((classes == unperturbed).mean())
        results.append(PerturbationResult(perturbation, accuracy, agreement))
    return float((unperturbed == digits.labels).mean()), results


def example_strip(network: Network, digits: LabelledImages, perturbation: Perturbation, seed: int) -> Image.Image:
    """Render example images of a perturbation, each above its model input."""
    rng = np.random.default_rng(seed)
    strip = Image.new("RGB", (EXAMPLES * (THUMBNAIL + 6) - 6, 2 * THUMBNAIL + 6), (128, 128, 128))
    for place, digit in enumerate(digits.images[:EXAMPLES]):
        image = load(perturbation.render(digit, rng))
        model_input = stages(image, network.card.input)[-1].image
        model_input = model_input.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.NEAREST)
        shown = image.convert("RGBA")
        shown.thumbnail((THUMBNAIL, THUMBNAIL))
        shown = shown.resize((THUMBNAIL, THUMBNAIL * shown.height // shown.width)) if shown.width < THUMBNAIL else shown
        left = place * (THUMBNAIL + 6)
        strip.paste(shown, (left, (THUMBNAIL - shown.height) // 2), shown)
        strip.paste(model_input, (left, THUMBNAIL + 6))
    return strip


def write_report(
    network: Network,
    digits: LabelledImages,
    unperturbed: float,
    results: list[PerturbationResult],
    rates: Sequence[RejectionRate],
    out: Path,
) -> None:
    """Write ``robustness.md`` and an image for each perturbation under ``out``."""
    folder = out / "images" / "robustness"
    folder.mkdir(parents=True, exist_ok=True)
    lines = report_lines(network.card.tag, len(digits), unperturbed, results, rates)
    for result in results:
        name = result.perturbation.name
        file = name.replace(" ", "-").replace(",", "").replace(".", "") + ".png"
        example_strip(network, digits, result.perturbation, 0).save(folder / file, optimize=True)
        lines += ["", f"**{name}**", "", f"![{name}](images/robustness/{file})"]
    (out / "robustness.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def report_lines(
    tag: str, count: int, unperturbed: float, results: Sequence[PerturbationResult], rates: Sequence[RejectionRate]
) -> list[str]:
    """Format the text and the tables of the report in Markdown."""
    return [
        "# Robustness",
        "",
        f"The first {count:,} digits of the MNIST test set are rendered under {len(results)} perturbations, preprocessed as in "
        f"the service, and classified by `{tag}`. Without a perturbation the accuracy is {unperturbed:.2%} (required: "
        f"{MIN_UNPERTURBED:.1%}). `make robustness DATA=path/to/data` repeats the measurement and writes this page.",
        "",
        "| perturbation | accuracy | same answer as without it | required | passed |",
        "| --- | --- | --- | --- | --- |",
        *("| " + " | ".join(result.cells()) + " |" for result in results),
        "",
        "## One character or several",
        "",
        "A model of single characters rejects an image of several characters. The digits are from the MNIST test set, the "
        "letters from the test set of `letters`; the thresholds were chosen on validation images. The space between characters "
        "is 0.1 to 1 times the width of a character. One in five pairs and triples is in two lines. Another stroke width "
        "splits some characters into parts.",
        "",
        "| images | n | rejected as several characters | required | passed |",
        "| --- | ---: | ---: | --- | --- |",
        *("| " + " | ".join(rate.cells()) + " |" for rate in rates),
        "",
        "## Examples",
        "",
        "Above: the image that is sent. Below: the input of the model.",
    ]


def main() -> int:
    """Print the results and write the report; 1 if a requirement is not met."""
    parser = argparse.ArgumentParser(prog="python -m training.robustness", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that contains mnist/t10k-*-ubyte(.gz) and emnist/")
    parser.add_argument("--model", type=Path, default=Path("models/digits"))
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    try:
        digits = mnist(arguments.data, "test").take(np.arange(arguments.n))
        scans = multi_character.scans_of_test_sets(arguments.data)
    except DataError as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 2
    network = Network(arguments.model)
    unperturbed, results = measure(network, digits)
    sys.stdout.write(f"{'unperturbed':28} {unperturbed:.2%}\n")
    for result in results:
        name, accuracy, agreement, required, _ = result.cells()
        sys.stdout.write(f"{name:28} {accuracy:>8} {agreement:>8}   {required}{'' if result.passed else '   FAILED'}\n")
    rates = multi_character.measure(*scans)
    for rate in rates:
        name, _, rejected, required, _ = rate.cells()
        sys.stdout.write(f"{name:34} {rejected:>8}   {required}{'' if rate.passed else '   FAILED'}\n")
    write_report(network, digits, unperturbed, results, rates, arguments.out)
    passed = [*(result.passed for result in results), *(rate.passed for rate in rates)]
    return 0 if unperturbed >= MIN_UNPERTURBED and all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
