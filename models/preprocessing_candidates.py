"""Lists the usual ways of preprocessing for the input of a model: all combinations first, then variations of the best one."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any, Final, get_args

from pydantic import ValidationError

from models.card import ModelCard
from models.card_options import Fields, get, merge
from preprocessing import Filter, Geometry, InputSpec

PLAIN: Final[list[Fields]] = [
    {"scale": 1, "mean": 0, "std": 1},
    {"scale": 1, "mean": 0.5, "std": 0.5},
    {"scale": 255, "mean": 0, "std": 1},
]
MNIST: Final[Fields] = {"scale": 1, "mean": 0.1307, "std": 0.3081}
OTHER_GREY: Final[list[Fields]] = [
    {"scale": 1, "mean": 0.286, "std": 0.353},  # Fashion-MNIST
    {"scale": 1, "mean": 0.1722, "std": 0.3309},  # EMNIST letters
    {"scale": 1, "mean": 0.5, "std": 1},
]
# Statistics of each channel, in the order red, green, blue.
IMAGENET: Final[Fields] = {"scale": 1, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
CAFFE: Final[Fields] = {"scale": 255, "mean": [123.68, 116.779, 103.939], "std": 1}
OTHER_COLOUR: Final[list[Fields]] = [
    {"scale": 1, "mean": [0.4914, 0.4822, 0.4465], "std": [0.247, 0.2435, 0.2616]},  # CIFAR-10
    {"scale": 1, "mean": [0.485, 0.456, 0.406], "std": 1},
    {"scale": 255, "mean": 127.5, "std": 1},
    {"scale": 1, "mean": 0.5, "std": 1},
]
WHITE: Final = 255
PAD_LEVELS: Final = (0, 114, 128, WHITE)
# Scaled to 256 and cut to 224, as usual for ImageNet.
SHORTER_SIDE: Final = 256 / 224


def candidates(card: ModelCard, given: Fields) -> Iterator[InputSpec]:
    """The input of the card, and then the usual others that agree with ``given``."""
    grey, height, width = card.input.colour == "grey", card.input.height, card.input.width
    geometries = [*_ink_geometries(min(height, width)), *_photo_geometries(grey)] if grey else list(_photo_geometries(grey))
    normalisations = [*PLAIN, MNIST] if grey else [*PLAIN, IMAGENET, CAFFE]
    colours = [card.input.colour, "RGB", "BGR"] if card.input.channels == 3 else [card.input.colour]
    varied = (
        {"geometry": geometry, "normalisation": _ordered(normalisation, colour), "colour": colour, "transposed": transposed}
        for geometry, normalisation, colour, transposed in product(
            geometries, normalisations, dict.fromkeys(colours), (False, True) if grey and height == width else (False,)
        )
    )
    yield from _distinct(card.input, varied, given)


def other_geometries(spec: InputSpec, given: Fields) -> Iterator[InputSpec]:
    """An input, and then the same with other filters, pad levels and shorter sides, or with ink in boxes of another size."""
    side = min(spec.height, spec.width)
    changes: list[Fields]
    if isinstance(spec.geometry, Geometry):
        boxes = {round(side * share / 28) for share in (20, 22, 24, 26, 28)}
        changes = [{"fit_box": box, "centring": centring} for box in sorted(boxes) for centring in ("mass", "box")]
    else:
        changes = [{"filter": name} for name in get_args(Filter)]
        if spec.geometry.fit == "pad":
            changes += [{"pad_level": level} for level in PAD_LEVELS]
        if spec.geometry.fit == "crop":
            changes += [{"shorter_side": round(side * SHORTER_SIDE)}]
    yield from _distinct(spec, ({"geometry": change} for change in changes), given)


def other_normalisations(spec: InputSpec, given: Fields) -> Iterator[InputSpec]:
    """An input, and then the same with the statistics of other data sets."""
    others = OTHER_GREY if spec.channels == 1 else OTHER_COLOUR
    yield from _distinct(spec, ({"normalisation": _ordered(other, spec.colour)} for other in others), given)


def _distinct(spec: InputSpec, varied: Iterable[Fields], given: Fields) -> Iterator[InputSpec]:
    """The input, and then each other one with fields ``varied`` as far as they are not ``given``."""
    base = spec.model_dump(mode="json")
    fixed = {key: value for key, value in (given.get("input") or {}).items() if key in base}
    seen = {spec: None}
    for fields in varied:
        whole = isinstance(get(fields, "geometry"), Mapping) and "subject" in fields["geometry"]
        start = {key: value for key, value in base.items() if not (whole and key == "geometry")}
        try:
            seen[InputSpec.model_validate(merge(merge(start, fields), fixed))] = None
        except ValidationError:  # a given field that this way does not have
            continue
    yield from seen


def _ink_geometries(side: int) -> Iterator[Fields]:
    placements = (("ink", round(side * 20 / 28), "mass"), ("ink", side, "box"), ("object", side, "box"))
    for (subject, fit_box, centring), polarity in product(placements, ("light_on_dark", "dark_on_light")):
        yield {"subject": subject, "fit_box": fit_box, "centring": centring, "polarity": polarity}


def _photo_geometries(grey: bool) -> Iterator[Fields]:
    polarities = ("as_is", "light_on_dark", "dark_on_light") if grey else ("as_is",)
    for fit, polarity in product(("stretch", "crop", "pad"), polarities):
        yield {"subject": "photo", "fit": fit, "filter": "area" if grey else "bilinear", "polarity": polarity}
    yield {"subject": "photo", "fit": "pad", "pad_level": WHITE, "filter": "area" if grey else "bilinear"}


def _ordered(normalisation: Fields, colour: Any) -> Fields:
    """Statistics of red, green and blue in the order of the channels."""
    if colour != "BGR":
        return normalisation
    return {key: value[::-1] if isinstance(value, list) else value for key, value in normalisation.items()}
