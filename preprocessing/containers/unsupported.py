"""Detects the type of an unsupported file from its content, for an error that says what to do."""

import base64
import re
from typing import Final, NamedTuple

HEAD_BYTES: Final = 4096


class FileType(NamedTuple):
    """A type of file, and what to do instead of sending it."""

    name: str
    advice: str


_CONVERT: Final = "Convert it to PNG or JPEG."
_SEND_PAGE_AS_IMAGE: Final = "Send a picture of the page: export it as PNG, or take a screenshot."
_SEND_FRAME: Final = "Send one picture of it as PNG or JPEG."
_UNPACK: Final = "Unpack it and send the picture itself."
_SEND_IMAGE: Final = "Send the bytes of the picture."
_BINARY: Final = "Read the file as bytes and send it unchanged."
_HEIC: Final = FileType(
    "a HEIC photo", "Set the iPhone camera to Most Compatible (Settings, Camera, Formats), or convert the photo to JPEG."
)
_AVIF: Final = FileType("an AVIF image", _CONVERT)
_VIDEO: Final = FileType("a video", _SEND_FRAME)
_AUDIO: Final = FileType("a sound file", _SEND_IMAGE)
_TIFF: Final = FileType("a TIFF image or a camera's raw file", "Export it as JPEG or PNG.")
_JPEG_2000: Final = FileType("a JPEG 2000 image", _CONVERT)
_JPEG_XL: Final = FileType("a JPEG XL image", _CONVERT)
_SVG: Final = FileType("an SVG drawing", _CONVERT)
_HTML: Final = FileType("an HTML page", "Send the picture, not the page it is on.")
_ICON: Final = FileType("an ICO icon", _CONVERT)
_AS_TEXT: Final = "a file that was read as text, which destroyed it"

# First bytes of a file, tried in this order: longer signatures come first.
_SIGNATURES: Final[tuple[tuple[bytes, FileType], ...]] = (
    (b"\x89PNG", FileType("a PNG whose line ends were changed on the way", "Send the file as binary data.")),
    (b"\xef\xbf\xbdPNG", FileType(f"a PNG, {_AS_TEXT}", _BINARY)),
    (b"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", FileType(_AS_TEXT, _BINARY)),
    (b"\xc2\x89PNG", FileType(f"a PNG, {_AS_TEXT}", _BINARY)),
    (b"\xc3\xbf\xc3\x98\xc3\xbf", FileType(f"a JPEG, {_AS_TEXT}", _BINARY)),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _JPEG_XL),
    (b"\xff\x0a", _JPEG_XL),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _JPEG_2000),
    (b"\xff\x4f\xff\x51", _JPEG_2000),
    (b"II*\0", _TIFF),
    (b"MM\0*", _TIFF),
    (b"II+\0", _TIFF),
    (b"MM\0+", _TIFF),
    (b"FUJIFILMCCD-RAW", _TIFF),
    (b"8BPS", FileType("a Photoshop file", "Export it as PNG or JPEG.")),
    (b"gimp xcf", FileType("a GIMP file", "Export it as PNG or JPEG.")),
    (b"%PDF", FileType("a PDF document", _SEND_PAGE_AS_IMAGE)),
    (b"%!PS", FileType("a PostScript document", _SEND_PAGE_AS_IMAGE)),
    (b"PK\x03\x04", FileType("a ZIP archive or an Office document", _UNPACK)),
    (b"PK\x05\x06", FileType("an empty ZIP archive", _UNPACK)),
    (b"\x1f\x8b", FileType("a gzip archive", _UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", FileType("a 7-Zip archive", _UNPACK)),
    (b"Rar!\x1a\x07", FileType("a RAR archive", _UNPACK)),
    (b"BZh", FileType("a bzip2 archive", _UNPACK)),
    (b"\xfd7zXZ\0", FileType("an XZ archive", _UNPACK)),
    (b"\x1a\x45\xdf\xa3", FileType("a WebM or Matroska video", _SEND_FRAME)),
    (b"FLV\x01", _VIDEO),
    (b"\0\0\x01\xba", _VIDEO),
    (b"\0\0\x01\xb3", _VIDEO),
    (b"\0\0\1\0", _ICON),
    (b"\0\0\2\0", _ICON),
    (b"icns", _ICON),
    (b"OggS", _AUDIO),
    (b"ID3", _AUDIO),
    (b"fLaC", _AUDIO),
    (b"qoif", FileType("a QOI image", _CONVERT)),
    (b"DDS ", FileType("a DDS texture", _CONVERT)),
    (b"v/1\x01", FileType("an OpenEXR image", _CONVERT)),
    (b"#?RADIANCE", FileType("a Radiance HDR image", _CONVERT)),
    (b"SIMPLE  =", FileType("a FITS image", _CONVERT)),
    (b"\x01\xda", FileType("an SGI image", _CONVERT)),
    (b"\xd7\xcd\xc6\x9a", FileType("a Windows metafile", _CONVERT)),
    (b"\x93NUMPY", FileType("a NumPy array", "Save it as PNG, for example with PIL.Image.fromarray.")),
    (b"\0\0\x08\x01", FileType("a file of the MNIST data set", "Send one of its pictures as PNG.")),
    (b"\0\0\x08\x03", FileType("a file of the MNIST data set", "Send one of its pictures as PNG.")),
    (b"SQLite format 3\0", FileType("a database", _SEND_IMAGE)),
    (b"\x7fELF", FileType("a program", _SEND_IMAGE)),
    (b"MZ", FileType("a program", _SEND_IMAGE)),
)
_BRANDS: Final = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"), _HEIC),
    **dict.fromkeys((b"avif", b"avis"), _AVIF),
    b"crx ": _TIFF,
    b"M4A ": _AUDIO,
}
_RIFF: Final = {b"AVI ": FileType("an AVI video", _SEND_FRAME), b"WAVE": _AUDIO}
# Files that begin with text and go on in binary.
_PATTERNS: Final[tuple[tuple[re.Pattern[bytes], FileType], ...]] = (
    (re.compile(rb"P[1-7]\s"), FileType("a PNM image", _CONVERT)),
    (
        re.compile(rb"--[^\r\n]{1,200}\r?\n[^\0]{0,300}content-disposition", re.I),
        FileType("a multipart form", "Send it with the header Content-Type: multipart/form-data and its boundary."),
    ),
)
_TEXTS: Final[tuple[tuple[re.Pattern[str], FileType], ...]] = (
    (
        re.compile(r"data:[\w./+-]*[;,]", re.I),
        FileType(
            "a data: URL, which is text",
            'Decode what is behind its comma from base64 and send the bytes, or send JSON: {"image": "data:..."}.',
        ),
    ),
    (
        re.compile(r"(?:https?|ftp|file|s3|gs|blob):/?/?\S", re.I),
        FileType("an address", "Addresses are never fetched: download the picture and send its bytes."),
    ),
    (
        re.compile(r"(?:<\?xml|<!--|<!doctype svg|\s)[^\0]{0,3000}<svg[\s>]|<svg[\s>]", re.I),
        FileType("an SVG drawing", _CONVERT),
    ),
    (
        re.compile(r"<!doctype html|<html|<head|<body", re.I),
        FileType("an HTML page", "Send the picture, not the page it is on."),
    ),
    (re.compile(r"<\?xml|<[a-z]", re.I), FileType("an XML document", _SEND_IMAGE)),
    (
        re.compile(r"[\[{]\s*[\"\]}\[{\d-]"),
        FileType("JSON", "Send it with the header Content-Type: application/json, or send the bytes of the picture."),
    ),
    (re.compile(r"(?:image|file|images)=\S", re.I), FileType("a form in the URL encoding", "Send it as multipart/form-data.")),
    (
        re.compile(r"(?:/|\./|~/|[A-Za-z]:\\)\S+\.\w{2,5}\s*$"),
        FileType("the name of a file", "Send its content: curl -F image=@NAME."),
    ),
)
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]{24,}")
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_ENCODED: Final = FileType(
    "base64 text", 'Decode it and send the bytes, or send JSON: {"image": "..."} with Content-Type: application/json.'
)
_TEXT: Final = FileType("text", _SEND_IMAGE)
_BYTE_ORDER_MARKS: Final = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def describe_unsupported(data: bytes) -> str:
    """A message with the type of ``data``, found from its first ``HEAD_BYTES``, and what to send instead."""
    file_type = detect_file_type(data[:HEAD_BYTES]) or FileType("of no known format", _SEND_IMAGE)
    return f"The content is {file_type.name}. {file_type.advice} PNG, JPEG, WebP, BMP and GIF are supported."


