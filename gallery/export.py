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
SUFFIXES: Final = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}
CHUNK: Final = 65_536
SPOOLED: Final = 1_048_576
PLAIN: Final = " -_"
READABLE: Final = 0o644 << 16


def archive(entries: Iterable[Entry], document: Callable[[Entry], dict[str, Any]]) -> Iterator[bytes]:
    """The ZIP file in pieces of about ``CHUNK`` bytes, holding one picture at a time: LABEL/ID.png (.jpg, .webp), the label
    being the correction where there is one, and manifest.json, a list of what ``document`` says of each entry and, as ``file``,
    where its picture is."""
    outlet = _Outlet()
    with (
        SpooledTemporaryFile(SPOOLED) as manifest,
        zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as pack,
    ):
        separator = b"["
        for entry in entries:
            file = str(PurePosixPath(folder_name(entry.corrected or entry.label), f"{entry.id}{SUFFIXES[entry.media_type]}"))
            manifest.write(separator + json.dumps({**document(entry), "file": file}, ensure_ascii=False).encode())
            separator = b",\n"
            yield from _packed(
                _member(file, entry.created.timetuple()[:6], len(entry.image)), io.BytesIO(entry.image), pack, outlet
            )
        manifest.write(b"[]" if separator == b"[" else b"]")
        info = _member(MANIFEST, zipfile.ZipInfo().date_time, manifest.tell())
        manifest.seek(0)
        yield from _packed(info, manifest, pack, outlet)
    yield outlet.take()


def folder_name(label: str) -> str:
    """A folder's name for any label, percent-encoded where it is not letters and digits: ``urllib.parse.unquote`` undoes it."""
    name = "".join(one if one.isalnum() or one in PLAIN else _percent(one) for one in label)
    return name if name == name.strip() else "".join(map(_percent, label))  # some systems drop a space at the end


class _Outlet(io.RawIOBase):
    """What a ZIP file is written to: nothing but what was not taken yet."""

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


def _packed(info: zipfile.ZipInfo, content: IO[bytes], pack: zipfile.ZipFile, outlet: _Outlet) -> Iterator[bytes]:
    """Write one member into the ZIP file and give the pieces."""
    with pack.open(info, "w") as member:
        while chunk := content.read(CHUNK):
            member.write(chunk)
            if outlet.size >= CHUNK:
                yield outlet.take()
    yield outlet.take()


def _member(file: str, date: tuple[int, ...], size: int) -> zipfile.ZipInfo:
    """A file of ``size`` bytes in the ZIP file."""
    info = zipfile.ZipInfo(file, date)  # type: ignore[arg-type]  # six numbers
    info.compress_type, info.external_attr, info.file_size = zipfile.ZIP_DEFLATED, READABLE, size
    return info


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
