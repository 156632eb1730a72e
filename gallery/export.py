"""Exports a gallery as a streamed ZIP file for training: a folder per label, and a manifest with all fields."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from gallery.tables import Entry

MANIFEST: Final = "manifest.json"
SUFFIXES: Final = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}
CHUNK: Final = 65_536
MAX_MANIFEST_IN_MEMORY: Final = 1_048_576
SAFE_PUNCTUATION: Final = " -_"
MAX_NAME_BYTES: Final = 200  # file systems allow 255
FILE_MODE: Final = 0o644 << 16


def zip_entries(entries: Iterable[Entry], document: Callable[[Entry], dict[str, Any]]) -> Iterator[bytes]:
    """Write entries to a ZIP file, yielded in chunks of about ``CHUNK`` bytes with one image in memory at a time.

    It has LABEL/ID.png (.jpg, .webp), where the label is the correction if there is one, and manifest.json: a list with the
    ``document`` of each entry and the path of its image as ``file``.
    """
    buffer = _Buffer()
    with (
        SpooledTemporaryFile(MAX_MANIFEST_IN_MEMORY) as manifest,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        separator = b"["
        for entry in entries:
            file = str(PurePosixPath(folder_name(entry.corrected or entry.label), f"{entry.id}{SUFFIXES[entry.media_type]}"))
            manifest.write(separator + json.dumps({**document(entry), "file": file}, ensure_ascii=False).encode())
            separator = b",\n"
            yield from _write_member(
                _member(file, entry.created.timetuple()[:6], len(entry.image)), io.BytesIO(entry.image), archive, buffer
            )
        manifest.write(b"[]" if separator == b"[" else b"]")
        info = _member(MANIFEST, zipfile.ZipInfo().date_time, manifest.tell())
        manifest.seek(0)
        yield from _write_member(info, manifest, archive, buffer)
    yield buffer.take()


def folder_name(label: str) -> str:
    """A folder name for any label: other characters than letters, digits, space, - and _ are percent-encoded, and a long name,
    such as of a text of several lines, ends with a digest in the place of the rest."""
    name = "".join(
        character if character.isalnum() or character in SAFE_PUNCTUATION else _percent(character) for character in label
    )
    name = name if name == name.strip() else "".join(map(_percent, label))  # some systems drop trailing spaces
    encoded = name.encode()
    if len(encoded) <= MAX_NAME_BYTES:
        return name
    return f"{encoded[:MAX_NAME_BYTES].decode(errors='ignore')}-{hashlib.sha256(encoded).hexdigest()[:16]}"


class _Buffer(io.RawIOBase):
    """A write-only stream that holds what was written since the last ``take``."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        self.size += len(self._pieces[-1])
        return len(self._pieces[-1])

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return taken


def _write_member(info: zipfile.ZipInfo, content: IO[bytes], archive: zipfile.ZipFile, buffer: _Buffer) -> Iterator[bytes]:
    """Write one file into the ZIP file, and yield the output in chunks."""
    with archive.open(info, "w") as member:
        while chunk := content.read(CHUNK):
            member.write(chunk)
            if buffer.size >= CHUNK:
                yield buffer.take()
    yield buffer.take()


def _member(file: str, date: tuple[int, ...], size: int) -> zipfile.ZipInfo:
    """The header of a file of ``size`` bytes in the ZIP file."""
    info = zipfile.ZipInfo(file, date)  # type: ignore[arg-type]  # six numbers
    info.compress_type, info.external_attr, info.file_size = zipfile.ZIP_DEFLATED, FILE_MODE, size
    return info


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
