"""``python -m deploy.bulk INPUT OUTPUT --model NAME``: classify a folder, a ZIP archive or Parquet files of pictures.

The rows go to OUTPUT/predictions.parquet and .csv, in the order of the input. A picture that cannot be read is a row with a
problem. The same command continues a run that was interrupted. docs/bulk.md says more.
"""

import argparse
import gc
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

MISSING: Final = "deploy.bulk needs Ray, which is not installed. Run `make setup-bulk`, or install requirements/bulk.txt."
MEBIBYTE: Final = 1024 * 1024
BATCH_SIZE: Final = 512
BATCH_MIB: Final = 64
OBJECT_STORE_MIB: Final = 128
FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns 0 when every picture has a row, 2 after one line where an argument cannot be used, 1 where Ray
    or a worker failed, 130 after Ctrl-C or SIGTERM."""
    options = _parser().parse_args(arguments)
    gc.disable()  # until Ray has started: nothing that is imported is garbage, and looking for it takes a tenth of the time
    try:
        return _run(options)
    finally:
        gc.enable()


def _run(options: argparse.Namespace) -> int:
    if importlib.util.find_spec("ray") is None:
        return _refuse(MISSING)
    from deploy.bulk.errors import EngineError, InputError, OutputError
    from deploy.bulk.job import Options, run
    from deploy.bulk.progress import own_console
    from models.card import CardError

    sizes = {"batch_bytes": options.batch_mib * MEBIBYTE, "object_store": options.object_store_mib * MEBIBYTE}
    named = {name: value for name, value in vars(options).items() if not name.endswith("_mib")}
    try:
        with own_console() as console:
            run(Options(**named, **sizes), console)
    except (InputError, OutputError, CardError) as error:
        return _refuse(str(error))
    except EngineError as error:
        sys.stderr.write(f"{error}\nWhat was classified is in {options.output}. The same command continues.\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write(f"Interrupted. What was classified is in {options.output}. The same command continues.\n")
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.bulk", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "input", type=Path, metavar="INPUT", help="a folder, a ZIP archive, or Parquet: a file, or a folder of files"
    )
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="a new folder, or that of an interrupted run")
    parser.add_argument("--model", required=True, help="a model of the catalogue, such as digits or characters")
    parser.add_argument(
        "--image-column", default="image", help="Parquet: the column with the encoded pictures (default: image)"
    )
    parser.add_argument("--id-column", help="Parquet: the column with unique names; FILE:ROW when not given")
    parser.add_argument("--workers", type=_positive, help="processes that classify (default: one for each CPU)")
    parser.add_argument("--batch-size", type=_positive, default=BATCH_SIZE, help=f"pictures of a batch (default: {BATCH_SIZE})")
    parser.add_argument("--batch-mib", type=_positive, default=BATCH_MIB, help=f"and MiB of a batch (default: {BATCH_MIB})")
    parser.add_argument(
        "--object-store-mib",
        type=_positive,
        default=OBJECT_STORE_MIB,
        help=f"shared memory of a local Ray; it holds names and results alone (default: {OBJECT_STORE_MIB})",
    )
    parser.add_argument("--address", help="a Ray cluster, HOST:PORT or auto; a local Ray is started when not given")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def _refuse(reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    return WRONG_USE


if __name__ == "__main__":
    sys.exit(main())
