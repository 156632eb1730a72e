"""Sample digits that load tests post: rendered PNGs in loadtests/samples, the label first in the name (``7-03.png``)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "samples"


@dataclass(frozen=True, slots=True)
class Sample:
    """An encoded image and its label."""

    name: str
    label: str
    data: bytes

    @property
    def expected(self) -> bytes:
        """What its label in a response must end with."""
        return f'"label":"{self.label}"'.encode()


def samples(folder: Path = FOLDER) -> list[Sample]:
    """Read all samples, sorted by name.

    Raises:
        FileNotFoundError: the folder contains none.
    """
    paths = sorted(folder.glob("*-*.png"))
    if not paths:
        raise FileNotFoundError(f"{folder} contains no LABEL-NUMBER.png. Draw them with `python -m training.samples`.")
    return [Sample(path.name, path.name.split("-")[0], path.read_bytes()) for path in paths]
