"""The usual preprocessing and inference of a digit model, shared by the baselines; uses none of the project's code."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import yaml
from PIL import Image, ImageOps

FOLDER: Final = Path(__file__).parents[2] / "models" / "digits"
SIDE: Final = 28
BOX: Final = 20

Array = npt.NDArray[np.float32]


def load_labels() -> list[str]:
    """Read the labels of the model, in the order of its outputs."""
    card = yaml.safe_load((FOLDER / "card.yaml").read_text(encoding="utf-8"))
    return [str(label) for label in card["labels"]]


def load_session() -> ort.InferenceSession:
    """Open the model on one CPU thread: there are as many worker processes as cores."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(FOLDER / "model.onnx"), options, providers=["CPUExecutionProvider"])


def predict(session: ort.InferenceSession, batch: Array) -> Array:
    """Compute logits float32[N,10] of a batch float32[N,1,28,28]."""
    (logits,) = session.run(None, {session.get_inputs()[0].name: batch})
    return np.asarray(logits, dtype=np.float32)


def prepare(image: Image.Image) -> Array:
    """Preprocess an image of a digit to float32[1,28,28] as in MNIST: light on dark, in a box of 20x20, centred by its mass.

    Raises:
        ValueError: the image is blank.
    """
    grey = on_white(image).convert("L")
    if border_level(grey) > 127:
        grey = ImageOps.invert(grey)
    box = grey.getbbox()
    if box is None:
        raise ValueError("the image is blank")
    small = ImageOps.contain(grey.crop(box), (BOX, BOX), Image.Resampling.BOX)
    ink = np.asarray(small, dtype=np.float32) / 255
    height, width = ink.shape
    mass = ink.sum()
    top = round(SIDE / 2 - 0.5 - float(ink.sum(axis=1) @ np.arange(height)) / float(mass))
    left = round(SIDE / 2 - 0.5 - float(ink.sum(axis=0) @ np.arange(width)) / float(mass))
    top, left = min(max(top, 0), SIDE - height), min(max(left, 0), SIDE - width)
    frame = np.zeros((1, SIDE, SIDE), dtype=np.float32)
    frame[0, top : top + height, left : left + width] = ink
    return frame


def on_white(image: Image.Image) -> Image.Image:
    """Put a transparent image on white."""
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def border_level(grey: Image.Image) -> float:
    """Mean level of the four edges of a grey image, 0 to 255."""
    pixels = np.asarray(grey)
    return float(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).mean())


def answer(logits: Array, labels: list[str]) -> dict[str, Any]:
    """Convert logits float32[10] to the best label and all probabilities."""
    exponentials = np.exp(logits - logits.max())
    probabilities = (exponentials / exponentials.sum()).tolist()
    best = int(logits.argmax())
    return {
        "label": labels[best],
        "confidence": probabilities[best],
        "probabilities": dict(zip(labels, probabilities, strict=True)),
    }
