"""``python -m serving.keys``: adds, lists and removes the API keys of the service."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from models.terminal import printable
from serving.middleware.api_keys import ROLES, KeysError, add_key, read_keys, remove_key

VARIABLE: Final = "API_KEYS_FILE"


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m serving.keys``: prints a new key to standard output, and messages to standard error."""
    parser, file = argparse.ArgumentParser(prog="python -m serving.keys"), argparse.ArgumentParser(add_help=False)
    file.add_argument(
        "--file", type=Path, default=os.environ.get(VARIABLE) or None, help=f"the file of keys; default: {VARIABLE}"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", parents=[file], help="add a key and print it once")
    add.add_argument("name", help="name of its owner")
    add.add_argument("--role", choices=ROLES, default=ROLES[0], help="what it may do; default: %(default)s")
    commands.add_parser("list", parents=[file], help="names and roles")
    remove = commands.add_parser("remove", parents=[file], help="remove a key")
    remove.add_argument("name", help="name of the key")
    given = parser.parse_args(arguments)
    if given.file is None:
        parser.error(f"No file given. Set {VARIABLE}, or use --file FILE")
    try:
        if given.command == "add":
            secret = add_key(given.file, given.name, given.role)
            message = f"The key of {given.name} ({given.role}); it is not shown again. Only its hash is in {given.file}."
            sys.stderr.write(f"{printable(message)}\n")
            sys.stdout.write(f"{secret}\n")
        elif given.command == "remove":
            remove_key(given.file, given.name)
            sys.stderr.write(f"{printable(f'The key of {given.name} is removed from {given.file}.')}\n")
        else:
            sys.stdout.write("".join(f"{key.name} {key.role}\n" for key in read_keys(given.file)))
    except KeysError as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
