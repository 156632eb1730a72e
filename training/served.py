"""``python -m training.served --data DIR``: measure the models of a running service on their test sets.

Images are sent over HTTP as PNG files; nothing of the service is imported. The answers to the first test set of a model are the
reference on its card.
"""

import argparse
import asyncio
import io
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import numpy.typing as npt
from PIL import Image

from models.card import CARD_FILE, read_card, write_card
from models.card_fields import Metrics
from models.reference import InkMeter, Reference, build_reference
from models.terminal import printable
from preprocessing import InputSpec, decode, preprocess
from training.data.datasets import DataError
from training.data.image_sets import ImageSet
from training.evaluation.metrics import card_metrics
from training.evaluation.reports import Predictions, overstated_metrics, save_confusions, summary
from training.recipes import EVALUATION_DATA, EvaluationData

CONNECTIONS: Final = 4
BATCH: Final = 16


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

    def input_spec(self, model: str) -> InputSpec:
        """The input of a model, or of the first model of a cascade."""
        card = self.cards[model]
        first = card["first"].split(":")[0] if card["task"] == "cascade" else model
        return InputSpec.model_validate(self.cards[first]["input"])


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The metrics of a model on its test sets, a line for each figure of its card that is better, and its reference."""

    metrics: list[Metrics]
    overstated: list[str]
    reference: Reference


async def classify_all(
    service: Service, model: str, labels: Sequence[str], images: ImageSet
) -> tuple[Predictions, npt.NDArray[np.float64]]:
    """Send every image as PNG, in batches; returns the predictions, and the mean ink float64[N] of the model's inputs.

    Raises:
        httpx.HTTPError: the service cannot be reached, or answered a batch with an error.
        DataError: it answered an image with an error.
    """
    queue = enumerate(images.images())
    probabilities = np.zeros((len(images), len(labels)))
    rejected = np.zeros(len(images), dtype=np.bool_)
    inks = np.zeros(len(images))
    spec = service.input_spec(model)
    mean_ink = InkMeter(spec)
    async with httpx.AsyncClient(base_url=service.address, timeout=60) as client:

        async def send() -> None:
            while batch := [(index, png(image)) for index, image in islice(queue, BATCH)]:
                files = [("images", ("image.png", content, "image/png")) for _, content in batch]
                response = await client.post("/classify/batch", params={"model": model}, files=files)
                for (index, content), answer in zip(batch, response.raise_for_status().json(), strict=True):
                    if "code" in answer:
                        raise DataError(f"{service.address} answered image {index} with {answer['code']}: {answer['detail']}")
                    probabilities[index] = [answer["probabilities"][label] for label in labels]
                    rejected[index] = answer["rejected"]
                    inks[index] = mean_ink(preprocess(decode(content, colour_side=spec.colour_side), spec))

        await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
    return Predictions(probabilities, rejected, images.labels, list(labels)), inks


def png(image: Image.Image) -> bytes:
    """Encode an image as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def evaluate_model(service: Service, model: str, data: EvaluationData, out: Path, sets: int | None = None) -> Evaluation:
    """Measure a model on its test sets, or on the first ``sets``, print the results, and save the confusions of the first under
    ``out``."""
    measured, overstated, references = [], [], []
    for number, (name, images) in enumerate(islice(data.test().items(), sets)):
        predictions, inks = asyncio.run(classify_all(service, model, data.labels, images))
        metrics = card_metrics(predictions.probabilities, predictions.truth, predictions.labels, name)
        text = f"\n{model} {service.cards[model]['version']}: {name}\n\n{summary(metrics, predictions)}\n"
        sys.stdout.write("\n".join(map(printable, text.split("\n"))))
        overstated += overstated_metrics(model, service.metrics(model), metrics)
        measured.append(metrics)
        if number == 0:
            save_confusions(model, predictions, images, out)
            references.append(reference_of(predictions, inks, name))
    return Evaluation(measured, overstated, references[0])


def reference_of(predictions: Predictions, inks: Sequence[float] | npt.NDArray[np.float64], name: str) -> Reference:
    """The reference of a card from the predictions for a test set called ``DATA SET, SPLIT``."""
    dataset, split = name.split(", ", 1)
    return build_reference(
        [predictions.labels[index] for index in predictions.predicted.tolist()],
        predictions.probabilities.max(axis=1).tolist(),
        predictions.rejected.tolist(),
        list(inks),
        dataset=dataset,
        split=split,
    )


def write_metrics(folder: Path, measured: Sequence[Metrics]) -> None:
    """Write measured metrics into the card in a folder, replacing those of the same test sets."""
    card = read_card(folder / CARD_FILE)
    replaced = {(one.dataset, one.split) for one in measured}
    rest = [one for one in card.metrics if (one.dataset, one.split) not in replaced]
    write_card(card.model_copy(update={"metrics": [*measured, *rest]}), folder / CARD_FILE)


def write_reference(folder: Path, reference: Reference) -> None:
    """Write a reference into the card in a folder, in place of another."""
    card = read_card(folder / CARD_FILE)
    write_card(card.model_copy(update={"reference": reference}), folder / CARD_FILE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the models that have test sets; 1 if a card states better figures than measured."""
    parser = argparse.ArgumentParser(prog="python -m training.served", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that training/README.md describes")
    parser.add_argument("--api_address", default="http://127.0.0.1:3000")
    parser.add_argument("--model", action="append", choices=EVALUATION_DATA, help="only this model, instead of all")
    parser.add_argument("--out", type=Path, default=Path("build/evaluation"), help="folder for images, default: %(default)s")
    writing = parser.add_mutually_exclusive_group()
    writing.add_argument(
        "--write", type=Path, metavar="MODELS", help="write metrics and references into this catalogue's cards"
    )
    writing.add_argument(
        "--references", type=Path, metavar="MODELS", help="write the references alone, without the other test sets"
    )
    parser.add_argument("--docs", type=Path, metavar="DIR", help="copy the confusion matrices to this folder")
    options = parser.parse_args(arguments)
    overstated: list[str] = []
    try:
        service = Service.at(options.api_address)
        for model in options.model or [name for name in EVALUATION_DATA if name in service.cards]:
            if model not in service.cards:
                raise DataError(f"{options.api_address} does not serve {model!r}.")
            sets = 1 if options.references else None
            found = evaluate_model(service, model, EVALUATION_DATA[model](options.data), options.out, sets)
            overstated += found.overstated
            if options.write is not None:
                write_metrics(options.write / model, found.metrics)
            if catalogue := options.write or options.references:
                write_reference(catalogue / model, found.reference)
            if options.docs is not None:
                shutil.copy(options.out / f"{model}.png", options.docs)
    except DataError as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 2
    except httpx.HTTPError as error:
        reason = printable(str(error) or type(error).__name__)
        sys.stderr.write(f"{options.api_address}: {reason}. Is the service running? `make serve` starts it.\n")
        return 2
    lines = map(printable, overstated or ["No card states a better figure than measured."])
    sys.stdout.write("\n" + "".join(f"{line}\n" for line in lines))
    return 1 if overstated and options.write is None else 0


if __name__ == "__main__":
    sys.exit(main())
