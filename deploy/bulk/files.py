"""Pictures that are files in a folder, or members of a ZIP archive."""

import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from deploy.bulk.errors import InputError
from deploy.bulk.inputs import Pictures, Read, digest, is_hidden, make_listing, unreadable
from serving.errors import Problem
from serving.http.base64_images import image_too_large


@dataclass(frozen=True)
class FolderInput:
    """Every file below a folder, whatever its name ends with; sorted by path. A name is the path below the folder."""

    folder: Path

    def listing(self) -> pa.Table:
        """As ``PictureInput``."""
        found = sorted(_files_below(os.fsencode(self.folder), b""))
        # Bytes that are not UTF-8 are shown as \xNN.
        names = [path.decode("utf-8", "backslashreplace") for path, _ in found]
        return make_listing({"name": names, "path": [path for path, _ in found], "size": [size for _, size in found]})

    def fingerprint(self, listing: pa.Table) -> str:
        """As ``PictureInput``: names, sizes and times of change."""
        folder = os.fsencode(self.folder)
        times = [os.stat(os.path.join(folder, path)).st_mtime_ns for path in listing["path"].to_pylist()]  # noqa: PTH116, PTH118
        return digest([*listing["name"].to_pylist(), *listing["size"].to_pylist(), *times])

    def reader(self, max_bytes: int) -> Read:
        """As ``PictureInput``."""
        folder = os.fsencode(self.folder)

        def read(batch: pa.Table) -> Pictures:
            for path in batch["path"].to_pylist():
                yield _read_file(os.path.join(folder, path), max_bytes)  # noqa: PTH118  # bytes, as the system names it

        return read


@dataclass(frozen=True)
class ZipInput:
    """The members of a ZIP archive, in its order. A name is the path in the archive."""

    file: Path

    def listing(self) -> pa.Table:
        """As ``PictureInput``."""
        with self._open() as archive:
            found = [(index, member) for index, member in enumerate(archive.infolist()) if _is_picture(member)]
        return make_listing(
            {
                "name": [_shown(member.filename) for _, member in found],
                "index": [index for index, _ in found],
                "size": [member.file_size for _, member in found],
            }
        )

    def fingerprint(self, listing: pa.Table) -> str:
        """As ``PictureInput``: names, sizes and checksums."""
        with self._open() as archive:
            members = archive.infolist()
            chosen = [members[index] for index in listing["index"].to_pylist()]
        return digest(part for member in chosen for part in (_shown(member.filename), member.file_size, member.CRC))

    def reader(self, max_bytes: int) -> Read:
        """As ``PictureInput``."""
        archive = self._open()
        members = archive.infolist()

        def read(batch: pa.Table) -> Pictures:
            for index in batch["index"].to_pylist():
                yield _read_member(archive, members[index], max_bytes)

        return read

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.file)
        except (OSError, zipfile.BadZipFile) as error:
            raise InputError(f"{self.file} cannot be read: {error}") from error


def _read_file(path: bytes, max_bytes: int) -> bytes | Problem:
    """The bytes of a file. Asking for its size first saves a buffer of ``max_bytes`` bytes, which costs as much as the rest."""
    try:
        with open(path, "rb", buffering=0) as opened:  # noqa: PTH123
            size = os.fstat(opened.fileno()).st_size
            return image_too_large(size, max_bytes) if size > max_bytes else opened.readall()
    except OSError as error:
        return unreadable(error.strerror)


def _files_below(folder: bytes, prefix: bytes) -> Iterator[tuple[bytes, int]]:
    """Path and size of each file below a folder that is not hidden; paths begin with ``prefix`` and are bytes, as the system
    names them. Links to files are followed, links to folders are not. Without a ``Path`` for each file, which takes most of the
    time of a listing.

    Raises:
        InputError: a folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_hidden(os.fsdecode(entry.name)):
                    continue
                if entry.is_dir():
                    if not entry.is_symlink():
                        yield from _files_below(entry.path, prefix + entry.name + b"/")
                elif entry.is_file():
                    yield prefix + entry.name, entry.stat().st_size
    except OSError as error:
        raise InputError(f"{os.fsdecode(error.filename or folder)} cannot be read: {error.strerror}") from error


def _is_picture(member: zipfile.ZipInfo) -> bool:
    return not member.is_dir() and not is_hidden(member.filename)


def _shown(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, max_bytes: int) -> bytes | Problem:
    """The bytes of a member; no more than allowed are expanded, whatever size the archive claims."""
    try:
        with archive.open(member) as opened:
            data = opened.read(max_bytes + 1)
    # RuntimeError: it is encrypted. NotImplementedError, which is one: an unknown compression.
    except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        return unreadable(error)
    return data if len(data) <= max_bytes else image_too_large(max(member.file_size, len(data)), max_bytes)
