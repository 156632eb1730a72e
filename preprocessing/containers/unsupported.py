"""What a file is that is not read, by its content, and what to do with it."""

import base64
import re
from typing import Final, NamedTuple

HEAD_BYTES: Final = 4096


class Kind(NamedTuple):
    """What it is, and what to do instead of sending it."""

    name: str
    advice: str


_CONVERT: Final = "Convert it to PNG or JPEG."
_PICTURE_OF_PAGE: Final = "Send a picture of the page: export it as PNG, or take a screenshot."
_STILL: Final = "Send one picture of it as PNG or JPEG."
_UNPACK: Final = "Unpack it and send the picture itself."
_NO_PICTURE: Final = "Send the bytes of the picture."
_BINARY: Final = "Read the file as bytes and send it unchanged."
_HEIC: Final = Kind(
    "a HEIC photo", "Set the iPhone camera to Most Compatible (Settings, Camera, Formats), or convert the photo to JPEG."
)
_AVIF: Final = Kind("an AVIF image", _CONVERT)
_VIDEO: Final = Kind("a video", _STILL)
_AUDIO: Final = Kind("a sound file", _NO_PICTURE)
_TIFF: Final = Kind("a TIFF image or a camera's raw file", "Export it as JPEG or PNG.")
_JPEG_2000: Final = Kind("a JPEG 2000 image", _CONVERT)
_JPEG_XL: Final = Kind("a JPEG XL image", _CONVERT)
_ICON: Final = Kind("an ICO icon", _CONVERT)
_AS_TEXT: Final = "a file that was read as text, which destroyed it"

# The first bytes, in order: what begins with a longer signature comes first.
_SIGNATURES: Final[tuple[tuple[bytes, Kind], ...]] = (
    (b"\x89PNG", Kind("a PNG whose line ends were changed on the way", "Send the file as binary data.")),
    (b"\xef\xbf\xbdPNG", Kind(f"a PNG, {_AS_TEXT}", _BINARY)),
    (b"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", Kind(_AS_TEXT, _BINARY)),
    (b"\xc2\x89PNG", Kind(f"a PNG, {_AS_TEXT}", _BINARY)),
    (b"\xc3\xbf\xc3\x98\xc3\xbf", Kind(f"a JPEG, {_AS_TEXT}", _BINARY)),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _JPEG_XL),
    (b"\xff\x0a", _JPEG_XL),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _JPEG_2000),
    (b"\xff\x4f\xff\x51", _JPEG_2000),
    (b"II*\0", _TIFF),
    (b"MM\0*", _TIFF),
    (b"II+\0", _TIFF),
    (b"MM\0+", _TIFF),
    (b"FUJIFILMCCD-RAW", _TIFF),
    (b"8BPS", Kind("a Photoshop file", "Export it as PNG or JPEG.")),
    (b"gimp xcf", Kind("a GIMP file", "Export it as PNG or JPEG.")),
    (b"%PDF", Kind("a PDF document", _PICTURE_OF_PAGE)),
    (b"%!PS", Kind("a PostScript document", _PICTURE_OF_PAGE)),
    (b"PK\x03\x04", Kind("a ZIP archive or an Office document", _UNPACK)),
    (b"PK\x05\x06", Kind("an empty ZIP archive", _UNPACK)),
    (b"\x1f\x8b", Kind("a gzip archive", _UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", Kind("a 7-Zip archive", _UNPACK)),
    (b"Rar!\x1a\x07", Kind("a RAR archive", _UNPACK)),
    (b"BZh", Kind("a bzip2 archive", _UNPACK)),
    (b"\xfd7zXZ\0", Kind("an XZ archive", _UNPACK)),
    (b"\x1a\x45\xdf\xa3", Kind("a WebM or Matroska video", _STILL)),
    (b"FLV\x01", _VIDEO),
    (b"\0\0\x01\xba", _VIDEO),
    (b"\0\0\x01\xb3", _VIDEO),
    (b"\0\0\1\0", _ICON),
    (b"\0\0\2\0", _ICON),
    (b"icns", _ICON),
    (b"OggS", _AUDIO),
    (b"ID3", _AUDIO),
    (b"fLaC", _AUDIO),
    (b"qoif", Kind("a QOI image", _CONVERT)),
    (b"DDS ", Kind("a DDS texture", _CONVERT)),
    (b"v/1\x01", Kind("an OpenEXR image", _CONVERT)),
    (b"#?RADIANCE", Kind("a Radiance HDR image", _CONVERT)),
    (b"SIMPLE  =", Kind("a FITS image", _CONVERT)),
    (b"\x01\xda", Kind("an SGI image", _CONVERT)),
    (b"\xd7\xcd\xc6\x9a", Kind("a Windows metafile", _CONVERT)),
    (b"\x93NUMPY", Kind("a NumPy array", "Save it as PNG, for example with PIL.Image.fromarray.")),
    (b"\0\0\x08\x01", Kind("a file of the MNIST data set", "Send one of its pictures as PNG.")),
    (b"\0\0\x08\x03", Kind("a file of the MNIST data set", "Send one of its pictures as PNG.")),
    (b"SQLite format 3\0", Kind("a database", _NO_PICTURE)),
    (b"\x7fELF", Kind("a program", _NO_PICTURE)),
    (b"MZ", Kind("a program", _NO_PICTURE)),
)
_BRANDS: Final = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"), _HEIC),
    **dict.fromkeys((b"avif", b"avis"), _AVIF),
    b"crx ": _TIFF,
    b"M4A ": _AUDIO,
}
_RIFF: Final = {b"AVI ": Kind("an AVI video", _STILL), b"WAVE": _AUDIO}
# Text at first, and then bytes of a picture.
_MIXED: Final[tuple[tuple[re.Pattern[bytes], Kind], ...]] = (
    (re.compile(rb"P[1-7]\s"), Kind("a PNM image", _CONVERT)),
    (
        re.compile(rb"--[^\r\n]{1,200}\r?\n[^\0]{0,300}content-disposition", re.I),
        Kind("a multipart form", "Send it with the header Content-Type: multipart/form-data and its boundary."),
    ),
)
_TEXTS: Final[tuple[tuple[re.Pattern[str], Kind], ...]] = (
    (
        re.compile(r"data:[\w./+-]*[;,]", re.I),
        Kind(
            "a data: URL, which is text",
            'Decode what is behind its comma from base64 and send the bytes, or send JSON: {"image": "data:..."}.',
        ),
    ),
    (
        re.compile(r"(?:https?|ftp|file|s3|gs|blob):/?/?\S", re.I),
        Kind("an address", "Addresses are never fetched: download the picture and send its bytes."),
    ),
    (re.compile(r"(?:<\?xml|<!--|<!doctype svg|\s)[^\0]{0,3000}<svg[\s>]|<svg[\s>]", re.I), Kind("an SVG drawing", _CONVERT)),
    (re.compile(r"<!doctype html|<html|<head|<body", re.I), Kind("an HTML page", "Send the picture, not the page it is on.")),
    (re.compile(r"<\?xml|<[a-z]", re.I), Kind("an XML document", _NO_PICTURE)),
    (
        re.compile(r"[\[{]\s*[\"\]}\[{\d-]"),
        Kind("JSON", "Send it with the header Content-Type: application/json, or send the bytes of the picture."),
    ),
    (re.compile(r"(?:image|file|images)=\S", re.I), Kind("a form in the URL encoding", "Send it as multipart/form-data.")),
    (
        re.compile(r"(?:/|\./|~/|[A-Za-z]:\\)\S+\.\w{2,5}\s*$"),
        Kind("the name of a file", "Send its content: curl -F image=@NAME."),
    ),
)
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]{24,}")
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_ENCODED: Final = Kind(
    "base64 text", 'Decode it and send the bytes, or send JSON: {"image": "..."} with Content-Type: application/json.'
)
_TEXT: Final = Kind("text", _NO_PICTURE)
_MARKS: Final = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def explain(data: bytes) -> str:
    """What ``data`` is, as far as its first ``HEAD_BYTES`` tell, and what to send instead."""
    kind = recognise(data[:HEAD_BYTES]) or Kind("of no known format", _NO_PICTURE)
    return f"The content is {kind.name}. {kind.advice} PNG, JPEG, WebP, BMP and GIF are read."


