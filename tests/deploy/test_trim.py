"""Trimming of an image's packages: whole distributions, patterns, and the symbols of shared libraries."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import uvloop.loop

from deploy.trim import FILES, KEPT, PACKAGES, SYMBOLS, remove_symbols, trim

LIBRARY = Path(uvloop.loop.__file__)


def write(file: Path, text: str = "12345") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment with pip, and with files that are and are not in the lists."""
    site = tmp_path / "lib/python3.11/site-packages"
    write(site / "pip/__init__.py")
    write(tmp_path / "bin/pip")
    write(site / "pip-23.0.dist-info/RECORD", "pip/__init__.py,,\npip-23.0.dist-info/RECORD,,\n../../../bin/pip,,\n")
    for name in ("numpy/tests/data/a.npy", "numpy/f2py/a.py", "numpy/a.h", "numpy/a.py", *KEPT, "pygments/lexers/ruby.py"):
        write(site / name)
    write(tmp_path / "bin/bentoml")
    write(tmp_path / "bin/python3")
    write(tmp_path / "bin/other")
    return tmp_path


def test_what_is_listed_is_removed_and_counted(environment: Path) -> None:
    report = trim("api", environment)
    files = {str(path.relative_to(environment)) for path in environment.rglob("*") if path.is_file()}
    site = "lib/python3.11/site-packages"
    assert files == {"bin/bentoml", "bin/python3", f"{site}/numpy/a.py", *(f"{site}/{name}" for name in KEPT)}
    assert not (environment / site / "pip").exists()
    assert list(report) == [*PACKAGES["api"], *FILES, SYMBOLS]
    assert report["numpy/f2py"] == report["**/tests"] == report["**/*.[ch]"] == report["pygments/lexers/[!_]*.py"] == 5
    assert report["pip"] > 10


def test_shared_library_without_symbols_is_smaller_and_still_works(tmp_path: Path) -> None:
    package = shutil.copytree(LIBRARY.parent, tmp_path / "uvloop", ignore=shutil.ignore_patterns("__pycache__"))
    library = package / LIBRARY.name
    before = library.stat().st_size
    removed = remove_symbols(library)
    assert removed > before / 2
    assert library.stat().st_size == before - removed
    code = "import asyncio, uvloop; uvloop.install(); print(uvloop.__file__, type(asyncio.new_event_loop()).__module__)"
    command = [sys.executable, "-W", "ignore", "-c", code]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == [str(package / "__init__.py"), "uvloop"]
    assert remove_symbols(library) == 0


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\x7fELF\x02\x01", b"\x7fELF\x02\x01" + bytes(58), b"\x7fELF\x01\x01" + bytes(100)]
)
def test_other_files_are_left_as_they_are(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.so"
    file.write_bytes(content)
    assert remove_symbols(file) == 0
    assert file.read_bytes() == content
