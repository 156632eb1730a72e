"""The robustness report with few digits, drawn by a generator that the model was not trained on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from preprocessing import stages
from tests.support.processes import ROOT
from training.data.datasets import LabelledImages
from training.evaluation.multi_character import RejectionRate
from training.evaluation.networks import Network
from training.evaluation.perturbations import PERTURBATIONS, Perturbation
from training.rendering.validation_digits import draw_validation_digit
from training.robustness import PerturbationResult, measure, write_report

N = 200
SLOW = {"photo of 12 megapixels": 20}


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(ROOT / "models" / "digits")


@pytest.fixture(scope="module")
def digits(network: Network) -> LabelledImages:
    """Generated digits in the format of MNIST."""
    rng = np.random.default_rng(5)
    labels = np.tile(np.arange(10, dtype=np.int64), N // 10)
    inputs = [np.asarray(stages(draw_validation_digit(int(label), rng), network.card.input)[-1].image) for label in labels]
    return LabelledImages(np.stack(inputs), labels)


def test_perturbations_have_distinct_names() -> None:
    assert len(PERTURBATIONS) >= 14
    assert len({perturbation.name for perturbation in PERTURBATIONS}) == len(PERTURBATIONS)


@pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=lambda perturbation: perturbation.name)
def test_model_meets_the_requirements_of_every_perturbation(
    network: Network, digits: LabelledImages, perturbation: Perturbation
) -> None:
    few = digits.take(np.arange(SLOW.get(perturbation.name, N)))
    unperturbed, (result,) = measure(network, few, [perturbation], seed=3)
    assert unperturbed >= 0.985
    assert result.passed, result.cells()


def test_result_below_the_requirements_fails() -> None:
    perturbation = Perturbation("nothing", lambda digit, _: Image.fromarray(digit), same_answer=True)
    assert PerturbationResult(perturbation, 1.0, 1.0).passed
    assert not PerturbationResult(perturbation, 0.98, 1.0).passed
    assert not PerturbationResult(perturbation, 1.0, 0.99).passed


def test_report_shows_every_perturbation(network: Network, digits: LabelledImages, tmp_path: Path) -> None:
    perturbation = PERTURBATIONS[0]
    unperturbed, results = measure(network, digits.take(np.arange(10)), [perturbation])
    rates = [RejectionRate("pairs", 200, 199, least=0.97), RejectionRate("alone", 200, 2, most=0.003)]
    write_report(network, digits, unperturbed, results, rates, tmp_path)
    page = (tmp_path / "robustness.md").read_text(encoding="utf-8")
    assert f"| {perturbation.name} | " in page
    assert "| pairs | 200 | 99.50% | at least 97% | yes |" in page
    assert "| alone | 200 | 1.00% | at most 0.3% | **no** |" in page
    assert (tmp_path / "images" / "robustness" / "dark-ink-on-light.png").is_file()
