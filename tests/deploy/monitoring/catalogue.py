"""The project's digits with a reference of the sample pictures, so that these are ordinary traffic; and the failing model."""

import asyncio
import shutil
from pathlib import Path
from time import perf_counter

from loadtests.samples import samples
from models.card import CARD_FILE, ModelCard, read_card, write_card
from models.reference import InkMeter, build_reference
from models.store import CATALOGUE
from serving.inference.cancellation import CancellationToken
from serving.inference.prediction import Prediction
from serving.registry.model_registry import EmbeddedRegistry
from serving.settings import Settings
from tests.models.catalogues import models
from tests.support.failing_model import add_failing_model

# Each sample so many times: with more in the reference, less of a difference is chance.
COPIES = 20


def import_catalogue(home: Path) -> Path:
    """Write the catalogue into ``home`` and import it into the model store there; gives the folder."""
    catalogue = home / "catalogue"
    shutil.copytree(CATALOGUE / "digits", catalogue / "digits")
    card = read_card(catalogue / "digits" / CARD_FILE)
    assert isinstance(card, ModelCard)
    predictions = asyncio.run(_predict(catalogue / "digits"))
    ink = InkMeter(card.input)
    reference = build_reference(
        [card.labels[int(one.probabilities.argmax())] for one in predictions] * COPIES,
        [float(one.probabilities.max()) for one in predictions] * COPIES,
        [one.reject_reason is not None for one in predictions] * COPIES,
        [ink(one.image.tensor) for one in predictions] * COPIES,
        dataset="loadtests/samples",
        split="all",
    )
    write_card(card.model_copy(update={"reference": reference}), catalogue / "digits" / CARD_FILE)
    add_failing_model(catalogue)
    imported = models(home, "import", catalogue=catalogue)
    assert imported.returncode == 0, imported.stderr
    return catalogue


async def _predict(folder: Path) -> list[Prediction]:
    registry = EmbeddedRegistry([folder], Settings(device="cpu", workers=1))
    images = [sample.data for sample in samples()]
    answers = await registry.model("digits").predict(images, "cpu", CancellationToken(perf_counter() + 60))
    return [answer for answer in answers if isinstance(answer, Prediction)]
