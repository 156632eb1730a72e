"""Files as skl2onnx writes them of scikit-learn's classifiers are imported without further options, and compute the same."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from models.__main__ import main
from models.card import CARD_FILE, MODEL_FILE, ModelCard, read_card
from models.evaluation import open_model
from models.outputs import probabilities

PICTURES, DIGITS = load_digits(return_X_y=True)
CLASSIFIERS = {
    "logistic": LogisticRegression(max_iter=20),
    "perceptron": MLPClassifier((8,), max_iter=10, random_state=0),
    "svc": SVC(probability=True, random_state=0),
    "forest": RandomForestClassifier(5, random_state=0),
    "neighbours": KNeighborsClassifier(3),
    "bayes": GaussianNB(),
    "one-vs-rest": OneVsRestClassifier(LogisticRegression(max_iter=20)),
}
CLASSES = 4


def export(path: Path, classifier: Any, *, double: bool, zip_map: bool, names: bool, classes: int = CLASSES) -> list[str]:
    """Fit and export a pipeline; returns its labels."""
    chosen = classes > DIGITS
    labels = np.array([f"digit {digit}" for digit in DIGITS]) if names else DIGITS
    kind = DoubleTensorType if double else FloatTensorType
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(StandardScaler(), classifier).fit(PICTURES[chosen][:150], labels[chosen][:150])
        options = {id(pipeline): {"zipmap": zip_map}}
        model = convert_sklearn(pipeline, initial_types=[("X", kind([None, 64]))], options=options)
    path.write_bytes(model.SerializeToString())
    return [str(label) for label in pipeline.classes_]


def assert_imported(path: Path, catalogue: Path, labels: list[str], *, double: bool) -> None:
    """Import a file, and compare its probabilities with those of the file itself."""
    assert main(["import", str(path), "--name", "exported", "--subject", "photo", "--scale", "16"]) == 0
    card = read_card(catalogue / "exported" / CARD_FILE)
    assert isinstance(card, ModelCard)
    assert (card.labels, card.input.layout, card.fixed_batch, card.output.multi_label) == (labels, "NP", None, False)
    images = PICTURES[200:205].astype(np.float64 if double else np.float32)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    scores = session.run(None, {"X": images})[1]
    expected = [list(one.values()) for one in scores] if isinstance(scores, list) else scores
    logits = open_model(catalogue / "exported" / MODEL_FILE, card)(images)
    np.testing.assert_allclose(probabilities(logits, card.output, 1), expected, atol=1e-5)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_pipeline_with_a_zip_map(catalogue: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "exported.onnx"
    labels = export(path, CLASSIFIERS[name], double=False, zip_map=True, names=False)
    assert_imported(path, catalogue, labels, double=False)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_pipeline_of_doubles_without_a_zip_map(catalogue: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "exported.onnx"
    labels = export(path, CLASSIFIERS[name], double=True, zip_map=False, names=True)
    assert_imported(path, catalogue, labels, double=True)


@pytest.mark.parametrize("name", ["logistic", "svc"])
def test_two_classes(catalogue: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "exported.onnx"
    labels = export(path, CLASSIFIERS[name], double=False, zip_map=True, names=True, classes=2)
    assert_imported(path, catalogue, labels, double=False)
