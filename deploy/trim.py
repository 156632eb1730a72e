#!/usr/bin/env python3
"""Makes the images smaller and their start faster; runs while they are built, with nothing but the standard library.

``trim.py api FOLDER`` and ``trim.py page FOLDER``: remove from a virtual environment what the process of this image never
imports, and compile the rest. FOLDER/trimmed.json says how many bytes each entry of the lists below removed. tests/containers
checks that all that is left still works.

``trim.py base``: remove the installers of the base image's own Python, and compile its standard library, of which the official
image has no byte code.
"""

import compileall
import csv
import json
import py_compile
import re
import shutil
import struct
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

# Distributions to remove whole.
PACKAGES: Final = {
    "api": {
        "pip": "installs packages",
        "setuptools": "builds packages",
    },
    "page": {
        "pip": "installs packages",
        "setuptools": "builds packages",
        "pyarrow": "transfers tables to the browser, of which the page has none",
        "altair": "draws charts, of which the page has none",
        "pydeck": "draws maps, of which the page has none",
    },
}

# Patterns of files and folders in site-packages to remove from either image.
FILES: Final = {
    "onnxruntime/capi/libonnxruntime.so.*": "the library for C programs; the Python module contains the same code",
    "onnxruntime/transformers": "optimizes graphs",
    "onnxruntime/quantization": "quantizes models",
    "onnxruntime/tools": "converts models",
    "numpy/f2py": "compiles Fortran",
    "numpy/distutils": "builds packages",
    "numpy/_core/_simd.*": "tests",
    "pygments/lexers/[!_]*.py": "colours the source code of other languages than Python",
    "PIL/_imagingcms.*": "applies colour profiles, which are removed from files",
    "pillow.libs/liblcms2-*": "applies colour profiles, which are removed from files",
    "PIL/_avif.*": "decodes AVIF, which is not accepted",
    "pillow.libs/libavif-*": "decodes AVIF, which is not accepted",
    "sqlalchemy/testing": "tests",
    "alembic/testing": "tests",
    "**/tests": "tests",
    "**/test": "tests",
    "**/*.pyi": "types",
    "**/*.pyx": "source code of compiled modules",
    "**/*.pxd": "source code of compiled modules",
    "**/*.[ch]": "source code of compiled modules",
    "**/*.hpp": "source code of compiled modules",
    "**/*.a": "libraries for linkers",
}
# What of the environment's bin/ remains besides Python.
PROGRAMS: Final = ("bentoml",)
KEPT: Final = ("pygments/lexers/python.py",)

SYMBOLS: Final = "debug information and symbols of shared libraries"
ELF_64_LITTLE_ENDIAN: Final = b"\x7fELF\x02\x01"
ELF_HEADER_BYTES: Final = 64

# Debian's place for the wheels of pip.
WHEELS: Final = Path("/usr/share/python-wheels")
# Parts of the standard library that no server imports.
UNUSED_STANDARD: Final = re.compile(r"/(test|idlelib|lib2to3|tkinter|turtledemo|distutils|pydoc_data|(site|dist)-packages)/")


def installed_files(site: Path, package: str) -> Iterator[Path]:
    """The files of an installed distribution, by its RECORD; none if it is not installed."""
    for record in site.glob(f"{package}-*.dist-info/RECORD"):
        with record.open(encoding="utf-8", newline="") as lines:
            yield from [site / row[0] for row in csv.reader(lines)]


def remove(paths: Iterable[Path]) -> int:
    """Remove files and folders; returns how many bytes they had."""
    size = 0
    for path in paths:
        files = [path] if not path.is_dir() else [each for each in path.rglob("*") if each.is_file()]
        size += sum(each.lstat().st_size for each in files if each.is_file())
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return size


def remove_symbols(file: Path) -> int:
    """Remove debug information and symbol tables from a shared library (64-bit little-endian ELF), of which uvloop's is nine
    tenths; returns how many bytes they had.

    The loader reads the segments of the program header alone. All that follows the last segment is for debuggers and linkers.
    """
    with file.open("r+b") as library:
        header = library.read(ELF_HEADER_BYTES)
        if header[:6] != ELF_64_LITTLE_ENDIAN or len(header) < ELF_HEADER_BYTES:
            return 0
        (table,) = struct.unpack_from("<Q", header, 32)
        entry_bytes, entries = struct.unpack_from("<HH", header, 54)
        library.seek(table)
        segments = [library.read(entry_bytes) for _ in range(entries)]
        # Of a segment: offset at byte 8 and bytes in the file at byte 32.
        ends = [sum(struct.unpack_from("<Q", segment, 8) + struct.unpack_from("<Q", segment, 32)) for segment in segments]
        size, end = file.stat().st_size, max(ends, default=0)
        if not max(table + entry_bytes * entries, ELF_HEADER_BYTES) <= end < size:
            return 0
        library.seek(40)
        library.write(bytes(8))  # where the section headers were
        library.seek(60)
        library.write(bytes(4))  # their number, and which of them has their names
        library.truncate(end)
    return size - end


def remove_empty_folders(site: Path) -> None:
    """Remove the folders that have no files left."""
    for folder in sorted((path for path in site.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def trim(image: str, environment: Path) -> dict[str, int]:
    """Remove all that an image does not need from a virtual environment; returns the bytes that each entry removed."""
    (site,) = environment.glob("lib/python3.*/site-packages")
    kept = {site / name for name in KEPT}
    report = {package: remove(installed_files(site, package)) for package in PACKAGES[image]}
    for pattern in FILES:
        report[pattern] = remove(path for path in sorted(site.glob(pattern)) if path not in kept)
    report[SYMBOLS] = sum(remove_symbols(path) for path in site.rglob("*.so*") if path.is_file())
    remove(path for path in environment.glob("bin/*") if path.name not in PROGRAMS and not path.name.startswith("python"))
    remove_empty_folders(site)
    return report


def remove_installers() -> None:
    """Remove pip from the Python that runs this, wherever the official image and Debian have it."""
    paths = {name: Path(path) for name, path in sysconfig.get_paths().items()}
    remove([*paths["purelib"].glob("*"), *paths["scripts"].glob("pip*"), paths["stdlib"] / "ensurepip", WHEELS])


def byte_compile(folder: Path, skipped: "re.Pattern[str] | None" = None) -> None:
    """Write the byte code of all modules in a folder. Python uses it without a look at the source, which nobody can change."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(folder, quiet=2, workers=0, rx=skipped, invalidation_mode=mode)


def main() -> None:
    """Trim what the command line names."""
    if sys.argv[1:] == ["base"]:
        remove_installers()
        byte_compile(Path(sysconfig.get_path("stdlib")), UNUSED_STANDARD)
        return
    image, folder = sys.argv[1], Path(sys.argv[2])
    report = trim(image, folder)
    byte_compile(folder / "lib")
    (folder / "trimmed.json").write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
