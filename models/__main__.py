"""``python -m models``: the catalogue and the BentoML model store from the command line."""

import argparse
import sys
from pathlib import Path

from models.card import CardError
from models.check import check_folder
from models.draft import FIELDS, merged, parse_labels, read_given, told
from models.imports import Imported, import_file, import_folder
from models.store import cascades_last, catalogue_folder, files
from models.store import catalogue as model_folders
from models.terminal import printable
from models.upkeep import export, listing, remove, restore


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 when every model was fine, 1 with a line on standard error otherwise."""
    arguments = _parser().parse_args(argv)
    catalogue = arguments.catalogue or catalogue_folder()
    try:
        if arguments.command == "import":
            _import(arguments, catalogue)
        elif arguments.command == "verify":
            for folder in arguments.folders or _whole(catalogue):
                _say(f"{check_folder(folder).tag} fits its card")
        elif arguments.command == "list":
            for line in listing(_whole(catalogue)):
                _say(line)
        elif arguments.command == "export":
            card, folder = export(arguments.model, arguments.folder, catalogue)
            _say(f"{card.tag} written to {folder}: {', '.join(files(card))}")
        elif arguments.command == "restore":
            _say(f"{restore(arguments.model, catalogue).tag} is in the catalogue again")
        else:
            for line in remove(arguments.model, catalogue):
                _say(f"removed {line}")
    except (CardError, OSError) as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 1
    return 0


def _import(arguments: argparse.Namespace, catalogue: Path) -> None:
    """Import one ONNX file, or folders."""
    given = told(vars(arguments))
    if arguments.labels is not None:
        given["labels"] = parse_labels(arguments.labels)
    paths = arguments.paths
    if len(paths) == 1 and (paths[0].is_file() or paths[0].suffix == ".onnx"):
        if arguments.card:
            given = merged(read_given(arguments.card), given)
        named, pictures = arguments.card, arguments.pictures
        _report(import_file(paths[0], given, catalogue, named=named, pictures=pictures, replace=arguments.replace))
    elif given or arguments.card or arguments.pictures:
        raise CardError("Options that describe a model go with one ONNX file; a folder's card says it all.")
    else:
        for folder in cascades_last(paths or _whole(catalogue)):
            _report(import_folder(folder, catalogue, replace=arguments.replace))


def _whole(catalogue: Path) -> list[Path]:
    """The folders of a catalogue that holds any."""
    folders = model_folders(catalogue)
    if not folders:
        raise CardError(f"{catalogue}: holds no models (NAME/card.yaml)")
    return folders


def _report(imported: Imported) -> None:
    for remark in imported.remarks:
        _say(f"{imported.card.tag}: {remark}")
    _say(f"{imported.card.tag} {'imported' if imported.written else 'is in the store already'}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models", description=__doc__)
    parser.add_argument(
        "--catalogue", type=Path, metavar="DIR", help="folder of the models; else the environment's CATALOGUE, else models/"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    importing = commands.add_parser("import", help="check models and put them into the catalogue and the BentoML model store")
    importing.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="an ONNX file, or model folders; the whole catalogue when there is none",
    )
    importing.add_argument("--replace", action="store_true", help="take the place of another model of that name and version")
    _add_description(importing.add_argument_group("describing an ONNX file"))
    verifying = commands.add_parser("verify", help="check that cards fit their files")
    verifying.add_argument("folders", nargs="*", type=Path, help="model folders; the whole catalogue when none is given")
    commands.add_parser("list", help="the catalogue, and whether each model is in the store")
    exporting = commands.add_parser("export", help="write a model to a folder that import takes back")
    exporting.add_argument("model", metavar="NAME[:VERSION]")
    exporting.add_argument("folder", type=Path, metavar="DIR", help="the model goes to DIR/NAME")
    restoring = commands.add_parser("restore", help="take a version that the store holds back into the catalogue")
    restoring.add_argument("model", metavar="NAME:VERSION")
    removing = commands.add_parser("remove", help="take a model out of the catalogue and the store")
    removing.add_argument("model", metavar="NAME[:VERSION]")
    return parser


def _add_description(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--labels", metavar="LABELS", help="cat,dog or 0-9 or 0-9,A-Z, or a text file with a label a line")
    group.add_argument("--card", type=Path, metavar="FILE", help="a card.yaml; what it lacks is filled in, options override it")
    group.add_argument("--pictures", type=Path, metavar="DIR", help="label/name.png: calibrate and measure the model on them")
    for option, field in FIELDS.items():
        group.add_argument(
            f"--{option.replace('_', '-')}", type=field.type, choices=field.choices, action=field.action, help=field.help
        )


def _say(line: str) -> None:
    sys.stdout.write(f"{printable(line)}\n")


if __name__ == "__main__":
    sys.exit(main())
