"""Segments images of several characters, and preprocesses each candidate for a character like an image of its own."""

from collections.abc import Sequence
from time import perf_counter
from typing import Final, NamedTuple

from PIL import Image

from preprocessing import (
    CharacterCandidate,
    ImageLimits,
    InputSpec,
    NoInk,
    Segmentation,
    StrippedImage,
    frame_ink,
    segment,
    tensor,
)
from serving.errors import Problem
from serving.inference.cancellation import CancellationToken
from serving.inference.image_preprocessor import PreprocessedImage
from serving.inference.image_processor import ImageProcessor, before_deadline

# The most candidates whose inputs the event loop makes itself, in about a millisecond.
INLINE_CANDIDATES: Final = 24
_NO_CHARACTER: Final = "No character is drawn on the image, only marks. Draw a digit or a letter."
# EXIF orientations that turn an image on its side.
_SIDEWAYS: Final = (5, 6, 7, 8)


class SegmentedImage(NamedTuple):
    """The candidates for characters in an image, each as the input of a model for each input spec, and the seconds that took.

    ``scale`` is how many pixels of the file, across and down, a pixel of the segmentation's boxes has: a large JPEG is decoded
    at a reduced size.
    """

    segmentation: Segmentation
    inputs: list[PreprocessedImage]
    scale: tuple[float, float]
    decode_seconds: float
    preprocess_seconds: float

    def box(self, candidate: CharacterCandidate) -> tuple[int, int, int, int]:
        """Left, top, width and height of a candidate in pixels of the file, turned upright by its EXIF orientation."""
        left, top, right, bottom = (
            round(edge * scale) for edge, scale in zip(candidate.box, [*self.scale, *self.scale], strict=True)
        )
        return left, top, right - left, bottom - top


class SequencePreprocessor(ImageProcessor[SegmentedImage]):
    """Decodes an image once, segments it into at most ``max_characters``, and preprocesses each candidate for each of
    ``specs``."""

    def __init__(self, specs: Sequence[InputSpec], limits: ImageLimits, max_characters: int) -> None:
        super().__init__(limits)
        self._specs = specs
        self._max_characters = max_characters

    async def run(self, images: Sequence[bytes | memoryview], token: CancellationToken) -> list[SegmentedImage | Problem]:
        """As ``ImageProcessor.run``; the inputs of very many candidates are made in a thread."""
        segmented = await super().run(images, token)
        for index, image in enumerate(segmented):
            if isinstance(image, SegmentedImage) and not image.inputs:
                segmented[index] = await before_deadline([self.in_thread(self._with_inputs, image, token)], token)
        return segmented

    def process(self, image: Image.Image, found: StrippedImage, decode_seconds: float) -> SegmentedImage:
        """The candidates; as ``ImageProcessor.process``. They have no inputs yet where there are very many.

        Raises:
            NoInk, TooManyCharacters: as ``segment``; ``NoInk`` also where there is no candidate.
        """
        decoded = perf_counter()
        segmentation = segment(image, self._max_characters)
        if not segmentation.candidates:
            raise NoInk(_NO_CHARACTER)
        size = (found.height, found.width) if found.orientation in _SIDEWAYS else (found.width, found.height)
        scale = size[0] / image.width, size[1] / image.height
        few = len(segmentation.candidates) <= INLINE_CANDIDATES
        inputs = [self._input(candidate) for candidate in segmentation.candidates] if few else []
        return SegmentedImage(segmentation, inputs, scale, decode_seconds, perf_counter() - decoded)

    def _with_inputs(self, image: SegmentedImage) -> SegmentedImage:
        """The image with the inputs of its candidates."""
        started = perf_counter()
        inputs = [self._input(candidate) for candidate in image.segmentation.candidates]
        return image._replace(inputs=inputs, preprocess_seconds=image.preprocess_seconds + perf_counter() - started)

    def _input(self, candidate: CharacterCandidate) -> PreprocessedImage:
        """A candidate as the input of the models that read single characters."""
        tensors = tuple(tensor(frame_ink(candidate.crop, spec), spec) for spec in self._specs)
        return PreprocessedImage(tensors, 0.0, 0.0, (1,) * len(tensors))
