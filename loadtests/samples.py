"""The digits that load tests post: rendered pictures under loadtests/samples, the label in the name (``7-03.png``)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "samples"


@dataclass(frozen=True, slots=True)
class Sample:
    """An encoded picture and what is drawn on it."""

    name: str
    label: str
    data: bytes


def samples(folder: Path = FOLDER) -> list[Sample]:
    """All samples, by name.

    Raises:
        FileNotFoundError: the folder holds none.
    """
    paths = sorted(folder.glob("*-*.png"))
    if not paths:
        raise FileNotFoundError(f"{folder} holds no LABEL-NUMBER.png")
    return [Sample(path.name, path.name.split("-")[0], path.read_bytes()) for path in paths]
