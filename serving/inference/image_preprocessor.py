"""Preprocesses images to the inputs of models."""

from collections.abc import Sequence
from time import perf_counter
from typing import Final, NamedTuple

from PIL import Image

from preprocessing import ImageLimits, InputSpec, Stage, StrippedImage, Tensor, model_input, stages
from serving.inference.cancellation import CancellationToken
from serving.inference.image_processor import INLINE_PIXELS, INLINE_PLAIN_PIXELS, ImageProcessor

# The largest frame of a photo that the event loop makes: larger ones take milliseconds, whatever the image.
INLINE_FRAME: Final = 256 * 256


class PreprocessedImage(NamedTuple):
    """An image as the input of a model for each input spec of its ``ImagePreprocessor``, the seconds that took, and for each
    spec the number of separate characters in the image."""

    tensors: tuple[Tensor, ...]
    decode_seconds: float
    preprocess_seconds: float
    characters: tuple[int, ...]

    @property
    def tensor(self) -> Tensor:
        """The tensor of the first spec, which for most models is the only one."""
        return self.tensors[0]


class ImagePreprocessor(ImageProcessor[PreprocessedImage]):
    """Decodes an image once and preprocesses it for each of ``specs``."""

    def __init__(self, specs: Sequence[InputSpec], limits: ImageLimits) -> None:
        colour_side = max((spec.colour_side or 0 for spec in specs), default=0) or None
        inline = all(spec.colour_side is None or spec.height * spec.width <= INLINE_FRAME for spec in specs)
        plain_pixels = INLINE_PLAIN_PIXELS if colour_side is None else INLINE_PIXELS
        super().__init__(limits, colour_side, inline=inline, inline_plain_pixels=plain_pixels)
        self.specs = specs

    def process(
        self,
        image: Image.Image,
        found: StrippedImage,  # noqa: ARG002
        decode_seconds: float,
    ) -> PreprocessedImage:
        """The inputs of the models; as ``ImageProcessor.process``."""
        decoded = perf_counter()
        tensors, characters = zip(*(model_input(image, spec) for spec in self.specs), strict=True)
        return PreprocessedImage(tensors, decode_seconds, perf_counter() - decoded, characters)

    async def stages(self, data: bytes | memoryview, token: CancellationToken) -> list[Stage]:
        """The stages of preprocessing an image for the first spec, as pictures; the last is the model's input.

        Raises:
            Problem, ClientDisconnect: as ``CancellationToken.check``.
        """
        return await self.decode_and(lambda image: stages(image, self.specs[0]), data, token)
