"""The gallery as a ZIP file that training takes: a folder for each label, and a manifest that says all of every entry."""

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from gallery.tables import Entry

MANIFEST: Final = "manifest.json"
CHUNK: Final = 65_536
SPOOLED: Final = 1_048_576
PLAIN: Final = " -_"
READABLE: Final = 0o644 << 16


def archive(entries: Iterable[Entry], document: Callable[[Entry], dict[str, Any]]) -> Iterator[bytes]:
    """The ZIP file piece by piece, holding one picture at a time: LABEL/ID.png, the label being the correction where there is
    one, and manifest.json, a list of what ``document`` says of each entry and, as ``file``, where its picture is."""
    outlet = _Outlet()
    with (
        SpooledTemporaryFile(SPOOLED) as manifest,
        zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as pack,
    ):
        separator = b"["
        for entry in entries:
            file = str(PurePosixPath(folder_name(entry.corrected or entry.label), f"{entry.id}.png"))
            pack.writestr(_member(file, entry), entry.image)
            manifest.write(separator + json.dumps({**document(entry), "file": file}, ensure_ascii=False).encode())
            separator = b",\n"
            yield outlet.take()
        manifest.write(b"[]" if separator == b"[" else b"]")
        yield from _copied(manifest, pack, outlet)
    yield outlet.take()


def folder_name(label: str) -> str:
    """A folder's name for any label, percent-encoded where it is not letters and digits: ``urllib.parse.unquote`` undoes it."""
    name = "".join(one if one.isalnum() or one in PLAIN else _percent(one) for one in label)
    return name if name == name.strip() else "".join(map(_percent, label))  # some systems drop a space at the end


class _Outlet(io.RawIOBase):
    """What a ZIP file is written to: nothing but what was not taken yet."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(self._pieces[-1])

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def _copied(manifest: IO[bytes], pack: zipfile.ZipFile, outlet: _Outlet) -> Iterator[bytes]:
    """Write the manifest into the ZIP file and give the pieces."""
    info = zipfile.ZipInfo(MANIFEST)
    info.compress_type, info.external_attr, info.file_size = zipfile.ZIP_DEFLATED, READABLE, manifest.tell()
    manifest.seek(0)
    with pack.open(info, "w") as member:
        while chunk := manifest.read(CHUNK):
            member.write(chunk)
            yield outlet.take()


def _member(file: str, entry: Entry) -> zipfile.ZipInfo:
    """The entry's picture in the ZIP file, as old as the entry."""
    info = zipfile.ZipInfo(file, entry.created.timetuple()[:6])
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, READABLE
    return info


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
