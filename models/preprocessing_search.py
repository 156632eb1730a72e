"""Searches for the preprocessing of a model: tries the usual ones, and takes that which makes the true labels likeliest."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from models.calibration import fit_temperature, log_softmax
from models.card import ModelCard
from models.card_options import Fields, as_options, merge
from models.outputs import Logits, LogitsFunction
from models.pictures import IMAGE_LIMITS, MIN_IMAGES, paths_by_label
from preprocessing import ImageError, InputSpec, NoInk, decode, frame_image, tensor

Numbers = npt.NDArray[np.int64]

BATCH_SIZE: Final = 32
# Pictures that are tried in all, and the processor time that trying them may take.
MAX_PICTURES: Final = 400
MAX_SECONDS: Final = 120.0
RUNNERS_UP: Final = 3
# A difference of so many standard errors is a clear one; below the first, what was assumed is kept.
KEPT: Final = 1.0
CLEAR: Final = 2.0

IMAGENET: Final = {"scale": 1, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
CAFFE: Final = {"scale": 255, "mean": [103.939, 116.779, 123.68], "std": 1}
PLAIN: Final[list[Fields]] = [
    {"scale": 1, "mean": 0, "std": 1},
    {"scale": 1, "mean": 0.5, "std": 0.5},
    {"scale": 255, "mean": 0, "std": 1},
]


class Picture(NamedTuple):
    """The file of a picture, the number of its label, and whether it is of the half on which the choice is made."""

    path: Path
    label: int
    fitting: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way of preprocessing: log-likelihoods float64[N] of the pictures, and which of them are classified correctly."""

    spec: InputSpec
    likelihoods: npt.NDArray[np.float64]
    correct: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Found:
    """The fields of the input that were found, and what to say about it."""

    fields: Fields
    remarks: list[str]


def find_preprocessing(
    function: LogitsFunction, card: ModelCard, given: Fields, folder: Path, milliseconds: float
) -> Found | None:
    """Try the usual ways of preprocessing on one half of the pictures, choose the likeliest, and measure it on the other half.

    What ``given`` sets is not varied; None where nothing is left. ``milliseconds`` is the time of one inference, which limits
    how many pictures are used.

    Raises:
        CardError: as ``paths_by_label``.
    """
    specs = list(candidates(card, given))
    if len(specs) < 2:
        return None
    affordable = int(MAX_SECONDS * 1000 / (len(specs) * max(milliseconds, 0.05)))
    sample = _sample(folder, card, max(MIN_IMAGES, min(MAX_PICTURES, affordable)))
    frames, kept = _frames(sample, specs)
    truth = np.array([picture.label for picture in kept], dtype=np.int64)
    fitting = np.array([picture.fitting for picture in kept], dtype=bool)
    if min(fitting.sum(), (~fitting).sum()) < MIN_IMAGES // 2:
        return None  # the evaluation reports too few pictures
    measured = [_measure(function, spec, frames[spec.geometry, spec.channels], truth, fitting) for spec in specs]
    assumed = measured[0]
    ranked = sorted(measured, key=lambda one: -one.likelihoods[fitting].mean())
    best = ranked[0]
    if best is not assumed and _errors_apart(best, assumed, fitting) < KEPT:
        best = assumed
    others = [one for one in ranked if not np.allclose(one.likelihoods, best.likelihoods, atol=1e-3)][:RUNNERS_UP]
    return Found(_varied(best.spec), _remarks(best, others, fitting))


def candidates(card: ModelCard, given: Fields) -> Iterator[InputSpec]:
    """The input of the card, and then the usual others that agree with ``given``."""
    base = card.input.model_dump(mode="json")
    fixed = {key: value for key, value in (given.get("input") or {}).items() if key in base}
    grey, side = card.input.colour == "grey", min(card.input.height, card.input.width)
    geometries = list(_ink_geometries(side)) if grey else []
    for fit in ("stretch", "crop", "pad"):
        for polarity in ("as_is", "light_on_dark", "dark_on_light") if grey else ("as_is",):
            scaling = "area" if grey else "bilinear"
            geometries.append({"subject": "photo", "fit": fit, "filter": scaling, "polarity": polarity})
    statistics = [{"scale": 1, "mean": 0.1307, "std": 0.3081}] if grey else [IMAGENET, CAFFE]
    colours = ["grey"] if grey else [card.input.colour, "RGB", "BGR"] if card.input.channels == 3 else [card.input.colour]
    transposed = (False, True) if grey and card.input.height == card.input.width else (False,)
    seen = {card.input: None}
    for geometry, normalisation, colour, exchanged in product(geometries, [*PLAIN, *statistics], colours, transposed):
        varied = {"geometry": geometry, "normalisation": normalisation, "colour": colour, "transposed": exchanged}
        try:
            seen[InputSpec.model_validate({**base, **merge(varied, fixed)})] = None
        except ValidationError:  # a given field that this way does not have
            continue
    yield from seen


