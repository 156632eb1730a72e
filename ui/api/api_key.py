"""The API key of the page, which it sends to the service as a bearer token."""

import os
from pathlib import Path
from typing import Final

FILE_NAME: Final = "api_key"


def api_key() -> str | None:
    """Return the value of `API_KEY`, else the text of the file `api_key` in the folder `SECRETS_DIR`, else None.

    Raises:
        OSError: there is such a file, but it cannot be read.
    """
    if key := os.environ.get("API_KEY"):
        return key
    folder = os.environ.get("SECRETS_DIR")
    file = Path(folder, FILE_NAME) if folder else None
    return file.read_text(encoding="utf-8").strip() if file and file.is_file() else None
