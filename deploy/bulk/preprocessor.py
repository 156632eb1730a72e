"""Preprocesses the images of a batch step by step, in one thread."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from PIL import Image

from preprocessing import ImageError, StrippedImage, decode_stripped, inspect, model_input
from serving.errors import Problem
from serving.inference.cancellation import CancellationToken
from serving.inference.image_preprocessor import ImagePreprocessor, PreprocessedImage
from serving.inference.image_processor import INLINE_PIXELS

T = TypeVar("T")
U = TypeVar("U")

# Images that are decoded before the first of them is preprocessed.
GROUP: Final = 32


class BatchPreprocessor(ImagePreprocessor):
    """As ``ImagePreprocessor``, where nobody waits for an answer: each step runs for a group of small images before the next
    step, so that its code stays in the processor's cache, which takes a fifth off their time; nothing is counted in metrics.
    Large images are decoded one at a time.
    """

    async def run(self, images: Sequence[bytes | memoryview], token: CancellationToken) -> list[PreprocessedImage | Problem]:
        """As ``ImagePreprocessor.run``."""
        processed: list[PreprocessedImage | Problem] = []
        for start in range(0, len(images), GROUP):
            await token.check()
            processed += self._run_group(images[start : start + GROUP])
        return processed

    def _run_group(self, images: Sequence[bytes | memoryview]) -> list[PreprocessedImage | Problem]:
        found = [_attempt(self._inspect, data) for data in images]
        decoded = [each if isinstance(each, Problem) else _attempt(self._decode_small, each) for each in found]
        return [each if isinstance(each, Problem) else _attempt(self._preprocess, each) for each in decoded]

    def _inspect(self, data: bytes | memoryview) -> StrippedImage:
        return inspect(data, self._limits)

    def _decode_small(self, found: StrippedImage) -> StrippedImage | Image.Image:
        return found if found.work > INLINE_PIXELS else self._decode(found)

    def _decode(self, found: StrippedImage) -> Image.Image:
        return decode_stripped(found, self._colour_side)

    def _preprocess(self, image: StrippedImage | Image.Image) -> PreprocessedImage:
        decoded = self._decode(image) if isinstance(image, StrippedImage) else image
        tensors, characters = zip(*(model_input(decoded, spec) for spec in self.specs), strict=True)
        return PreprocessedImage(tensors, 0.0, 0.0, characters)


def _attempt(step: Callable[[T], U], value: T) -> U | Problem:
    """The result of a step, or the problem that it found."""
    try:
        return step(value)
    except ImageError as error:
        return Problem.from_image(error)
