"""Which files the Python processes of a service write: a hook that each of them loads at its start, and what it wrote down."""

from pathlib import Path

_HOOK = """
import os, sys

log = os.open({log!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {{f"os.{{name}}" for name in ("mkdir", "rename", "link", "symlink", "truncate", "chmod")}}

def watch(event, arguments):
    if (event == "open" and arguments[2] & WRITES) or event in CHANGES or event == "sqlite3.connect":
        if isinstance(arguments[0], (str, bytes, os.PathLike)):
            os.write(log, os.path.realpath(os.fsdecode(arguments[0])).encode() + b"\\n")

sys.addaudithook(watch)
"""


def watched(folder: Path) -> dict[str, str]:
    """The environment of processes that write down, in ``folder``, what files they write."""
    hook = folder / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(_HOOK.format(log=str(folder / "written")), encoding="utf-8")
    return {"PYTHONPATH": str(hook), "PYTHONDONTWRITEBYTECODE": "1"}


def written(folder: Path) -> set[Path]:
    """What they wrote."""
    return {Path(line) for line in (folder / "written").read_text(encoding="utf-8").splitlines()}
