"""``python -m deploy.sbom``: write the bill of materials of a Bento, its locked packages and its models, as CycloneDX 1.6."""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from deploy.requirements import LockedPackage, lock_file, read_lock
from models.card import CARD_FILE, Card, ModelCard, read_card
from models.store import card_folders

SCHEMA: Final = SchemaVersion.V1_6
APPROVED: Final = "License :: OSI Approved ::"


def bill_of_materials(locked: Iterable[LockedPackage], cards: Iterable[Card], name: str) -> str:
    """Make the bill of materials of a Bento named ``name``, as JSON."""
    bom = Bom()
    root = Component(name=name, type=ComponentType.APPLICATION)
    bom.metadata.component = root
    parts = [*(package(entry) for entry in locked if entry.applies), *(model(card) for card in cards)]
    bom.components.update(parts)
    bom.register_dependency(root, parts)
    return make_outputter(bom, OutputFormat.JSON, SCHEMA).output_as_string(indent=2)


def package(entry: LockedPackage) -> Component:
    """Describe a Python package; its licence is included if the same version is installed."""
    name = canonicalize_name(entry.requirement.name)
    return Component(
        name=name,
        version=entry.version,
        type=ComponentType.LIBRARY,
        purl=PackageURL("pypi", name=name, version=entry.version),
        bom_ref=f"{name}=={entry.version}",
        licenses=_licences_of(entry),
    )


def model(card: Card) -> Component:
    """Describe a model; a cascade and a sequence have no file."""
    return Component(
        name=card.name,
        version=card.version,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"model {card.tag}",
        description=card.title,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=card.sha256)] if isinstance(card, ModelCard) else [],
        licenses=[LicenseFactory().make_from_string(card.licence)],
    )


def licences(fields: Mapping[str, Sequence[str]]) -> list[License]:
    """The licence of a package by the fields of its metadata, of which each may have several values; at most one."""
    texts = fields["License-Expression"] or [
        *(line.rpartition(" :: ")[2] for line in fields["Classifier"] if line.startswith(APPROVED)),
        *(text.strip().partition("\n")[0] for text in fields["License"]),
    ]
    return [LicenseFactory().make_from_string(text) for text in texts[:1] if text]


def _licences_of(entry: LockedPackage) -> list[License]:
    try:
        installed = metadata(entry.requirement.name)
    except PackageNotFoundError:
        return []
    if installed["Version"] != entry.version:
        return []
    return licences({field: installed.get_all(field) or [] for field in ("License-Expression", "Classifier", "License")})


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the bill of materials of the Bento that a bentofile builds."""
    parser = argparse.ArgumentParser(prog="python -m deploy.sbom", description=__doc__)
    parser.add_argument("bentofile", type=Path)
    parser.add_argument("bill", type=Path, help="the file to write")
    options = parser.parse_args(arguments)
    cards = [read_card(folder / CARD_FILE) for folder in card_folders()]
    text = bill_of_materials(read_lock(lock_file(options.bentofile)), cards, "image_classifier")
    options.bill.parent.mkdir(parents=True, exist_ok=True)
    options.bill.write_text(f"{text}\n", encoding="utf-8")
    sys.stderr.write(f"Wrote {options.bill}, the bill of materials of {options.bentofile}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
