"""What a running service makes of the test pictures of its models: ``python -m training.served --data DIR``.

The pictures go over HTTP as PNGs, as anyone's would; nothing of the service is imported.
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
from training.datasets import DataError
from training.evaluation import measured
from training.frames import Pictures
from training.recipes import EXAMINATIONS, Examination
from training.reports import Answers, exaggerations, keep, text

CONNECTIONS: Final = 16


@dataclass(frozen=True, slots=True)
class Service:
    """A service at an address and the cards of its models, by name."""

    address: str
    cards: dict[str, dict[str, Any]]

    @classmethod
    def at(cls, address: str) -> "Service":
        """Ask a service for its models.

        Raises:
            httpx.HTTPError: it cannot be reached.
        """
        told = httpx.get(f"{address}/models", timeout=60).raise_for_status().json()
        return cls(address, {model["name"]: model["card"] for model in told["models"]})

    def metrics(self, model: str) -> list[Metrics]:
        """What the card of a model claims."""
        return [Metrics.model_validate(claim) for claim in self.cards[model]["metrics"]]


async def ask(service: Service, model: str, labels: Sequence[str], pictures: Pictures) -> Answers:
    """Post every picture as PNG and gather the answers.

    Raises:
        httpx.HTTPError: the service cannot be reached, or answered a picture with an error.
    """
    queue = iter(enumerate(pictures.images()))
    probabilities = np.zeros((len(pictures), len(labels)))
    rejected = np.zeros(len(pictures), dtype=np.bool_)
    async with httpx.AsyncClient(base_url=service.address, timeout=60) as client:

        async def work() -> None:
            for index, picture in queue:
                headers = {"Content-Type": "image/png"}
                response = await client.post("/classify", params={"model": model}, content=png(picture), headers=headers)
                answer = response.raise_for_status().json()
                probabilities[index] = [answer["probabilities"][label] for label in labels]
                rejected[index] = answer["rejected"]

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return Answers(probabilities, rejected, pictures.labels, list(labels))


def png(picture: Image.Image) -> bytes:
    """A picture as an encoded PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def examine(service: Service, model: str, examination: Examination, out: Path) -> tuple[list[Metrics], list[str]]:
    """Score one model on all its test sets, print what was found, and keep the pictures of the first under ``out``.

    Returns:
        What was measured, and a line for each thing that the card claims beyond it.
    """
    found, faults = [], []
    for number, (name, pictures) in enumerate(examination.test().items()):
        answers = asyncio.run(ask(service, model, examination.labels, pictures))
        metrics = measured(answers.probabilities, answers.truth, answers.labels, name)
        said = f"\n{model} {service.cards[model]['version']}: {name}\n\n{text(metrics, answers)}\n"
        sys.stdout.write("\n".join(map(printable, said.split("\n"))))
        faults += exaggerations(model, service.metrics(model), metrics)
        found.append(metrics)
        if number == 0:
            keep(model, answers, pictures, out)
    return found, faults


def write_metrics(folder: Path, found: Sequence[Metrics]) -> None:
    """Put what was measured into a card of the catalogue, in the place of what it said of the same pictures."""
    card = read_card(folder / CARD_FILE)
    fresh = {(one.dataset, one.split) for one in found}
    rest = [one for one in card.metrics if (one.dataset, one.split) not in fresh]
    write_card(card.model_copy(update={"metrics": [*found, *rest]}), folder / CARD_FILE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Score the models that there are test pictures for; 1 when a card claims more than is measured."""
    parser = argparse.ArgumentParser(prog="python -m training.served", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that training/README.md describes")
    parser.add_argument("--api_address", default="http://127.0.0.1:3000")
    parser.add_argument("--model", action="append", choices=EXAMINATIONS, help="only this one; all of them when not given")
    parser.add_argument("--out", type=Path, default=Path("build/evaluation"), help="where pictures go, default: %(default)s")
    parser.add_argument("--write", type=Path, metavar="MODELS", help="write what was measured into the cards of this catalogue")
    parser.add_argument("--docs", type=Path, metavar="DIR", help="put the tables of confusions there as well")
    options = parser.parse_args(arguments)
    faults: list[str] = []
    try:
        service = Service.at(options.api_address)
        for model in options.model or [name for name in EXAMINATIONS if name in service.cards]:
            if model not in service.cards:
                raise DataError(f"{options.api_address} does not serve {model!r}.")
            found, exaggerated = examine(service, model, EXAMINATIONS[model](options.data), options.out)
            faults += exaggerated
            if options.write is not None:
                write_metrics(options.write / model, found)
            if options.docs is not None:
                shutil.copy(options.out / f"{model}.png", options.docs)
    except DataError as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 2
    except httpx.HTTPError as error:
        sys.stderr.write(f"{options.api_address}: {printable(str(error))}. Is the service running? `make serve` starts it.\n")
        return 2
    said = map(printable, faults or ["Every card claims what was measured, or less."])
    sys.stdout.write("\n" + "".join(f"{line}\n" for line in said))
    return 1 if faults and options.write is None else 0


if __name__ == "__main__":
    sys.exit(main())
