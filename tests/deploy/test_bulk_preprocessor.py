"""The preprocessor of deploy.bulk gives what that of the service gives."""

import asyncio
import io
from time import perf_counter

import numpy as np
import pytest
from PIL import Image

from deploy.bulk.preprocessor import GROUP, BatchPreprocessor
from loadtests.samples import samples
from models.card import CARD_FILE, ModelCard, read_card
from models.store import CATALOGUE
from preprocessing import InputSpec
from serving.errors import Problem
from serving.inference.cancellation import CancellationToken
from serving.inference.image_preprocessor import ImagePreprocessor, PreprocessedImage
from serving.inference.image_processor import INLINE_PIXELS
from serving.settings import Settings
from tests.support.pictures import WHITE, digit, encoded


def spec(model: str) -> InputSpec:
    card = read_card(CATALOGUE / model / CARD_FILE)
    assert isinstance(card, ModelCard)
    return card.input


def pictures() -> list[bytes]:
    """Samples, large pictures, some in colour, and files of every problem between them; more than one group."""
    good = encoded(digit("7", paper=WHITE), "PNG")
    large = digit("4", paper=WHITE).resize((900, 700))
    assert large.width * large.height > INLINE_PIXELS
    huge = io.BytesIO()
    Image.new("1", (6000, 6000)).save(huge, "PNG")
    others = [b"", b"no picture", good[: len(good) // 2], encoded(Image.new("L", (64, 64), 255), "PNG"), huge.getvalue()]
    others += [encoded(large, "PNG"), encoded(large.convert("RGB"), "JPEG")]
    found: list[bytes] = []
    for number, sample in enumerate(samples()[: 2 * GROUP]):
        found += [sample.data, others[number % len(others)]]
    return found


@pytest.mark.parametrize("models", [["digits"], ["fashion"], ["digits", "fashion"]])
def test_images_and_problems_are_those_of_the_service(models: list[str]) -> None:
    specs, limits, images = [spec(model) for model in models], Settings().limits, pictures()
    token = CancellationToken(perf_counter() + 600)
    ours = asyncio.run(BatchPreprocessor(specs, limits).run(images, token))
    theirs = asyncio.run(ImagePreprocessor(specs, limits).run(images, token))
    assert len(ours) == len(theirs) == len(images) > GROUP
    for one, other in zip(ours, theirs, strict=True):
        if isinstance(other, Problem):
            assert isinstance(one, Problem)
            assert (one.code, one.detail) == (other.code, other.detail)
        else:
            assert isinstance(one, PreprocessedImage)
            assert one.characters == other.characters
            for tensor, expected in zip(one.tensors, other.tensors, strict=True):
                np.testing.assert_array_equal(tensor, expected)
    codes = {one.code for one in theirs if isinstance(one, Problem)}
    assert codes == {"unsupported_media", "undecodable", "too_large", "no_ink"}
