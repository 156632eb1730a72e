"""``python -m models``: the catalogue and the BentoML model store from the command line."""

import argparse
import sys
from pathlib import Path

from models.card import CardError
from models.check import check_folder
from models.store import cascades_last, catalogue, import_folder, stored_folder


def main() -> int:
    """Run one command; 0 when every model was fine, 1 with a line on standard error otherwise."""
    parser = argparse.ArgumentParser(prog="python -m models", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    importing = commands.add_parser("import", help="check models and put them into the BentoML model store")
    importing.add_argument("folders", nargs="*", type=Path, help="model folders; all of models/ when none is given")
    importing.add_argument("--replace", action="store_true", help="overwrite other weights stored under the same version")
    verifying = commands.add_parser("verify", help="check that cards fit their files")
    verifying.add_argument("folders", nargs="*", type=Path, help="model folders; all of models/ when none is given")
    commands.add_parser("list", help="the catalogue, and whether each model is in the store")
    arguments = parser.parse_args()
    try:
        if arguments.command == "list":
            list_models()
        else:
            for folder in cascades_last(arguments.folders or catalogue()):
                if arguments.command == "verify":
                    _say(f"{check_folder(folder).tag} fits its card")
                else:
                    card, written = import_folder(folder, replace=arguments.replace)
                    _say(f"{card.tag} {'imported' if written else 'is in the store already'}")
    except CardError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def list_models() -> None:
    """Print a line per model of the catalogue."""
    for folder in catalogue():
        card = check_folder(folder)
        stored = "in the store" if stored_folder(card.tag) else "not imported"
        _say(f"{card.tag:24} {card.task:10} {len(card.labels):4} labels  {stored}  {card.title}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
