"""Measuring how well the import finds the preprocessing, with tiny models."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

import torch
from PIL import Image

from preprocessing import InputSpec, Normalisation, PhotoGeometry
from training.data.datasets import LabelledImages
from training.evaluation.preprocessing_cases import CASES, Case, Pictures
from training.evaluation.preprocessing_search import Comparison, compare
from training.fitting.small_classifier import export_classifier, train_classifier
from training.rendering import tinted_clothes

SPEC = InputSpec(
    layout="NHWC",
    height=8,
    width=8,
    colour="BGR",
    geometry=PhotoGeometry(),
    normalisation=Normalisation(scale=255),
)


def noise(count: int, seed: int) -> Pictures:
    """Pictures with more red, or more blue, than the other."""
    rng = np.random.default_rng(seed)
    indices = np.arange(count) % 2
    pixels = rng.integers(0, 180, (count, 8, 8, 3), dtype=np.uint8)
    pixels[np.arange(count), :, :, indices * 2] += 60
    return Pictures([Image.fromarray(one) for one in pixels], indices, ["red", "blue"])


def source(data: Path) -> tuple[Pictures, Pictures]:  # noqa: ARG001
    return noise(400, 0), noise(60, 1)


@pytest.mark.slow
def test_preprocessing_of_a_trained_model_is_found_by_the_command(tmp_path: Path) -> None:
    comparison = compare(Case("noise", SPEC, source, epochs=8), tmp_path, tmp_path)
    assert (comparison.count, comparison.passed) == (30, True)
    assert comparison.accuracy_given > 0.9
    assert comparison.given == "`--colour BGR --subject photo --fit stretch --scale 255`"
    assert "--colour BGR" in comparison.found
    assert comparison.row().startswith(f"| noise | {comparison.given} | {comparison.found} | ")


@pytest.mark.parametrize(("found", "passed"), [(0.95, True), (0.891, True), (0.88, False)])
def test_found_preprocessing_may_be_one_point_worse(found: float, passed: bool) -> None:
    comparison = Comparison("x", "", "", accuracy_given=0.9, accuracy_found=found, count=100, sure=True)
    assert comparison.passed == passed


def test_exported_file_answers_as_the_network(tmp_path: Path) -> None:
    training = noise(64, 2)
    network = train_classifier(training.images, training.indices, 2, SPEC, epochs=1)
    export_classifier(network, SPEC, tmp_path / "model.onnx")
    batch = np.random.default_rng(0).random((3, *SPEC.shape), dtype=np.float32)
    session = ort.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    (answered,) = session.run(None, {"input": batch})
    assert np.allclose(answered, network(torch.from_numpy(batch)).detach().numpy(), atol=1e-4)


def test_names_of_cases_are_distinct() -> None:
    assert len({case.name for case in CASES}) == len(CASES) > 12


def test_clothes_have_the_colour_of_their_label() -> None:
    garments = LabelledImages(np.full((10, 28, 28), 255, dtype=np.uint8), np.arange(10))
    images, labels = tinted_clothes.render(garments, 2, seed=0)
    assert [image.size for image in images] == [(32, 32)] * 24
    for image, label in zip(images, labels, strict=True):
        channel = int(np.asarray(image, dtype=np.float64).mean(axis=(0, 1)).argmax())
        assert tinted_clothes.LABELS[label].split()[0] == list(tinted_clothes.COLOURS)[channel]
    longer, _ = tinted_clothes.render(garments, 1, seed=0, longer=1.5)
    assert all(40 <= min(image.size) <= max(image.size) <= 108 for image in longer)
    assert any(image.width != image.height for image in longer)
