"""Banks of training frames: what the project's own preprocessing makes of written, drawn and photographed pictures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from preprocessing import Geometry, InputSpec, NoInk, Normalisation, stages
from training.datasets import Images, Labelled, Labels

INK: Final = InputSpec(
    size=28,
    channels=1,
    geometry=Geometry(fit_box=20, centring="mass", polarity="light_on_dark"),
    normalisation=Normalisation(mean=0, std=1),
)
OBJECT: Final = InputSpec(
    size=28,
    channels=1,
    geometry=Geometry(subject="object", fit_box=28, centring="box", polarity="light_on_dark"),
    normalisation=Normalisation(mean=0, std=1),
)
CHUNK: Final = 1000

Maker = Callable[[Any, np.random.Generator], Image.Image]
"""Makes a picture from one source (a scan, a digit, a doodle) with a random hand."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures that are made when they are wanted: ``make`` turns each of ``sources`` into one with a hand of its own.

    ``labels`` ``int64[N]`` are their classes. The same ``seed`` makes the same pictures. ``make`` must be a function of a
    module, so that other processes find it.
    """

    make: Maker
    sources: Sequence[Any] | npt.NDArray[Any]
    labels: Labels
    seed: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: npt.NDArray[np.int64]) -> "Pictures":
        """Those of the chosen sources, in the order given, each with another hand than before."""
        return Pictures(self.make, [self.sources[place] for place in index], self.labels[index], self.seed)

    def images(self) -> Iterator[Image.Image]:
        """The pictures, one after the other."""
        for job in self._jobs(None):
            hand = np.random.default_rng(job.seed)
            yield from (job.make(source, hand) for source in job.sources)

    def frames(self, spec: InputSpec, processes: int) -> Labelled:
        """What the model sees of them, ``uint8[N, size, size]``, the same whatever the number of processes."""
        jobs = list(self._jobs(spec))
        if processes > 1 and len(jobs) > 1:
            with get_context("spawn").Pool(processes) as pool:
                made = pool.map(_work, jobs, chunksize=1)
        else:
            made = [_work(job) for job in jobs]
        return Labelled(np.concatenate(made), self.labels)

    def _jobs(self, spec: InputSpec | None) -> Iterator["_Job"]:
        starts = range(0, len(self), CHUNK)
        seeds = np.random.SeedSequence(self.seed).spawn(len(starts))
        for start, seed in zip(starts, seeds, strict=True):
            yield _Job(self.make, self.sources[start : start + CHUNK], seed, spec)


@dataclass(frozen=True, slots=True)
class _Job:
    make: Maker
    sources: Sequence[Any] | npt.NDArray[Any]
    seed: np.random.SeedSequence
    spec: InputSpec | None


def frame(image: Image.Image, spec: InputSpec = INK) -> npt.NDArray[np.uint8]:
    """The frame ``uint8[size, size]`` that preprocessing makes of a picture; all paper if nothing is drawn on it."""
    try:
        return np.asarray(stages(image, spec)[-1].image)
    except NoInk:
        return np.zeros((spec.size, spec.size), dtype=np.uint8)


def as_it_is(picture: npt.NDArray[np.uint8], hand: np.random.Generator) -> Image.Image:  # noqa: ARG001
    """A scanned picture unchanged."""
    return Image.fromarray(picture)


def scanned(pictures: Labelled) -> Pictures:
    """Scanned pictures unchanged, with their classes."""
    return Pictures(as_it_is, pictures.images, pictures.labels)


def joined(parts: Sequence[Labelled]) -> Labelled:
    """Several banks as one."""
    return Labelled(np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts]))


def _work(job: _Job) -> Images:
    assert job.spec is not None
    hand = np.random.default_rng(job.seed)
    return np.stack([frame(job.make(source, hand), job.spec) for source in job.sources])
