"""What a running service makes of labelled pictures: ``python -m training.served --data DIR``.

The MNIST test images go over HTTP as PNGs, as anyone's pictures would; nothing of the service is imported.
"""

import argparse
import asyncio
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import numpy.typing as npt
from PIL import Image

from training.calibration import expected_calibration_error
from training.datasets import DataError, Labelled, mnist

CONNECTIONS: Final = 16


@dataclass(frozen=True, slots=True)
class Report:
    """Probabilities ``float64[N, K]`` the service answered, whether it rejected (``bool[N]``), and the truth ``int64[N]``."""

    probabilities: npt.NDArray[np.float64]
    rejected: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.int64]

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether each picture's winner is its label."""
        return np.asarray(self.probabilities.argmax(axis=1) == self.labels)

    @property
    def accuracy(self) -> float:
        """Share of pictures read right; a rejected one counts by its best guess."""
        return float(self.right.mean())

    def text(self) -> str:
        """Accuracy, per-class table, confidence of the right ones, calibration error and n, for people."""
        right, winners = self.right, self.probabilities.max(axis=1)
        lines = [
            f"n {len(self.labels):,}",
            f"accuracy {right.mean():.2%}   ({int((~right).sum())} wrong)",
            f"mean confidence of the right ones {winners[right].mean():.4f}",
            f"expected calibration error {expected_calibration_error(self.probabilities, self.labels):.2%} (15 bins)",
            f"accepted {1 - self.rejected.mean():.2%}",
            "",
            "class      n   accuracy   most often read as",
        ]
        for label in np.unique(self.labels):
            of_class = self.labels == label
            wrong = self.probabilities[of_class & ~right].argmax(axis=1)
            confusion = f"{np.bincount(wrong).argmax()} ({np.bincount(wrong).max()})" if len(wrong) else "-"
            lines.append(f"{label:>5} {of_class.sum():>6}   {right[of_class].mean():>8.2%}   {confusion}")
        return "\n".join(lines)


async def ask(address: str, pictures: Labelled, model: str) -> Report:
    """Post every picture as PNG and gather the answers.

    Raises:
        httpx.HTTPError: the service cannot be reached, or answered a picture with an error.
    """
    queue = iter(enumerate(pictures.images))
    answers: list[dict[str, Any]] = [{}] * len(pictures)
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:

        async def work() -> None:
            for index, picture in queue:
                buffer = io.BytesIO()
                Image.fromarray(picture).save(buffer, "PNG")
                headers = {"Content-Type": "image/png"}
                response = await client.post("/classify", params={"model": model}, content=buffer.getvalue(), headers=headers)
                answers[index] = response.raise_for_status().json()

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    probabilities = [list(answer["probabilities"].values()) for answer in answers]
    return Report(np.array(probabilities), np.array([bool(answer["rejected"]) for answer in answers]), pictures.labels)


def main() -> int:
    """Score the 10,000 MNIST test images; 1 when the accuracy is below ``--at_least``."""
    parser = argparse.ArgumentParser(prog="python -m training.served", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds mnist/t10k-*-ubyte(.gz)")
    parser.add_argument("--api_address", default="http://127.0.0.1:3000")
    parser.add_argument("--model", default="digits")
    parser.add_argument("--at_least", type=float, default=0.995, help="accuracy below which the command fails")
    arguments = parser.parse_args()
    try:
        report = asyncio.run(ask(arguments.api_address, mnist(arguments.data, "test"), arguments.model))
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except httpx.HTTPError as error:
        sys.stderr.write(f"{arguments.api_address}: {error}. Is the service running? `make serve` starts it.\n")
        return 2
    sys.stdout.write(f"MNIST test through {arguments.api_address}, model {arguments.model}\n\n{report.text()}\n")
    return 0 if report.accuracy >= arguments.at_least else 1


if __name__ == "__main__":
    sys.exit(main())
