"""``python -m deploy.bento BENTOFILE``: build the Bento with the models of the catalogue, wherever that is.

BentoML takes files only from below the folder it builds in, so the code and the cards of the catalogue are copied to a
temporary one. The models themselves come from the model store. ``DEFAULT_MODEL`` becomes the default of the Bento.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from models import yaml_reader
from models.card import CARD_FILE, CardError, read_card
from models.store import CATALOGUE, CATALOGUE_VARIABLE, card_folders, catalogue_folder

ROOT: Final = Path(__file__).parent.parent
CARDS: Final = f"{CATALOGUE.name}/*/{CARD_FILE}"
# Read by the service beside service.py; variables of the environment take precedence.
SETTINGS_FILE: Final = "bento.env"
DEFAULT_MODEL: Final = "DEFAULT_MODEL"


def default_model(catalogue: Path) -> str:
    """The default model, which the environment names, else ``digits``.

    Raises:
        CardError: it is not in the catalogue.
    """
    name = os.environ.get(DEFAULT_MODEL) or "digits"
    names = [read_card(folder / CARD_FILE).name for folder in card_folders(catalogue)]
    if name not in names:
        there = f"There are: {', '.join(names)}. Set {DEFAULT_MODEL} to one of them." if names else "It holds no card.yaml."
        raise CardError(f"{DEFAULT_MODEL}={name!r} is not in the catalogue at {catalogue}. {there}")
    return name


def copy_files(bentofile: Path, catalogue: Path, folder: Path) -> None:
    """Copy a bentofile, the files it names and the cards of a catalogue to ``folder``."""
    options = yaml_reader.load(yaml_reader.read_text(bentofile))
    named = [options["python"]["requirements_txt"], options["docker"]["dockerfile_template"], options["docker"]["setup_script"]]
    files = [file for pattern in (*named, *options["include"]) if pattern != CARDS for file in ROOT.glob(pattern.lstrip("/"))]
    copies = {folder / file.relative_to(ROOT): file for file in files}
    copies |= {folder / CATALOGUE.name / each.name / CARD_FILE: each / CARD_FILE for each in card_folders(catalogue)}
    copies[folder / "bentofile.yaml"] = bentofile
    for copy, file in copies.items():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)


def build(bentofile: Path) -> None:
    """Build the Bento of a bentofile into the store of BentoML.

    Raises:
        CardError: a card of the catalogue cannot be read, or the default model is not among them.
        CalledProcessError: BentoML refused.
    """
    catalogue = catalogue_folder()
    model = default_model(catalogue)
    environment = {name: value for name, value in os.environ.items() if name != CATALOGUE_VARIABLE}
    environment[DEFAULT_MODEL] = model
    if home := environment.get("BENTOML_HOME"):
        environment["BENTOML_HOME"] = str(Path(home).absolute())
    with tempfile.TemporaryDirectory() as folder:
        copy_files(bentofile, catalogue, Path(folder))
        (Path(folder) / SETTINGS_FILE).write_text(f"{DEFAULT_MODEL}={model}\n", encoding="utf-8")
        subprocess.run([sys.executable, "-m", "bentoml", "build"], cwd=folder, env=environment, check=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the Bento; returns 1 after one line on standard error if the catalogue does not allow it, or BentoML refuses."""
    parser = argparse.ArgumentParser(prog="python -m deploy.bento", description=__doc__)
    parser.add_argument("bentofile", type=Path)
    try:
        build(parser.parse_args(arguments).bentofile)
    except (CardError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
