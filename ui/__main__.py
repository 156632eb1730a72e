"""Command line of the page: `python -m ui` starts the Streamlit server."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import streamlit as st
from starlette.middleware import Middleware

from ui.api.api_key import api_key
from ui.api.gallery_export import export_route
from ui.frontend import FrontendMiddleware
from ui.middleware import SecurityMiddleware

APP: Final = Path(__file__).with_name("app.py")
HOST_NAME: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
# These mean every address of the machine, so they are no host name of the page.
WILDCARD_ADDRESSES: Final = ("", "0.0.0.0", "::")


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line; environment variables supply the defaults."""
    parser = argparse.ArgumentParser(prog="python -m ui", description="The web page of the classifier service.")
    parser.add_argument(
        "--api_address",
        "--api-address",
        default=os.environ.get("API_ADDRESS") or "http://127.0.0.1:3000",
        help="URL of the service (API_ADDRESS; %(default)s)",
    )
    parser.add_argument(
        "--port", type=int, default=os.environ.get("UI_PORT") or "8501", help="port of the page (UI_PORT; %(default)s)"
    )
    parser.add_argument(
        "--host", default=os.environ.get("HOST") or "127.0.0.1", help="address to listen on (HOST; %(default)s)"
    )
    parser.add_argument(
        "--hosts",
        type=parse_host_names,
        default=os.environ.get("UI_HOSTS") or "",
        help="comma-separated host names of the page besides localhost and IP addresses (UI_HOSTS)",
    )
    arguments = parser.parse_args(argv)
    if not arguments.api_address.startswith(("http://", "https://")):
        parser.error(f"--api_address must begin with http:// or https://, not {arguments.api_address!r}")
    return arguments


def parse_host_names(text: str) -> list[str]:
    """Split `draw.example.org,other.example.org` into host names.

    Raises:
        argparse.ArgumentTypeError: an item has a scheme, a port, a path or a wildcard.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if not HOST_NAME.fullmatch(name):
            raise argparse.ArgumentTypeError(f"{name!r} is not a host name. Give names such as draw.example.org")
    return names


def create_app(arguments: argparse.Namespace) -> tuple[st.App, dict[str, Any]]:
    """Create the page as an ASGI application, and Streamlit's configuration for it."""
    hosts = [*arguments.hosts, *([] if arguments.host in WILDCARD_ADDRESSES else [arguments.host])]
    export = export_route(arguments.api_address, api_key())
    middleware = [Middleware(SecurityMiddleware, hosts=hosts), Middleware(FrontendMiddleware)]
    app = st.App(APP, routes=[export], middleware=middleware)
    return app, {"server.address": arguments.host, "server.port": arguments.port}


def main() -> None:
    """Run the Streamlit server in this process until it is stopped."""
    arguments = parse_arguments()
    os.environ["API_ADDRESS"] = arguments.api_address
    # Streamlit runs app.py as a script, so the package that contains it must be importable.
    sys.path.insert(0, str(APP.parent.parent))
    app, config = create_app(arguments)
    app.run(config=config)


if __name__ == "__main__":
    main()
