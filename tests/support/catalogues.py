"""A catalogue of the test's own: the project's digits, and small stand-ins of which a test knows what they say."""

import shutil
from pathlib import Path
from string import ascii_uppercase

import numpy as np
import onnx
from onnx import numpy_helper

from models.card import CARD_FILE, MODEL_FILE, ModelCard, file_sha256, read_card, write_card
from models.card_fields import Calibration
from models.store import CATALOGUE
from preprocessing import Geometry
from tests.models.catalogues import add_cascade, add_model
from tests.models.graphs import SIZE, linear

LETTERS = list(ascii_uppercase)
CATEGORIES = ["digit", "letter", "drawing"]


def write_catalogue(catalogue: Path) -> None:
    """digits; category, for which ink above is a digit's, ink below a letter's, and both alike neither's; letters, which are
    read at random and never surely; and characters, the cascade of them."""
    shutil.copytree(CATALOGUE / "digits", catalogue / "digits")
    letters = add_model(catalogue, "letters", LETTERS)
    write_card(letters.model_copy(update={"calibration": Calibration(temperature=20)}), catalogue / "letters" / CARD_FILE)
    above = np.repeat([1, -1], SIZE * SIZE // 2).astype(np.float32)
    _reweigh(catalogue, add_model(catalogue, "category", CATEGORIES), np.stack([above, -above, 0 * above], axis=1))
    digits = read_card(catalogue / "digits" / CARD_FILE)
    then = {"digit": digits.tag, "letter": "letters:1.0.0"}
    add_cascade(catalogue, "characters", "category:1.0.0", then, [*digits.labels, *LETTERS, "drawing"])


def _reweigh(catalogue: Path, card: ModelCard, weights: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> None:
    """Give a linear model these weights float32[pixels, K], and frames in which ink keeps its place."""
    folder, graph = catalogue / card.name, linear(len(card.labels))
    (kernel,) = graph.graph.initializer
    kernel.CopyFrom(numpy_helper.from_array(weights, kernel.name))
    onnx.save(graph, folder / MODEL_FILE)
    geometry = Geometry(fit_box=6, centring="box", polarity="light_on_dark")
    changed = {"sha256": file_sha256(folder / MODEL_FILE), "input": card.input.model_copy(update={"geometry": geometry})}
    write_card(card.model_copy(update=changed), folder / CARD_FILE)
