"""Banks of training frames: what the project's own preprocessing makes of written, varied and drawn pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from preprocessing import Geometry, InputSpec, NoInk, Normalisation, stages
from training.datasets import Images, Labelled

SPEC: Final = InputSpec(
    size=28,
    channels=1,
    geometry=Geometry(fit_box=20, centring="mass", polarity="light_on_dark"),
    normalisation=Normalisation(mean=0, std=1),
)
CHUNK: Final = 1000

Maker = Callable[[Any, np.random.Generator], Image.Image]
"""Makes a picture from one source (a scan, a digit, a doodle) with a random hand."""


@dataclass(frozen=True, slots=True)
class _Job:
    make: Maker
    sources: Sequence[Any] | npt.NDArray[Any]
    seed: np.random.SeedSequence


def frame(image: Image.Image) -> npt.NDArray[np.uint8]:
    """The 28x28 frame (``uint8``) that preprocessing makes of a picture; all paper if nothing is drawn on it."""
    try:
        return np.asarray(stages(image, SPEC)[-1].image)
    except NoInk:
        return np.zeros((SPEC.size, SPEC.size), dtype=np.uint8)


def as_it_is(picture: npt.NDArray[np.uint8], hand: np.random.Generator) -> Image.Image:  # noqa: ARG001
    """A scanned picture unchanged."""
    return Image.fromarray(picture)


def bank(make: Maker, sources: Sequence[Any] | npt.NDArray[Any], seed: int, processes: int) -> Images:
    """One frame of every source, in order: ``uint8[N, 28, 28]``, the same whatever the number of processes.

    ``make`` must be a function of a module, so that other processes find it.
    """
    starts = range(0, len(sources), CHUNK)
    seeds = np.random.SeedSequence(seed).spawn(len(starts))
    jobs = [_Job(make, sources[start : start + CHUNK], child) for start, child in zip(starts, seeds, strict=True)]
    if processes > 1 and len(jobs) > 1:
        with get_context("spawn").Pool(processes) as pool:
            made = pool.map(_work, jobs, chunksize=1)
    else:
        made = [_work(job) for job in jobs]
    return np.concatenate(made)


def joined(parts: Sequence[Labelled]) -> Labelled:
    """Several banks as one."""
    return Labelled(np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts]))


def _work(job: _Job) -> Images:
    hand = np.random.default_rng(job.seed)
    return np.stack([frame(job.make(source, hand)) for source in job.sources])
