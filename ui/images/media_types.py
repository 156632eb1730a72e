"""Media types of image files, detected from their content."""

from typing import Final

# The formats that the service accepts, with the first bytes of their files.
SIGNATURES: Final = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/webp": (b"RIFF",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/bmp": (b"BM",),
}
UNKNOWN: Final = "application/octet-stream"


def media_type(data: bytes) -> str:
    """Return the media type of a file by its content; `UNKNOWN` for formats that the service does not accept."""
    for kind, signatures in SIGNATURES.items():
        if data.startswith(signatures) and (kind != "image/webp" or data[8:12] == b"WEBP"):
            return kind
    return UNKNOWN


def file_name(data: bytes) -> str:
    """Return a file name for a picture, with the suffix of its format."""
    kind = media_type(data)
    return "picture" if kind == UNKNOWN else f"picture{kind.replace('image/', '.')}"
