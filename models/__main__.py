"""Command line of the model catalogue and the BentoML model store: ``python -m models import|verify|list|export|...``."""

import argparse
import sys
from pathlib import Path

from models.card import CardError
from models.card_builder import read_partial_card
from models.card_options import OPTIONS, fields_from_options, merge, parse_labels, preset_fields, preset_remark
from models.commands import export_model, list_models, remove_model, restore_model
from models.huggingface import read_configuration
from models.importer import ImportResult, import_file, import_folder
from models.labels import make_distinct
from models.presets import PRESETS
from models.store import card_folders, catalogue_folder, file_names, members_first
from models.terminal import printable
from models.validation import validate_folder


def main(argv: list[str] | None = None) -> int:
    """Run one command. Returns 0, or 1 after writing one line to standard error."""
    arguments = _parser().parse_args(argv)
    catalogue = arguments.catalogue or catalogue_folder()
    try:
        if arguments.command == "import":
            _import(arguments, catalogue)
        elif arguments.command == "verify":
            for folder in arguments.folders or _model_folders(catalogue):
                _print(f"{validate_folder(folder).tag} matches its card")
        elif arguments.command == "list":
            for line in list_models(_model_folders(catalogue)):
                _print(line)
        elif arguments.command == "export":
            card, folder = export_model(arguments.model, arguments.folder, catalogue)
            _print(f"{card.tag} written to {folder}: {', '.join(file_names(card))}")
        elif arguments.command == "restore":
            _print(f"{restore_model(arguments.model, catalogue).tag} is in the catalogue again")
        else:
            for line in remove_model(arguments.model, catalogue):
                _print(f"removed {line}")
    except (CardError, OSError) as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 1
    return 0


def _import(arguments: argparse.Namespace, catalogue: Path) -> None:
    """Import one ONNX file, or folders."""
    given = fields_from_options(vars(arguments))
    if arguments.labels is not None:
        given["labels"], remarks = make_distinct(parse_labels(arguments.labels))
        for remark in remarks:
            _print(remark)
    paths = arguments.paths
    if len(paths) == 1 and (paths[0].is_file() or paths[0].suffix == ".onnx"):
        if arguments.card:
            given = merge(read_partial_card(arguments.card), given)
        if arguments.preset:
            _print(preset_remark(arguments.preset))
            given = merge(preset_fields(arguments.preset), given)
        found, remarks = read_configuration(paths[0])
        for remark in remarks:
            _print(remark)
        if arguments.preset:
            found.pop("input", None)
        given = merge(found, given)
        card_path, pictures = arguments.card, arguments.pictures
        _report(import_file(paths[0], given, catalogue, card_path=card_path, pictures=pictures, replace=arguments.replace))
    elif given or arguments.card or arguments.pictures or arguments.preset:
        raise CardError("Options that describe a model are for one ONNX file. Leave them out: a folder has a complete card.")
    else:
        for folder in members_first(paths or _model_folders(catalogue)):
            _report(import_folder(folder, catalogue, replace=arguments.replace))


def _model_folders(catalogue: Path) -> list[Path]:
    """The model folders of a catalogue.

    Raises:
        CardError: there are none.
    """
    folders = card_folders(catalogue)
    if not folders:
        raise CardError(f"{catalogue}: holds no models (NAME/card.yaml)")
    return folders


def _report(result: ImportResult) -> None:
    for remark in result.remarks:
        _print(f"{result.card.tag}: {remark}")
    _print(f"{result.card.tag} {'imported' if result.written else 'is in the store already'}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models", description=__doc__)
    parser.add_argument(
        "--catalogue",
        type=Path,
        metavar="DIR",
        help="folder of the models; by default the environment variable CATALOGUE, else models/",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    importing = commands.add_parser("import", help="validate models and add them to the catalogue and the BentoML model store")
    importing.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="an ONNX file, or model folders; by default the whole catalogue",
    )
    importing.add_argument("--replace", action="store_true", help="replace another model of the same name and version")
    _add_description(importing.add_argument_group("describing an ONNX file"))
    verifying = commands.add_parser("verify", help="validate cards against their models")
    verifying.add_argument("folders", nargs="*", type=Path, help="model folders; by default the whole catalogue")
    commands.add_parser("list", help="list the catalogue, and whether each model is in the store")
    exporting = commands.add_parser("export", help="copy a model to a folder from where it can be imported again")
    exporting.add_argument("model", metavar="NAME[:VERSION]")
    exporting.add_argument("folder", type=Path, metavar="DIR", help="the model is written to DIR/NAME")
    restoring = commands.add_parser("restore", help="copy a version from the store back to the catalogue")
    restoring.add_argument("model", metavar="NAME:VERSION")
    removing = commands.add_parser("remove", help="remove a model from the catalogue and the store")
    removing.add_argument("model", metavar="NAME[:VERSION]")
    return parser


def _add_description(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--labels", metavar="LABELS", help="cat,dog or 0-9 or 0-9,A-Z, or a file: one label a line, or JSON")
    group.add_argument("--card", type=Path, metavar="FILE", help="a card.yaml; missing fields get defaults, options override")
    group.add_argument("--pictures", type=Path, metavar="DIR", help="label/name.png: pictures to calibrate and evaluate with")
    group.add_argument(
        "--preset", choices=list(PRESETS), help="how pictures of a known kind are preprocessed; options override"
    )
    for name, option in OPTIONS.items():
        flag = f"--{name.replace('_', '-')}"
        if option.action == "flag":
            group.add_argument(flag, action=argparse.BooleanOptionalAction, help=option.help)
        else:
            group.add_argument(flag, type=option.type, choices=option.choices, action=option.action, help=option.help)


def _print(line: str) -> None:
    sys.stdout.write(f"{printable(line)}\n")


if __name__ == "__main__":
    sys.exit(main())
