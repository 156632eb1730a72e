"""Reads the lock files: every package a Bento installs, with its version and the hashes of its files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from models import yaml_reader

FOLDER: Final = Path(__file__).parent.parent / "requirements"
HASH: Final = "--hash="


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """A package of a lock file, with the hashes of its files."""

    requirement: Requirement
    hashes: list[str]

    @property
    def version(self) -> str:
        """The locked version; empty if the entry does not pin exactly one."""
        pins = [specifier.version for specifier in self.requirement.specifier if specifier.operator == "=="]
        return pins[0] if len(pins) == 1 == len(self.requirement.specifier) else ""

    @property
    def applies(self) -> bool:
        """Whether the entry is for this Python version and system."""
        return self.requirement.marker is None or self.requirement.marker.evaluate()


def read_lock(file: Path) -> Iterator[LockedPackage]:
    """Read the entries of a lock file.

    Raises:
        InvalidRequirement: a line is not a requirement, such as an option that names an index.
    """
    for line in file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        requirement, _, _ = line.partition(" #")
        words = requirement.split()
        if words and not words[0].startswith("#"):
            hashes = [word.removeprefix(HASH) for word in words if word.startswith(HASH)]
            yield LockedPackage(Requirement(" ".join(word for word in words if not word.startswith(HASH))), hashes)


def lock_file(bentofile: Path) -> Path:
    """The lock file that a bentofile names."""
    settings = yaml_reader.load(yaml_reader.read_text(bentofile))
    return bentofile.parent / str(settings["python"]["requirements_txt"])
