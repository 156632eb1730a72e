"""Models with known preprocessing, and labelled pictures for each, on which the search of the import is measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from preprocessing import Geometry, InputSpec, Normalisation, PhotoGeometry
from training.data.datasets import LabelledImages, Labels, emnist, fashion, mnist
from training.fitting.small_classifier import export_classifier, train_classifier
from training.rendering import tinted_clothes

TRAINED_ON: Final = 8000
PICTURES: Final = 1000
EPOCHS: Final = 3
SIDE: Final = 28
DIGITS: Final = [str(digit) for digit in range(10)]
CLOTHES: Final = ["top", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"]
LETTERS: Final = [chr(ord("A") + number) for number in range(26)]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures and the indices of their labels."""

    images: Sequence[Image.Image]
    indices: Labels
    labels: list[str]

    def save(self, folder: Path) -> None:
        """Write them as ``folder``/LABEL/NUMBER.png."""
        for number, (image, index) in enumerate(zip(self.images, self.indices, strict=True)):
            path = folder / self.labels[index] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)


Source = Callable[[Path], tuple[Pictures, Pictures]]
"""Loads pictures to train on and others to measure with from the data folder."""


@dataclass(frozen=True, slots=True)
class Case:
    """A model: the preprocessing it is trained with, and its pictures; ``file`` is an existing model of the data folder."""

    name: str
    given: InputSpec
    source: Source
    file: str | None = None
    epochs: int = EPOCHS

    def make(self, data: Path, folder: Path) -> tuple[Path, list[str]]:
        """Write the pictures to ``folder``/pictures; return the model, which is trained unless it exists, and its labels."""
        training, held_out = self.source(data)
        held_out.save(folder / "pictures")
        if self.file:
            return data / self.file, held_out.labels
        network = train_classifier(training.images, training.indices, len(training.labels), self.given, self.epochs)
        export_classifier(network, self.given, folder / "model.onnx")
        return folder / "model.onnx", held_out.labels


def digits(data: Path) -> tuple[Pictures, Pictures]:
    """Scans of MNIST, the last ones of the training set and the first of the test set."""
    return _scans(mnist(data, "train"), mnist(data, "test"), DIGITS)


def drawn_digits(data: Path) -> tuple[Pictures, Pictures]:
    """Scans of MNIST to train on; to measure with, others as dark ink of any size somewhere on a large light page."""
    training, held_out = digits(data)
    rng = np.random.default_rng(3)
    return training, Pictures([_page(image, rng) for image in held_out.images], held_out.indices, DIGITS)


def clothes(data: Path) -> tuple[Pictures, Pictures]:
    """Scans of Fashion-MNIST."""
    return _scans(fashion(data, "train"), fashion(data, "test"), CLOTHES)


def letters(data: Path) -> tuple[Pictures, Pictures]:
    """Upright letters of EMNIST."""
    whole = emnist(data)
    whole = LabelledImages(whole.images, whole.labels - 10).take(whole.labels >= 10)
    whole = whole.take(np.random.default_rng(0).permutation(len(whole)))
    half = len(whole) // 2
    return _scans(whole.take(np.arange(half)), whole.take(np.arange(half, len(whole))), LETTERS)


@lru_cache(maxsize=1)
def tinted(data: Path, longer: float = 1.0) -> tuple[Pictures, Pictures]:
    """Clothes in colour on coloured grounds; with ``longer`` not square."""
    return _rendered(data, "train", TRAINED_ON, 1, longer), _rendered(data, "test", PICTURES, 2, longer)


def long_tinted(data: Path) -> tuple[Pictures, Pictures]:
    """Clothes in colour, whose sides differ by up to a half."""
    return tinted(data, longer=1.5)


