"""Labelled image sets that are rendered on demand and preprocessed to model inputs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from preprocessing import Geometry, InputSpec, NoInk, Normalisation, stages
from training.data.datasets import Images, LabelledImages, Labels

INK: Final = InputSpec(
    height=28,
    width=28,
    geometry=Geometry(fit_box=20, centring="mass", polarity="light_on_dark"),
    normalisation=Normalisation(),
)
OBJECT: Final = InputSpec(
    height=28,
    width=28,
    geometry=Geometry(subject="object", fit_box=28, centring="box", polarity="light_on_dark"),
    normalisation=Normalisation(),
)
CHUNK: Final = 1000

Renderer = Callable[[Any, np.random.Generator], Image.Image]
"""Renders an image from one source (a scan, a digit, a doodle) with random numbers."""


@dataclass(frozen=True, slots=True)
class ImageSet:
    """A labelled set of images, rendered on demand: ``render`` is called with each of ``sources``.

    ``labels`` ``int64[N]`` are their classes. The same ``seed`` renders the same images. ``render`` must be a module-level
    function, so that it can be pickled for other processes.
    """

    render: Renderer
    sources: Sequence[Any] | npt.NDArray[Any]
    labels: Labels
    seed: int = 0

    @classmethod
    def of(cls, scans: LabelledImages, render: Renderer | None = None, seed: int = 0) -> "ImageSet":
        """Create an image set of scans with their labels; they are rendered unchanged by default."""
        return cls(render or unchanged, scans.images, scans.labels, seed)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: npt.NDArray[np.int64]) -> "ImageSet":
        """Select sources in the order given; each is rendered with other random numbers than before."""
        return ImageSet(self.render, [self.sources[place] for place in index], self.labels[index], self.seed)

    def images(self) -> Iterator[Image.Image]:
        """Render the images one after the other."""
        for job in self._jobs(None):
            rng = np.random.default_rng(job.seed)
            yield from (job.render(source, rng) for source in job.sources)

    def model_inputs(self, spec: InputSpec, processes: int) -> LabelledImages:
        """Render and preprocess all images: ``uint8[N, size, size]``, the same for any number of processes."""
        jobs = list(self._jobs(spec))
        if processes > 1 and len(jobs) > 1:
            with get_context("spawn").Pool(processes) as pool:
                parts = pool.map(_run_job, jobs, chunksize=1)
        else:
            parts = [_run_job(job) for job in jobs]
        return LabelledImages(np.concatenate(parts), self.labels)

    def _jobs(self, spec: InputSpec | None) -> Iterator["_Job"]:
        starts = range(0, len(self), CHUNK)
        seeds = np.random.SeedSequence(self.seed).spawn(len(starts))
        for start, seed in zip(starts, seeds, strict=True):
            yield _Job(self.render, self.sources[start : start + CHUNK], seed, spec)


@dataclass(frozen=True, slots=True)
class _Job:
    render: Renderer
    sources: Sequence[Any] | npt.NDArray[Any]
    seed: np.random.SeedSequence
    spec: InputSpec | None


def to_model_input(image: Image.Image, spec: InputSpec = INK) -> npt.NDArray[np.uint8]:
    """Preprocess an image to ``uint8[size, size]``; all zeros if there is no ink in it."""
    try:
        return np.asarray(stages(image, spec)[-1].image)
    except NoInk:
        return np.zeros((spec.height, spec.width), dtype=np.uint8)


def unchanged(image: npt.NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:  # noqa: ARG001
    """Render a scan as it is."""
    return Image.fromarray(image)


def concatenate(parts: Sequence[LabelledImages]) -> LabelledImages:
    """Concatenate sets of images and their labels."""
    return LabelledImages(np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts]))


def _run_job(job: _Job) -> Images:
    assert job.spec is not None
    rng = np.random.default_rng(job.seed)
    return np.stack([to_model_input(job.render(source, rng), job.spec) for source in job.sources])
