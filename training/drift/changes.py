"""What can change without an error: the pictures that are sent, the inputs of the model, or its file."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper
from PIL import Image, ImageFilter

from models.answers import Answers, answers_of
from models.card import CARD_FILE, MODEL_FILE, ModelCard, read_card
from models.evaluation import open_model
from models.reference import InkMeter
from preprocessing import NoInk, Tensor, load, model_input, tensor
from training.data.image_sets import ImageSet

BATCH: Final = 64
SIDE: Final = 280
BLUR: Final = 20  # pixels of SIDE
CONTRAST: Final = 0.1
NOISE: Final = 20.0
BITS: Final = 4

Pictures = Iterable[Image.Image]
Render = Callable[[Image.Image, np.random.Generator], Image.Image]


@dataclass(frozen=True, slots=True)
class Change:
    """A change: other pictures, inputs of the model that are ``inverted``, or weights of ``bits``.

    ``same_labels``: the pictures show what the model was made for, in its labels.
    """

    name: str
    pictures: ImageSet
    render: Render | None = None
    inverted: bool = False
    bits: int | None = None
    same_labels: bool = True

    def order(self, n: int) -> npt.NDArray[np.int64]:
        """Which pictures are taken: ``n`` of them, in random order."""
        return np.random.default_rng(0).permutation(len(self.pictures))[:n]

    def images(self, n: int) -> Iterator[Image.Image]:
        """``n`` pictures in random order."""
        rng = np.random.default_rng(1)
        for image in self.pictures.take(self.order(n)).images():
            yield image if self.render is None else self.render(image, rng)


def out_of_focus(image: Image.Image, rng: np.random.Generator) -> Image.Image:  # noqa: ARG001
    """A picture as a camera out of focus takes it."""
    return _enlarged(image).filter(ImageFilter.GaussianBlur(BLUR))


def low_light(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A picture with little contrast and the noise of a sensor."""
    levels = 60 + CONTRAST * np.asarray(_enlarged(image), dtype=np.float32)
    return Image.fromarray(np.clip(levels + rng.normal(0, NOISE, levels.shape), 0, 255).astype(np.uint8))


def turned(image: Image.Image, rng: np.random.Generator) -> Image.Image:  # noqa: ARG001
    """A picture that lies on its side."""
    return image.transpose(Image.Transpose.ROTATE_90)


def badly_cropped(image: Image.Image, rng: np.random.Generator) -> Image.Image:  # noqa: ARG001
    """The upper half of a picture."""
    return image.crop((0, 0, image.width, image.height // 2))


def common_changes(usual: ImageSet) -> list[Change]:
    """The changes that any model can meet; ``usual`` are the pictures it was made for."""
    return [
        Change("polarity bug: the model's inputs are inverted", usual, inverted=True),
        Change("camera out of focus", usual, out_of_focus),
        Change("camera with little light", usual, low_light),
        Change("pictures turned by 90 degrees", usual, turned),
        Change("bad crop: the lower half is missing", usual, badly_cropped),
        Change(f"another file: weights rounded to {BITS} bits", usual, bits=BITS),
    ]


def only(usual: ImageSet, labels: Sequence[int]) -> ImageSet:
    """The pictures of some labels."""
    return usual.take(np.flatnonzero(np.isin(usual.labels, labels)))


class Answerer:
    """Answers pictures with a model of the catalogue, preprocessed as in the service."""

    def __init__(self, folder: Path) -> None:
        card = read_card(folder / CARD_FILE)
        assert isinstance(card, ModelCard)
        self.card = card
        self._folder = folder
        self._mean_ink = InkMeter(card.input)
        dark, light = (
            tensor(np.full((card.input.height, card.input.width), level, np.uint8), card.input) for level in (0, 255)
        )
        self._ends = dark + light

    def answers(self, pictures: Pictures, *, inverted: bool = False, file: Path | None = None) -> tuple[Answers, list[int]]:
        """The answers to pictures, and which pictures these are: those without ink have none. ``file`` takes the place of the
        model."""
        run = open_model(file or self._folder / MODEL_FILE, self.card)
        inputs: list[Tensor] = []
        characters: list[int] = []
        answered: list[int] = []
        for number, picture in enumerate(pictures):
            try:
                found = model_input(load(picture), self.card.input)
            except NoInk:
                continue
            inputs.append(self._ends - found.tensor if inverted else found.tensor)
            characters.append(found.characters)
            answered.append(number)
        logits = [run(np.stack(inputs[start : start + BATCH])) for start in range(0, len(inputs), BATCH)]
        inks = [self._mean_ink(one) for one in inputs]
        return answers_of(np.concatenate(logits), characters, inks, self.card), answered

    def changed(self, change: Change, n: int, scratch: Path) -> tuple[Answers, float | None]:
        """The answers to ``n`` pictures under a change, and how many are right, None where none can be; ``scratch`` is a folder
        for a changed file."""
        file = None
        if change.bits is not None:
            file = scratch / f"{self.card.name}-{change.bits}.onnx"
            round_weights(self._folder / MODEL_FILE, change.bits, file)
        answers, answered = self.answers(change.images(n), inverted=change.inverted, file=file)
        if not change.same_labels:
            return answers, None
        truth = [self.card.labels[index] for index in change.pictures.labels[change.order(n)][answered].tolist()]
        return answers, float(np.mean([label == true for label, true in zip(answers.labels, truth, strict=True)]))


def round_weights(source: Path, bits: int, target: Path) -> None:
    """Write a model whose weights have ``bits`` bits: each tensor has so many levels, evenly between its extremes."""
    model = onnx.load(source)
    for weights in model.graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype == np.float32 and values.size > 1:
            step = float(np.abs(values).max()) / (2 ** (bits - 1) - 1) or 1.0
            rounded = (np.rint(values / step) * step).astype(np.float32)
            weights.CopyFrom(numpy_helper.from_array(rounded, weights.name))
    onnx.save(model, target)


def _enlarged(image: Image.Image) -> Image.Image:
    return image.convert("L").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