def shapes(data: Path) -> tuple[Pictures, Pictures]:
    """Drawings of shapes, black on white; nothing to train on."""
    with np.load(data / "drawings" / "hand-drawn-shapes-70x70.npz") as file:
        stored = {name: file[name] for name in ("images", "labels", "categories")}
    named = {"ellipse": 0, "triangle": 2, "rectangle": 3}
    names = [str(stored["categories"][label]) for label in stored["labels"]]
    known = np.array([name in named for name in names])
    order = np.random.default_rng(0).permutation(np.flatnonzero(known))[: PICTURES // 2]
    images = [Image.fromarray(stored["images"][index]) for index in order]
    held_out = Pictures(images, np.array([named[names[index]] for index in order], dtype=np.int64), SHAPES)
    return held_out, held_out


def cifar_samples(data: Path) -> tuple[Pictures, Pictures]:
    """The 20 samples beside a published model of CIFAR-10, named LABEL-NUMBER; nothing to train on."""
    paths = sorted((data / COMMUNITY / "samples" / "cifar10").iterdir())
    indices = np.array([CIFAR.index(path.name.split("-")[0]) for path in paths], dtype=np.int64)
    held_out = Pictures([Image.open(path) for path in paths], indices, CIFAR)
    return held_out, held_out


def _scans(training: LabelledImages, held_out: LabelledImages, labels: list[str]) -> tuple[Pictures, Pictures]:
    last, first = training.take(np.arange(len(training) - TRAINED_ON, len(training))), held_out.take(np.arange(PICTURES))
    parts = [Pictures([Image.fromarray(image) for image in part.images], part.labels, labels) for part in (last, first)]
    return parts[0], parts[1]


def _rendered(data: Path, split: str, count: int, seed: int, longer: float) -> Pictures:
    labels = tinted_clothes.LABELS
    images, indices = tinted_clothes.render(fashion(data, split), count // len(labels), seed, longer)
    return Pictures(images, np.array(indices, dtype=np.int64), labels)


def _page(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    side = int(rng.integers(40, 120))
    page = Image.new("L", (int(rng.integers(side, 200)), int(rng.integers(side, 200))), 255)
    ink = image.resize((side, side), Image.Resampling.BICUBIC).point([255 - level for level in range(256)])
    page.paste(ink, (int(rng.integers(0, page.width - side + 1)), int(rng.integers(0, page.height - side + 1))))
    return page


def _grey(scale: float = 1, mean: float = 0, std: float = 1, *, polarity: Any = "as_is", **fields: Any) -> InputSpec:
    geometry = PhotoGeometry(filter="area", polarity=polarity)
    normalisation = Normalisation(scale=scale, mean=(mean,), std=(std,))
    fields = {"height": SIDE, "width": SIDE, "geometry": geometry, "normalisation": normalisation, **fields}
    return InputSpec.model_validate(fields)


def _colour(
    scale: float = 1, mean: Sequence[float] = (0,), std: Sequence[float] = (1,), *, side: int = 32, **fields: Any
) -> InputSpec:
    normalisation = Normalisation(scale=scale, mean=tuple(mean), std=tuple(std))
    geometry = PhotoGeometry()
    fields = {"height": side, "width": side, "colour": "RGB", "geometry": geometry, "normalisation": normalisation, **fields}
    return InputSpec.model_validate(fields)


COMMUNITY: Final = "models/community"
CIFAR: Final = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
SHAPES: Final = [
    *("ellipse", "line", "triangle", "rectangle", "pentagon", "hexagon", "star", "zigzag"),
    *("arc", "heart", "diamond", "arrow", "double_arrow", "cloud", "message", "parallelogram"),
]
IMAGENET: Final = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
INK: Final = Geometry(fit_box=20, centring="mass", polarity="light_on_dark")

CASES: Final = [
    Case("MNIST, 0 to 1", _grey(), digits),
    Case("MNIST, 0 to 255", _grey(255), digits),
    Case("MNIST, mean and std", _grey(mean=0.1307, std=0.3081), digits),
    Case("MNIST, dark on light, -1 to 1", _grey(mean=0.5, std=0.5, polarity="dark_on_light"), digits),
    Case("MNIST, on pages", _grey(geometry=INK), drawn_digits),
    Case("Fashion-MNIST, channels last", _grey(layout="NHWC"), clothes),
    Case("Fashion-MNIST, mean and std", _grey(mean=0.286, std=0.353), clothes),
    Case("EMNIST, transposed", _grey(transposed=True), letters),
    Case("EMNIST, transposed, mean and std", _grey(mean=0.1722, std=0.3309, transposed=True), letters),
    Case("colour, 0 to 1", _colour(), tinted),
    Case("colour, BGR", _colour(colour="BGR"), tinted),
    Case("colour, -1 to 1", _colour(mean=[0.5], std=[0.5]), tinted),
    Case("colour, channels last, 0 to 255", _colour(255, layout="NHWC"), tinted),
    Case("colour, ImageNet, cut", _colour(1, *IMAGENET, geometry=PhotoGeometry(fit="crop")), long_tinted),
    Case("colour, ImageNet, 40x40", _colour(1, *IMAGENET, side=40), long_tinted),
    Case("colour, Caffe", _colour(255, (103.939, 116.779, 123.68), colour="BGR"), tinted),
    Case("colour, padded with black", _colour(geometry=PhotoGeometry(fit="pad")), long_tinted),
    Case("colour, padded with white", _colour(geometry=PhotoGeometry(fit="pad", pad_level=255)), long_tinted),
    Case("mnist-12 of the model zoo", _grey(), digits, "models/mnist-12.onnx"),
    Case("mnist-two-outputs", _grey(), digits, f"{COMMUNITY}/mnist-two-outputs-one-name.onnx"),
    Case("mnist-external-data", _grey(mean=0.1307, std=0.3081), digits, f"{COMMUNITY}/mnist-external-data/model.onnx"),
    Case("digits-flat-25", _grey(layout="NP", height=5, width=5), digits, f"{COMMUNITY}/digits-flat-25.onnx"),
    Case("shapes-64", _grey(height=64, width=64), shapes, f"{COMMUNITY}/shapes-64-black-on-white.onnx"),
    Case("cifar10-nchw", _colour(mean=[0.5], std=[0.5]), cifar_samples, f"{COMMUNITY}/cifar10-nchw.onnx"),
]
