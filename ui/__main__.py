"""`python -m ui`: start the page."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import streamlit as st
from starlette.middleware import Middleware

from ui.exports import Exports
from ui.guard import Guard

APP: Final = Path(__file__).with_name("app.py")
NAME: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
# Addresses that stand for all of a machine's: no name of the page.
EVERY_ADDRESS: Final = ("", "0.0.0.0", "::")


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
    parser.add_argument(
        "--hosts",
        type=names,
        default=os.environ.get("UI_HOSTS") or "",
        help="names the page answers under besides localhost and IP addresses, with commas between (UI_HOSTS)",
    )
    arguments = parser.parse_args(argv)
    if not arguments.api_address.startswith(("http://", "https://")):
        parser.error(f"--api_address must begin with http:// or https://, not {arguments.api_address!r}")
    return arguments


def names(text: str) -> list[str]:
    """Host names from `draw.example.org,other.example.org`.

    Raises:
        argparse.ArgumentTypeError: one is an address with a scheme, port or path, or has a wildcard.
    """
    found = [name.strip() for name in text.split(",") if name.strip()]
    for name in found:
        if not NAME.fullmatch(name):
            raise argparse.ArgumentTypeError(f"{name!r} is no host name: give names such as draw.example.org")
    return found


def build(arguments: argparse.Namespace) -> tuple[st.App, dict[str, Any]]:
    """The page as an ASGI application, and Streamlit's options for it."""
    hosts = [*arguments.hosts, *([] if arguments.host in EVERY_ADDRESS else [arguments.host])]
    exports = Middleware(Exports, address=arguments.api_address, api_key=os.environ.get("API_KEY"))
    app = st.App(APP, middleware=[Middleware(Guard, hosts=hosts), exports])
    return app, {"server.address": arguments.host, "server.port": arguments.port}


def main() -> None:
    """Run Streamlit in this process until it is stopped."""
    arguments = parse()
    os.environ["API_ADDRESS"] = arguments.api_address
    # Streamlit runs app.py as a script, which alone would not find the package it lies in.
    sys.path.insert(0, str(APP.parent.parent))
    app, options = build(arguments)
    app.run(config=options)


if __name__ == "__main__":
    main()