def recognise(head: bytes) -> Kind | None:
    """What begins with ``head``, or None where nothing tells."""
    if not head:
        return Kind("empty", _NO_PICTURE)
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], Kind("a RIFF file", _NO_PICTURE))
    if head[128:132] == b"DICM":
        return Kind("a DICOM image", _CONVERT)
    if head[4:8] in (b"moov", b"mdat", b"free", b"wide"):
        return _VIDEO
    for pattern, kind in _MIXED:
        if pattern.match(head):
            return kind
    return _of_text(head)


def _of_brands(head: bytes) -> Kind:
    """What a file of the ISO base media format is: its major brand tells, or else those it is compatible with."""
    length = min(int.from_bytes(head[:4], "big"), 256)
    kinds = [_BRANDS[brand] for at in (8, *range(16, length, 4)) if (brand := head[at : at + 4]) in _BRANDS]
    return next((kind for kind in kinds if kind is not _HEIC), kinds[0] if kinds else _VIDEO)


def _of_text(head: bytes) -> Kind | None:
    encoding = next((name for mark, name in _MARKS.items() if head.startswith(mark)), "utf-8")
    text = head.decode(encoding, "ignore")
    controls = sum(character < " " and character not in "\t\n\r\f\x1b" for character in text)
    if encoding == "utf-8" and (controls or len(text.encode()) < len(head) - 3):
        return None
    text = text.strip()
    for pattern, kind in _TEXTS:
        if pattern.match(text):
            return kind
    return _ENCODED if _holds_base64(head) else _TEXT


def _holds_base64(head: bytes) -> bool:
    """Whether it is base64 of something that is not text itself."""
    compact = b"".join(head.split()).rstrip(b"=").translate(_URL_SAFE)
    if not _BASE64.fullmatch(compact):
        return False
    return not base64.b64decode(compact[: len(compact) // 4 * 4]).isascii()
