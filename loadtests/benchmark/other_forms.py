"""Models of other forms than digits, as people bring them: imported by the command, and their answers by hand."""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort
from PIL import Image

from loadtests.benchmark.networks import write_channels_last, write_photo
from loadtests.benchmark.offline import DIGITS
from loadtests.images import colour_pictures
from loadtests.processes import run_models
from preprocessing import Tensor

LABELS: Final = "0-9"
BILINEAR: Final = Image.Resampling.BILINEAR
PHOTO_SIDE: Final = 224
BYTES_SIDE: Final = 64
MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32)
STD: Final = np.array([0.229, 0.224, 0.225], np.float32)


@dataclass(frozen=True, slots=True)
class OtherForm:
    """A model of another form: what writes its file, the options of its import, and its input of a picture by hand."""

    name: str
    write: Callable[[Path], None]
    options: Sequence[str]
    prepare: Callable[[Image.Image], Tensor]

    def references(self, path: Path) -> list[dict[str, Any]]:
        """The label and the probabilities of every picture of ``colour_pictures``, by onnxruntime called by hand."""
        session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
        return [self._reference(session, image) for image in colour_pictures()]

    def _reference(self, session: ort.InferenceSession, image: Image.Image) -> dict[str, Any]:
        logits = np.asarray(session.run(None, {"input": self.prepare(image.convert("RGB"))[None]})[0][0], np.float64)
        exponentials = np.exp(logits - logits.max())
        return {
            "label": str(logits.argmax()),
            "probabilities": {str(label): float(value) for label, value in enumerate(exponentials / exponentials.sum())},
        }


def _photo(image: Image.Image) -> Tensor:
    """The shorter side scaled to the input's, the middle cut, normalised: float32[3,224,224]."""
    scale = PHOTO_SIDE / min(image.size)
    width, height = (int(side * scale + 1e-6) for side in image.size)
    left, top = round((width - PHOTO_SIDE) / 2), round((height - PHOTO_SIDE) / 2)
    frame = image.resize((width, height), BILINEAR).crop((left, top, left + PHOTO_SIDE, top + PHOTO_SIDE))
    return np.ascontiguousarray(((np.asarray(frame, np.float32) / 255 - MEAN) / STD).transpose(2, 0, 1))


def _bytes(image: Image.Image) -> Tensor:
    """The whole picture, uint8[64,64,3]."""
    return np.asarray(image.resize((BYTES_SIDE, BYTES_SIDE), BILINEAR))


OTHER_FORMS: Final = (
    OtherForm("photo", write_photo, ("--preset", "imagenet"), _photo),
    OtherForm("bytes", write_channels_last, ("--subject", "photo"), _bytes),
)


def import_forms(folder: Path, home: Path) -> Path:
    """Write the models, and import them and digits into the model store at ``home``; returns their catalogue.

    Raises:
        CalledProcessError: the import refused one.
    """
    catalogue = folder / "catalogue"
    shutil.copytree(DIGITS.parent, catalogue / "digits")
    run_models(home, "import", CATALOGUE=os.fspath(catalogue))
    for form in OTHER_FORMS:
        path = model_file(folder, form)
        form.write(path)
        options = ("--name", form.name, "--labels", LABELS, *form.options)
        run_models(home, "import", os.fspath(path), *options, CATALOGUE=os.fspath(catalogue))
    return catalogue


def model_file(folder: Path, form: OtherForm) -> Path:
    """Where ``import_forms`` writes the ONNX file of a model."""
    return folder / f"{form.name}.onnx"
