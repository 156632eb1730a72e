"""The lock files: every package a Bento installs, with its version and the hashes of its files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from models import yaml_reader

FOLDER: Final = Path(__file__).parent.parent / "requirements"
HASH: Final = "--hash="


@dataclass(frozen=True, slots=True)
class Locked:
    """One entry of a lock file."""

    requirement: Requirement
    hashes: list[str]

    @property
    def version(self) -> str:
        """The version it is locked to; empty if it is not."""
        pins = [specifier.version for specifier in self.requirement.specifier if specifier.operator == "=="]
        return pins[0] if len(pins) == 1 == len(self.requirement.specifier) else ""

    @property
    def applies(self) -> bool:
        """Whether it is for this Python on this system."""
        return self.requirement.marker is None or self.requirement.marker.evaluate()


def read_lock(file: Path) -> Iterator[Locked]:
    """The entries of a lock file.

    Raises:
        InvalidRequirement: a line is something else, such as an option that names an index.
    """
    for line in file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        told, _, _ = line.partition(" #")
        words = told.split()
        if words and not words[0].startswith("#"):
            hashes = [word.removeprefix(HASH) for word in words if word.startswith(HASH)]
            yield Locked(Requirement(" ".join(word for word in words if not word.startswith(HASH))), hashes)


def of_bento(bentofile: Path) -> Path:
    """The lock file a Bento is built with."""
    told = yaml_reader.load(yaml_reader.read_text(bentofile))
    return bentofile.parent / str(told["python"]["requirements_txt"])
