"""Writes docs/settings.md from the class Settings: run ``python -m serving.settings_page``."""

from pathlib import Path
from typing import Any, Final

from serving.settings import Settings

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
TYPES: Final = {"string": "text", "integer": "integer", "number": "number", "boolean": "`true` or `false`", "array": "list"}
INTRODUCTION: Final = """\
# Settings

The service reads its settings from environment variables. An empty variable counts as not set. A value that is not valid stops
the start with exit status 2 and a line that names the variable.

`SECRETS_DIR` names a folder of secrets, as Docker and Kubernetes mount them: a file per setting, named like it in lower case
(`gallery_url`). A variable of the environment takes precedence. The files are read once, at the start. The drawing page reads
`api_key` from it, `python -m gallery` reads `gallery_url`.

`python -m serving.settings_page` writes this page from the class `Settings` in
[serving/settings.py](../serving/settings.py). Do not edit it by hand.

| variable | type | default | bounds | description |
| --- | --- | --- | --- | --- |
"""
REST: Final = """
## Settings of the drawing page

`make ui` and `make run` read these. All but `API_KEY` and `PUBLIC_API_ADDRESS` are also options of `python -m ui`, which take
precedence.

| variable | default | description |
| --- | --- | --- |
| `API_ADDRESS` | `http://127.0.0.1:3000` | Address at which the page calls the API. |
| `PUBLIC_API_ADDRESS` | `API_ADDRESS` | Address of the API in the code examples: that of visitors, if the page has another. |
| `API_KEY` | not set | API key that the page sends as a bearer token. |
| `HOST` | `127.0.0.1` | Address the page listens on. |
| `UI_PORT` | `8501` | Port the page listens on. |
| `UI_HOSTS` | not set | Host names the page answers under besides `localhost` and IP addresses, separated by commas. |

## Settings of the libraries

| variable | default | description |
| --- | --- | --- |
| `BENTOML_HOME` | `~/bentoml` | Folder of BentoML's model store and of `gallery.db`. |
| `TMPDIR` | `/tmp` | Folder in which the processes of one service share their files. |
"""


def page() -> str:
    """The text of docs/settings.md: a row with type, default, bounds and description for each setting."""
    properties: dict[str, dict[str, Any]] = Settings.model_json_schema()["properties"]
    rows = (" | ".join((f"| `{name.upper()}`", *_cells(schema))) + " |\n" for name, schema in properties.items())
    return INTRODUCTION + "".join(rows) + REST


def _cells(schema: dict[str, Any]) -> tuple[str, str, str, str]:
    """Type, default, bounds and description from the JSON schema of one setting."""
    typed = next((one for one in schema.get("anyOf", ()) if one["type"] != "null"), schema)
    kind = "path" if typed.get("format") == "path" else TYPES[typed["type"]]
    if "enum" in typed:
        kind = ", ".join(f"`{choice}`" for choice in typed["enum"])
    return kind, _default(schema), _bounds(typed), schema["description"]


def _default(schema: dict[str, Any]) -> str:
    value = schema.get("default")
    if value is None or value == []:
        return "not set"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _bounds(typed: dict[str, Any]) -> str:
    """Bounds in words: "1 to 256", "more than 0, at most 600", "1 to 63 characters", or "-"."""
    if "exclusiveMinimum" in typed:
        return f"more than {typed['exclusiveMinimum']:g}, at most {typed['maximum']:g}"
    if "minimum" in typed:
        return f"{typed['minimum']:,} to {typed['maximum']:,}"
    if "maxLength" in typed:
        return f"{typed['minLength']} to {typed['maxLength']} characters"
    if "minLength" in typed:
        return "not empty"
    return "-"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
