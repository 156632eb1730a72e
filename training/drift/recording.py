"""Answers in a compact file, so that tests and simulations need neither data sets nor a model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.answers import Answers

USUAL: Final = "usual"
# Of a confidence, as the API answers it, and of mean ink.
DECIMALS: Final = 6
INK_DECIMALS: Final = 4


def save(answers: Mapping[str, Answers], accuracies: Mapping[str, float], labels: Sequence[str], path: Path) -> None:
    """Write the answers to several sets of pictures, by name, and the accuracy of some."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for number, one in enumerate(answers.values()):
        arrays[f"label{number}"] = np.array([labels.index(label) for label in one.labels], dtype=np.uint8)
        arrays[f"confidence{number}"] = one.confidences.round(DECIMALS).astype(np.float32)
        arrays[f"rejected{number}"] = np.packbits(one.rejected)
        arrays[f"ink{number}"] = np.rint(one.inks * 10**INK_DECIMALS).astype(np.uint16)
    known = np.array([accuracies.get(name, np.nan) for name in answers])
    arrays |= {"names": np.array([*answers]), "labels": np.array([*labels]), "accuracies": known}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # its stub takes them for the flag that follows


def load(path: Path) -> tuple[dict[str, Answers], dict[str, float]]:
    """Read the answers and accuracies that ``save`` wrote."""
    with np.load(path, allow_pickle=False) as file:
        labels = file["labels"].tolist()
        accuracies = dict(zip(file["names"].tolist(), file["accuracies"].tolist(), strict=True))
        found = {}
        for number, name in enumerate(file["names"].tolist()):
            indices = file[f"label{number}"].tolist()
            found[name] = Answers(
                [labels[index] for index in indices],
                file[f"confidence{number}"].astype(np.float64),
                np.unpackbits(file[f"rejected{number}"], count=len(indices)).astype(np.bool_),
                file[f"ink{number}"] / 10**INK_DECIMALS,
            )
    return found, {name: value for name, value in accuracies.items() if not np.isnan(value)}
