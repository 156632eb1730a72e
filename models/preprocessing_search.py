"""Searches for the preprocessing of a model: tries the usual ways, and takes that which makes the true labels likeliest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from models.calibration import fit_temperature, log_likelihoods
from models.card import ModelCard
from models.card_options import Fields, as_options
from models.outputs import Logits, LogitsFunction
from models.pictures import IMAGE_LIMITS, MIN_IMAGES, LabelledFolder, Picture, fitting_half, is_enough
from models.preprocessing_candidates import candidates, other_geometries, other_normalisations
from preprocessing import ImageError, InputSpec, NoInk, decode, frame_image, tensor

BATCH_SIZE: Final = 32
# Pictures on which all ways are tried, and on which the best are compared; and the processor time of the model in each round.
MAX_PICTURES: Final = 400
MAX_FINAL_PICTURES: Final = 1000
MAX_SECONDS: Final = 120.0
FINALISTS: Final = 8
# At most so many ways are compared in one of the later rounds.
MAX_VARIATIONS: Final = 12
RUNNERS_UP: Final = 3
# Without label smoothing all ways in which each picture is classified correctly are about as likely, at a low temperature. With
# it the likeliest is that in which the true labels stand out most: of MNIST, 50 pictures find a better one than 200 without it.
SMOOTHING: Final = 0.1
# A difference of so many standard errors is a clear one; below the first, what was assumed is kept.
KEPT: Final = 0.5
CLEAR: Final = 2.0


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
    function: LogitsFunction, card: ModelCard, given: Fields, labelled: LabelledFolder, milliseconds: float
) -> Found | None:
    """Try the usual ways of preprocessing on one half of the pictures, choose the likeliest, and measure it on the other half.

    All combinations are tried first, then the best of them on more pictures, then variations of the best. What ``given`` sets
    is not varied; None where nothing is left. ``milliseconds`` is the time of one inference, which limits how many pictures are
    used.
    """
    specs = list(candidates(card, given))
    if len(specs) < 2:
        return None
    trial = _Trial(function, labelled, milliseconds)
    if not trial.is_large_enough:
        return None  # the evaluation reports too few pictures
    first = trial.measure(specs, trial.affordable(len(specs), MAX_PICTURES))
    finalists = dict.fromkeys([specs[0], *(one.spec for one in trial.ranked(first)[:FINALISTS])])
    count = trial.affordable(MAX_VARIATIONS, MAX_FINAL_PICTURES)
    measured = trial.measure(list(finalists), count)
    best = trial.choose(measured)
    for variations in (other_geometries, other_normalisations):
        varied = trial.measure(list(variations(best.spec, given)), count)
        measured += varied[1:]
        best = trial.choose(varied)
    others = [one for one in trial.ranked(measured) if not np.allclose(one.likelihoods, best.likelihoods, atol=1e-3)]
    return trial.report(best, others[:RUNNERS_UP])


class _Trial:
    """Measures ways of preprocessing on a sample of pictures, the same number of each label as far as there are."""

    def __init__(self, function: LogitsFunction, labelled: LabelledFolder, milliseconds: float) -> None:
        halves = fitting_half(labelled.pictures).tolist()
        by_label: dict[int, list[tuple[Picture, bool]]] = {}
        for picture, fitting in zip(labelled.pictures, halves, strict=True):
            by_label.setdefault(picture.label, []).append((picture, fitting))
        longest = max(map(len, by_label.values()), default=0)
        order = [pictures[turn] for turn in range(longest) for pictures in by_label.values() if turn < len(pictures)]
        self._pictures = [picture for picture, _ in order]
        self._truth = np.array([picture.label for picture in self._pictures], dtype=np.int64)
        self._fitting = np.array([fitting for _, fitting in order], dtype=np.bool_)
        self._function = function
        self._milliseconds = max(milliseconds, 0.05)

    @property
    def is_large_enough(self) -> bool:
        """Whether there are enough pictures in either half."""
        return is_enough(self._fitting)

    def affordable(self, ways: int, most: int) -> int:
        """How many pictures there are at most to try so many ways on; fewer for slow models."""
        return max(MIN_IMAGES, min(most, int(MAX_SECONDS * 1000 / (ways * self._milliseconds))))

    def measure(self, specs: Sequence[InputSpec], count: int) -> list[Candidate]:
        """Measure each way on the first ``count`` pictures, which are decoded once."""
        pictures = self._pictures[:count]
        side = max((spec.colour_side or 0 for spec in specs), default=0) or None
        logits: dict[InputSpec, list[Logits | None]] = {spec: [] for spec in specs}
        for start in range(0, len(pictures), BATCH_SIZE):
            images = [_decoded(picture, side) for picture in pictures[start : start + BATCH_SIZE]]
            frames: dict[Any, list[Any]] = {}
            for spec in specs:
                key = spec.geometry, spec.channels
                if key not in frames:
                    frames[key] = [_frame(image, spec) for image in images]
                logits[spec] += self._logits(frames[key], spec)
        return [self._candidate(spec, rows) for spec, rows in logits.items()]

    def ranked(self, measured: Iterable[Candidate]) -> list[Candidate]:
        """The likeliest on the fitting half first."""
        return sorted(measured, key=lambda one: -one.likelihoods[self._fitting[: len(one.likelihoods)]].mean())

    def choose(self, measured: Sequence[Candidate]) -> Candidate:
        """The likeliest on the fitting half; the first where it is as likely, up to ``KEPT`` standard errors."""
        best = self.ranked(measured)[0]
        fitting = self._fitting[: len(best.likelihoods)]
        return best if _errors_apart(best, measured[0], fitting) >= KEPT else measured[0]

    def report(self, best: Candidate, others: Sequence[Candidate]) -> Found:
        """The chosen way, its accuracy and that of the next best on the other half, and how sure the choice is."""
        fitting = self._fitting[: len(best.likelihoods)]
        lines = [
            f"preprocessing found with {int(fitting.sum())} pictures: {as_options({'input': _varied(best.spec)})}; "
            f"{best.correct[~fitting].mean():.1%} of {int((~fitting).sum())} others are right"
        ]
        lines += [
            f"next best: {as_options({'input': _varied(one.spec)})}; {one.correct[~fitting].mean():.1%}" for one in others
        ]
        if others:
            apart = _errors_apart(best, others[0], ~fitting)
            clearly, advice = ("clearly", "") if apart >= CLEAR else ("not clearly", "; give more pictures to be sure")
            lines.append(f"on the other half it is {clearly} likelier than the next best ({apart:.1f} standard errors){advice}")
        return Found(_varied(best.spec), lines)

    def _logits(self, frames: Sequence[Any], spec: InputSpec) -> list[Logits | None]:
        """The logits of each frame; None where there is none."""
        inputs = [tensor(frame, spec) for frame in frames if frame is not None]
        rows = iter(self._function(np.stack(inputs)) if inputs else ())
        return [None if frame is None else next(rows) for frame in frames]

    def _candidate(self, spec: InputSpec, rows: Sequence[Logits | None]) -> Candidate:
        """Likelihoods after temperature scaling; a picture in which nothing was found has the same logit for each label."""
        some = next((row for row in rows if row is not None), np.zeros(int(self._truth.max()) + 1, np.float32))
        logits = np.stack([np.zeros_like(some) if row is None else row for row in rows])
        truth, fitting = self._truth[: len(rows)], self._fitting[: len(rows)]
        temperature = fit_temperature(logits[fitting], truth[fitting], SMOOTHING)
        likelihoods = log_likelihoods(logits, truth, temperature, SMOOTHING)
        return Candidate(spec, likelihoods, logits.argmax(axis=1) == truth)


def _decoded(picture: Picture, side: int | None) -> Image.Image | None:
    try:
        return decode(picture.path.read_bytes(), IMAGE_LIMITS, side)
    except ImageError:
        return None


def _frame(image: Image.Image | None, spec: InputSpec) -> Any:
    """The frame of a picture; None where nothing is found in it."""
    try:
        return None if image is None else frame_image(image, spec)
    except NoInk:
        return None


def _errors_apart(one: Candidate, other: Candidate, chosen: npt.NDArray[np.bool_]) -> float:
    """By how many standard errors one way is likelier than another, on the same pictures."""
    difference = (one.likelihoods - other.likelihoods)[chosen]
    error = float(difference.std()) / max(1.0, len(difference)) ** 0.5
    return float(difference.mean()) / error if error > 0 else 0.0


def _varied(spec: InputSpec) -> Fields:
    return spec.model_dump(mode="json", include={"colour", "transposed", "geometry", "normalisation"})
