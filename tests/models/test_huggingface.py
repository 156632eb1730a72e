"""Labels and preprocessing that Hugging Face publishes beside a model are used by an import."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from models.__main__ import main
from models.card import CARD_FILE, MODEL_FILE, CardError, ModelCard, read_card
from models.evaluation import open_model
from models.huggingface import read_configuration
from models.outputs import probabilities
from preprocessing import preprocess
from tests.models.forms import LABELS, MEAN, RESAMPLING, STD, graph, kernel, picture, softmax
from tests.models.graphs import node

NAMES = {"id2label": {str(index): label for index, label in enumerate(LABELS)}}
HALVES = [0.5, 0.5, 0.5]
VIT = {
    "do_resize": True,
    "size": {"height": 16, "width": 16},
    "resample": 2,
    "do_rescale": True,
    "rescale_factor": 0.00392156862745098,
    "do_normalize": True,
    "image_mean": HALVES,
    "image_std": HALVES,
}
CONVNET = {
    "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224},
    "size": {"shortest_edge": 256},
    "resample": 3,
    "image_mean": list(MEAN),
    "image_std": list(STD),
}
OLDER = {"size": 384, "do_normalize": False, "do_rescale": False}


def write(folder: Path, **files: Any) -> Path:
    """Write configurations, and return the path of a model in the folder onnx/ beside them."""
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    (folder / "onnx").mkdir()
    return folder / "onnx" / "model.onnx"


@pytest.mark.parametrize(
    ("config", "geometry", "normalisation", "size"),
    [
        (VIT, {"fit": "stretch", "filter": "bilinear"}, (1, HALVES, HALVES), 16),
        (
            CONVNET,
            {"fit": "crop", "filter": "bicubic", "shorter_side": 256},
            (1, list(MEAN), list(STD)),
            224,
        ),
        (OLDER, {"fit": "stretch", "filter": "bilinear"}, (255, 0, 1), 384),
    ],
)
def test_fields_of_an_image_processor(
    tmp_path: Path, config: dict[str, Any], geometry: dict[str, Any], normalisation: tuple[Any, ...], size: int
) -> None:
    fields, remarks = read_configuration(write(tmp_path, preprocessor_config=config))
    assert fields["input"]["geometry"] == {"subject": "photo", **geometry}
    assert fields["input"]["normalisation"] == dict(zip(("scale", "mean", "std"), normalisation, strict=True))
    assert (fields["input"]["height"], fields["input"]["width"]) == (size, size)
    assert f"--fit {geometry['fit']} " in remarks[0]
    assert f"--size {size}x{size}" in remarks[0]


@pytest.mark.parametrize("content", [{}, {"model_type": "bert"}, [], "text", {"id2label": None}])
def test_other_files_say_nothing(tmp_path: Path, content: Any) -> None:
    assert read_configuration(write(tmp_path, config=content, preprocessor_config=content)) == ({}, [])


def test_broken_file_is_named(tmp_path: Path) -> None:
    model = write(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(CardError, match=r"config.json: cannot be read: .*; leave it out"):
        read_configuration(model)


def test_model_with_its_configuration_needs_no_options(catalogue: Path, tmp_path: Path) -> None:
    path = write(tmp_path, config=NAMES, preprocessor_config=VIT)
    nodes = [node("Flatten", "x", "flat"), node("MatMul", "flat w", "y")]
    made = graph(nodes, {"w": kernel(768)}, ("batch_size", 3, "height", "width"))
    onnx.save(made, path)
    assert main(["import", str(path), "--name", "beasts"]) == 0
    card = read_card(catalogue / "beasts" / CARD_FILE)
    assert isinstance(card, ModelCard)
    assert card.labels == LABELS
    levels = np.asarray(picture().resize((16, 16), RESAMPLING.BILINEAR), np.float32).transpose(2, 0, 1)
    expected = softmax((levels / 127.5 - 1).reshape(1, -1) @ kernel(768))
    logits = open_model(catalogue / "beasts" / MODEL_FILE, card)(preprocess(picture(), card.input)[None])
    np.testing.assert_allclose(probabilities(logits, card.output, 1), expected, atol=1e-5)
