"""Command line for the tables of the gallery (``python -m gallery``); the service migrates them by itself."""

import argparse
import os
import sys
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from gallery.database import FILE_NAME, file_url, open_engine, parse_url
from gallery.migration import NewerTables, newest, revision, upgrade


def main(argv: list[str] | None = None) -> int:
    """Run one command. Returns 0; else 1 (the database cannot be used) or 2 (invalid URL), after a line on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m gallery",
        description="The database is that of GALLERY_URL, else of the file gallery_url in SECRETS_DIR, else gallery.db in "
        "BENTOML_HOME.",
    )
    parser.add_argument("command", choices=["upgrade", "current"], help="migrate the tables, or print their version")
    command = parser.parse_args(argv).command
    try:
        home = Path(os.environ.get("BENTOML_HOME") or "~/bentoml").expanduser()
        address = os.environ.get("GALLERY_URL") or _secret("gallery_url")
        url = parse_url(address) if address else file_url(home / FILE_NAME)
    except OSError as error:
        sys.stderr.write(f"The secret cannot be read: {error}\n")
        return 2
    except ValueError as error:
        sys.stderr.write(f"GALLERY_URL is not valid: {error}\n")
        return 2
    engine = open_engine(url, 1)
    try:
        if command == "upgrade":
            upgrade(engine)
        with engine.connect() as connection:
            found = revision(connection)
    except (DBAPIError, NewerTables) as error:
        sys.stderr.write(f"{url.render_as_string()}: {getattr(error, 'orig', error)}\n")
        return 1
    finally:
        engine.dispose()
    sys.stdout.write(f"{url.render_as_string()}: tables of version {found or 'none'}, the newest here is {newest()}\n")
    return 0


def _secret(name: str) -> str:
    """The text of a file in SECRETS_DIR; empty if there is no such folder or file."""
    folder = os.environ.get("SECRETS_DIR")
    file = Path(folder, name) if folder else None
    return file.read_text(encoding="utf-8").strip() if file and file.is_file() else ""


if __name__ == "__main__":
    sys.exit(main())
