"""``python -m training.served --data DIR``: measure the models of a running service on their test sets.

Images are sent over HTTP as PNG files; nothing of the service is imported.
"""

import argparse
import asyncio
import io
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from PIL import Image

from models.card import CARD_FILE, Metrics, read_card, write_card
from models.terminal import printable
from training.data.datasets import DataError
from training.data.image_sets import ImageSet
from training.evaluation.metrics import card_metrics
from training.evaluation.reports import Predictions, overstated_metrics, save_confusions, summary
from training.recipes import EVALUATION_DATA, EvaluationData

CONNECTIONS: Final = 16


@dataclass(frozen=True, slots=True)
class Service:
    """The address of a service, and the cards of its models by name."""

    address: str
    cards: dict[str, dict[str, Any]]

    @classmethod
    def at(cls, address: str) -> "Service":
        """Request the models of a service.

        Raises:
            httpx.HTTPError: it cannot be reached.
        """
        answer = httpx.get(f"{address}/models", timeout=60).raise_for_status().json()
        return cls(address, {model["name"]: model["card"] for model in answer["models"]})

    def metrics(self, model: str) -> list[Metrics]:
        """The metrics that a model's card states."""
        return [Metrics.model_validate(metrics) for metrics in self.cards[model]["metrics"]]


async def classify_all(service: Service, model: str, labels: Sequence[str], images: ImageSet) -> Predictions:
    """Send every image as PNG and collect the predictions.

    Raises:
        httpx.HTTPError: the service cannot be reached, or answered an image with an error.
    """
    queue = iter(enumerate(images.images()))
    probabilities = np.zeros((len(images), len(labels)))
    rejected = np.zeros(len(images), dtype=np.bool_)
    async with httpx.AsyncClient(base_url=service.address, timeout=60) as client:

        async def send() -> None:
            for index, image in queue:
                headers = {"Content-Type": "image/png"}
                response = await client.post("/classify", params={"model": model}, content=png(image), headers=headers)
                answer = response.raise_for_status().json()
                probabilities[index] = [answer["probabilities"][label] for label in labels]
                rejected[index] = answer["rejected"]

        await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
    return Predictions(probabilities, rejected, images.labels, list(labels))


def png(image: Image.Image) -> bytes:
    """Encode an image as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def evaluate_model(service: Service, model: str, data: EvaluationData, out: Path) -> tuple[list[Metrics], list[str]]:
    """Measure a model on all its test sets, print the results, and save the confusions of the first under ``out``.

    Returns:
        The measured metrics, and a line for each figure of the card that is better than measured.
    """
    measured, overstated = [], []
    for number, (name, images) in enumerate(data.test().items()):
        predictions = asyncio.run(classify_all(service, model, data.labels, images))
        metrics = card_metrics(predictions.probabilities, predictions.truth, predictions.labels, name)
        text = f"\n{model} {service.cards[model]['version']}: {name}\n\n{summary(metrics, predictions)}\n"
        sys.stdout.write("\n".join(map(printable, text.split("\n"))))
        overstated += overstated_metrics(model, service.metrics(model), metrics)
        measured.append(metrics)
        if number == 0:
            save_confusions(model, predictions, images, out)
    return measured, overstated


def write_metrics(folder: Path, measured: Sequence[Metrics]) -> None:
    """Write measured metrics into the card in a folder, replacing those of the same test sets."""
    card = read_card(folder / CARD_FILE)
    replaced = {(one.dataset, one.split) for one in measured}
    rest = [one for one in card.metrics if (one.dataset, one.split) not in replaced]
    write_card(card.model_copy(update={"metrics": [*measured, *rest]}), folder / CARD_FILE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the models that have test sets; 1 if a card states better figures than measured."""
    parser = argparse.ArgumentParser(prog="python -m training.served", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that training/README.md describes")
    parser.add_argument("--api_address", default="http://127.0.0.1:3000")
    parser.add_argument("--model", action="append", choices=EVALUATION_DATA, help="only this model, instead of all")
    parser.add_argument("--out", type=Path, default=Path("build/evaluation"), help="folder for images, default: %(default)s")
    parser.add_argument("--write", type=Path, metavar="MODELS", help="write the metrics into the cards of this catalogue")
    parser.add_argument("--docs", type=Path, metavar="DIR", help="copy the confusion matrices to this folder")
    options = parser.parse_args(arguments)
    overstated: list[str] = []
    try:
        service = Service.at(options.api_address)
        for model in options.model or [name for name in EVALUATION_DATA if name in service.cards]:
            if model not in service.cards:
                raise DataError(f"{options.api_address} does not serve {model!r}.")
            measured, better = evaluate_model(service, model, EVALUATION_DATA[model](options.data), options.out)
            overstated += better
            if options.write is not None:
                write_metrics(options.write / model, measured)
            if options.docs is not None:
                shutil.copy(options.out / f"{model}.png", options.docs)
    except DataError as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 2
    except httpx.HTTPError as error:
        sys.stderr.write(f"{options.api_address}: {printable(str(error))}. Is the service running? `make serve` starts it.\n")
        return 2
    lines = map(printable, overstated or ["No card states a better figure than measured."])
    sys.stdout.write("\n" + "".join(f"{line}\n" for line in lines))
    return 1 if overstated and options.write is None else 0


if __name__ == "__main__":
    sys.exit(main())
