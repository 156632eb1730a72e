"""`python -m ui`: start the page."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import streamlit as st

from ui.export import export_route

APP: Final = Path(__file__).with_name("app.py")


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line; what it leaves out comes from the environment."""
    parser = argparse.ArgumentParser(prog="python -m ui", description="The drawing page of the classifier service.")
    parser.add_argument(
        "--api_address",
        "--api-address",
        default=os.environ.get("API_ADDRESS") or "http://127.0.0.1:3000",
        help="where the service answers (API_ADDRESS; %(default)s)",
    )
    parser.add_argument(
        "--port", type=int, default=os.environ.get("UI_PORT") or "8501", help="port of the page (UI_PORT; %(default)s)"
    )
    parser.add_argument(
        "--host", default=os.environ.get("HOST") or "127.0.0.1", help="address to listen on (HOST; %(default)s)"
    )
    arguments = parser.parse_args(argv)
    if not arguments.api_address.startswith(("http://", "https://")):
        parser.error(f"--api_address must begin with http:// or https://, not {arguments.api_address!r}")
    return arguments


def main() -> None:
    """Run Streamlit in this process until it is stopped."""
    arguments = parse()
    os.environ["API_ADDRESS"] = arguments.api_address
    # Streamlit runs app.py as a script, which alone would not find the package it lies in.
    sys.path.insert(0, str(APP.parent.parent))
    app = st.App(APP, routes=[export_route(arguments.api_address, os.environ.get("API_KEY"))])
    app.run(config={"server.address": arguments.host, "server.port": arguments.port})


if __name__ == "__main__":
    main()
