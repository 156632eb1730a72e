"""A model whose session fails on one kind of picture."""

from pathlib import Path
from typing import Final

import numpy as np
import onnx
from PIL import Image, ImageDraw

from models.card import CARD_FILE, MODEL_FILE, file_sha256, write_card
from preprocessing import Geometry
from tests.models.catalogues import add_model
from tests.models.graphs import SIZE, model, node, weights
from tests.support.pictures import encoded

MODEL: Final = "marks"


def picky() -> onnx.ModelProto:
    """A linear classifier that looks a weight up in a table of one row, at the place 1 for frames that are full of ink."""
    nodes = [
        node("ReduceMean", "x", "ink", axes=[1, 2, 3], keepdims=0),
        node("Add", "ink tenth", "more"),
        node("Cast", "more", "row", to=onnx.TensorProto.INT64),
        node("Gather", "table row", "scale"),
        node("Flatten", "x", "flat"),
        node("MatMul", "flat w", "scores"),
        node("Mul", "scores scale", "y"),
    ]
    constants = {"tenth": np.array(0.1), "table": np.ones((1, 1)), "w": weights(2)}
    return model(nodes, constants, answer=("N", 2))


def full_frame() -> bytes:
    """A black square, which fills the frame of a model that does not leave a margin."""
    image = Image.new("L", (64, 64), 255)
    ImageDraw.Draw(image).rectangle((16, 16, 47, 47), fill=0)
    return encoded(image)


FAILS: Final = full_frame()  # the picture that it fails on


def add_failing_model(catalogue: Path) -> None:
    """Add the model, which has the labels a and b, to a catalogue."""
    card = add_model(catalogue, MODEL, ["a", "b"])
    folder = catalogue / MODEL
    onnx.save(picky(), folder / MODEL_FILE)
    geometry = Geometry(fit_box=SIZE, centring="box", polarity="light_on_dark")
    changed = {"sha256": file_sha256(folder / MODEL_FILE), "input": card.input.model_copy(update={"geometry": geometry})}
    write_card(card.model_copy(update=changed), folder / CARD_FILE)