def _ink_geometries(side: int) -> Iterator[Fields]:
    placements = (("ink", round(side * 20 / 28), "mass"), ("ink", side, "box"), ("object", side, "box"))
    for (subject, fit_box, centring), polarity in product(placements, ("light_on_dark", "dark_on_light")):
        yield {"subject": subject, "fit_box": fit_box, "centring": centring, "polarity": polarity}


def _sample(folder: Path, card: ModelCard, count: int) -> list[Picture]:
    """At most ``count`` pictures, the same number of each label as far as there are."""
    by_label = list(paths_by_label(folder, card.labels))
    taken: list[Picture] = []
    for position in range(max(map(len, by_label), default=0)):
        taken += [
            Picture(paths[position], index, position % 2 == 0) for index, paths in enumerate(by_label) if position < len(paths)
        ]
    return taken[:count]


def _frames(sample: Sequence[Picture], specs: Sequence[InputSpec]) -> tuple[dict[Any, list[Any]], list[Picture]]:
    """The frames of all readable pictures for each geometry, None where it finds nothing, and these pictures."""
    distinct = {(spec.geometry, spec.channels): spec for spec in specs}
    side = max((spec.colour_side or 0 for spec in specs), default=0) or None
    frames: dict[Any, list[Any]] = {key: [] for key in distinct}
    kept = []
    for picture in sample:
        try:
            image = decode(picture.path.read_bytes(), IMAGE_LIMITS, side)
        except ImageError:
            continue
        kept.append(picture)
        for key, spec in distinct.items():
            try:
                frames[key].append(frame_image(image, spec))
            except NoInk:
                frames[key].append(None)
    return frames, kept


def _measure(
    function: LogitsFunction, spec: InputSpec, frames: Sequence[Any], truth: Numbers, fitting: npt.NDArray[np.bool_]
) -> Candidate:
    logits = _logits(function, [None if frame is None else tensor(frame, spec) for frame in frames], int(truth.max()) + 1)
    likelihoods = log_softmax(logits, fit_temperature(logits[fitting], truth[fitting]))[np.arange(len(truth)), truth]
    return Candidate(spec, likelihoods, logits.argmax(axis=1) == truth)


def _logits(function: LogitsFunction, tensors: Sequence[Any], labels: int) -> Logits:
    """The logits of all pictures; equal ones for those in which this geometry finds nothing."""
    inputs = [one for one in tensors if one is not None]
    if not inputs:
        return np.zeros((len(tensors), labels), np.float32)
    batches = (inputs[start : start + BATCH_SIZE] for start in range(0, len(inputs), BATCH_SIZE))
    found = np.concatenate([function(np.stack(batch)) for batch in batches])
    logits = np.zeros((len(tensors), found.shape[1]), np.float32)
    logits[[one is not None for one in tensors]] = found
    return logits


def _errors_apart(one: Candidate, other: Candidate, chosen: npt.NDArray[np.bool_]) -> float:
    """By how many standard errors one way is likelier than another, on the same pictures."""
    difference = (one.likelihoods - other.likelihoods)[chosen]
    error = float(difference.std()) / max(1.0, len(difference)) ** 0.5
    return float(difference.mean()) / error if error > 0 else 0.0


def _varied(spec: InputSpec) -> Fields:
    return spec.model_dump(mode="json", include={"colour", "transposed", "geometry", "normalisation"})


def _remarks(best: Candidate, others: Sequence[Candidate], fitting: npt.NDArray[np.bool_]) -> list[str]:
    measured = int((~fitting).sum())
    lines = [
        f"preprocessing found with {int(fitting.sum())} pictures: {as_options({'input': _varied(best.spec)})}; "
        f"{best.correct[~fitting].mean():.1%} of {measured} others are right"
    ]
    lines += [f"next best: {as_options({'input': _varied(one.spec)})}; {one.correct[~fitting].mean():.1%}" for one in others]
    if others:
        apart = _errors_apart(best, others[0], ~fitting)
        sure = "clearly likelier" if apart >= CLEAR else "not clearly likelier"
        advice = "" if apart >= CLEAR else "; give more pictures to be sure"
        lines.append(f"on the other half it is {sure} than the next best ({apart:.1f} standard errors){advice}")
    return lines