def detect_file_type(head: bytes) -> FileType | None:
    """The type of a file that begins with ``head``, or None where it is unknown."""
    if not head:
        return FileType("empty", _SEND_IMAGE)
    for signature, file_type in _SIGNATURES:
        if head.startswith(signature):
            return file_type
    if head[4:8] == b"ftyp":
        return _from_brands(head)
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], FileType("a RIFF file", _SEND_IMAGE))
    if head[128:132] == b"DICM":
        return FileType("a DICOM image", _CONVERT)
    if head[4:8] in (b"moov", b"mdat", b"free", b"wide"):
        return _VIDEO
    for pattern, file_type in _PATTERNS:
        if pattern.match(head):
            return file_type
    return _from_text(head)


def _from_brands(head: bytes) -> FileType:
    """The type of a file in the ISO base media format, from its major brand or else its compatible ones."""
    length = min(int.from_bytes(head[:4], "big"), 256)
    types = [_BRANDS[brand] for at in (8, *range(16, length, 4)) if (brand := head[at : at + 4]) in _BRANDS]
    return next((file_type for file_type in types if file_type is not _HEIC), types[0] if types else _VIDEO)


def _from_text(head: bytes) -> FileType | None:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if head.startswith(mark)), "utf-8")
    text = head.decode(encoding, "ignore")
    controls = sum(character < " " and character not in "\t\n\r\f\x1b" for character in text)
    if encoding == "utf-8" and (controls or len(text.encode()) < len(head) - 3):
        return None
    text = text.strip()
    for pattern, file_type in _TEXTS:
        if pattern.match(text):
            return file_type
    return _ENCODED if _holds_base64(head) else _TEXT


def _holds_base64(head: bytes) -> bool:
    """Whether it is base64 of binary data."""
    compact = b"".join(head.split()).rstrip(b"=").translate(_URL_SAFE)
    if not _BASE64.fullmatch(compact):
        return False
    return not base64.b64decode(compact[: len(compact) // 4 * 4]).isascii()
