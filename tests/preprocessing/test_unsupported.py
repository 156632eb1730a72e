"""Unsupported files are rejected with their type, detected from the content, and advice."""

import base64
import gzip
import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from preprocessing import UnsupportedImage, decode
from tests.support.pictures import digit, encoded

SEVEN = digit("7").convert("RGB")
PNG = encoded(SEVEN)
JPEG = encoded(SEVEN, "JPEG")


def ftyp(brand: bytes, *compatible: bytes) -> bytes:
    """The first box of a file of the ISO base media format."""
    content = b"ftyp" + brand + bytes(4) + b"".join(compatible)
    return (4 + len(content)).to_bytes(4, "big") + content + bytes(500)


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("7.png", PNG)
    return buffer.getvalue()


def array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((28, 28), np.uint8))
    return buffer.getvalue()


FILES: dict[str, tuple[bytes, str, str]] = {
    "nothing": (b"", "is empty", "Send the bytes of the picture"),
    "HEIC": (ftyp(b"heic", b"mif1", b"heic"), "a HEIC photo", "Set the iPhone camera to Most Compatible"),
    "HEIF of any brand": (ftyp(b"mif1", b"mif1", b"heic"), "a HEIC photo", "or convert the photo to JPEG"),
    "AVIF": (ftyp(b"avif", b"avif", b"mif1", b"miaf"), "an AVIF image", "Convert it to PNG or JPEG"),
    "AVIF whose major brand is another": (ftyp(b"mif1", b"avif"), "an AVIF image", "Convert it"),
    "MP4": (ftyp(b"isom", b"isom", b"mp41"), "a video", "Send one picture of it"),
    "MOV": (ftyp(b"qt  ", b"qt  "), "a video", "Send one picture of it"),
    "old MOV": (b"\0\0\0\x08wide" + bytes(99), "a video", "Send one picture of it"),
    "WebM": (b"\x1a\x45\xdf\xa3" + bytes(99), "a WebM", "Send one picture of it"),
    "AVI": (b"RIFF\0\1\0\0AVI LIST" + bytes(99), "an AVI video", "Send one picture of it"),
    "WAV": (b"RIFF\0\1\0\0WAVEfmt " + bytes(99), "a sound file", "Send the bytes"),
    "TIFF": (encoded(SEVEN, "TIFF"), "a TIFF image", "Export it as JPEG or PNG"),
    "BigTIFF": (b"II+\0\x08\0\0\0" + bytes(99), "a TIFF image", "Export it"),
    "a raw file of a camera": (ftyp(b"crx ", b"crx ", b"isom"), "a camera's raw file", "Export it"),
    "JPEG 2000": (encoded(SEVEN, "JPEG2000"), "a JPEG 2000 image", "Convert it"),
    "JPEG XL": (b"\xff\x0a" + bytes(99), "a JPEG XL image", "Convert it"),
    "JPEG XL in a box": (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), "a JPEG XL image", "Convert it"),
    "ICO": (encoded(SEVEN, "ICO"), "an ICO icon", "Convert it"),
    "PSD": (b"8BPS\0\1" + bytes(99), "a Photoshop file", "Export it"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3", "a PDF document", "export it as PNG, or take a screenshot"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a PostScript document", "take a screenshot"),
    "PPM": (encoded(SEVEN, "PPM")[:20], "a PNM image", "Convert it"),
    "DICOM": (bytes(128) + b"DICM" + bytes(99), "a DICOM image", "Convert it"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9"/></svg>', "an SVG drawing", "Convert it"),
    "SVG behind a prolog": (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- made by hand -->\n<svg>', "an SVG drawing", "Convert it"),
    "XML": (b'<?xml version="1.0"?><note/>', "an XML document", "Send the bytes"),
    "HTML": (b"\n<!DOCTYPE html><html><img src=7.png></html>", "an HTML page", "not the page it is on"),
    "JSON": (json.dumps({"image": "x"}).encode(), "JSON", "Content-Type: application/json"),
    "pixels as JSON": (b"[[0, 0, 255], [0, 1, 2]]", "JSON", "Content-Type: application/json"),
    "ZIP": (zipped(), "a ZIP archive", "Unpack it"),
    "gzip": (gzip.compress(PNG), "a gzip archive", "Unpack it"),
    "a NumPy array": (array(), "a NumPy array", "PIL.Image.fromarray"),
    "MNIST": (b"\0\0\x08\x03\0\0\x27\x10" + bytes(99), "MNIST", "Send one of its pictures"),
    "a data: URL": (b"data:image/png;base64," + base64.b64encode(PNG), "a data: URL", '"image": "data:...'),
    "base64": (base64.b64encode(PNG), "base64 text", "Decode it and send the bytes"),
    "base64 of a JPEG, in lines": (base64.encodebytes(JPEG), "base64 text", "Decode it"),
    "base64 for URLs": (base64.urlsafe_b64encode(JPEG).rstrip(b"="), "base64 text", "Decode it"),
    "an address": (b"https://example.org/7.png", "an address", "Addresses are never fetched"),
    "a file's address": (b"file:///etc/passwd", "an address", "Addresses are never fetched"),
    "a form": (b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\n' + PNG, "a multipart form", "multipart/form-data"),
    "a form in a URL": (b"image=iVBORw0KGgo", "a form in the URL encoding", "multipart/form-data"),
    "the name of a file": (b"/home/me/7.png", "the name of a file", "curl -F"),
    "text": ("Eine Sieben, größer als die andere.".encode(), "text", "Send the bytes"),
    "text in UTF-16": ("a seven".encode("utf-16"), "text", "Send the bytes"),
    "a PNG after a change of line ends": (PNG.replace(b"\r\n", b"\n"), "line ends were changed", "as binary data"),
    "a PNG that was read as text": (PNG.decode("utf-8", "replace").encode(), "read as text", "Read the file as bytes"),
    "a PNG that was read as Latin-1": (PNG.decode("latin-1").encode(), "read as text", "Read the file as bytes"),
    "a JPEG that was read as text": (JPEG.decode("utf-8", "replace").encode(), "read as text", "Read the file as bytes"),
    "NULs": (bytes(500), "of no known format", "Send the bytes"),
    "noise": (np.random.default_rng(0).bytes(500), "of no known format", "Send the bytes"),
    "two letters of a BMP": (b"BMW, a car", "text", "Send the bytes"),
}


@pytest.mark.parametrize("name", FILES)
def test_unsupported_type_is_named_with_advice(name: str) -> None:
    data, what, advice = FILES[name]
    with pytest.raises(UnsupportedImage) as caught:
        decode(data)
    message = str(caught.value)
    assert message.startswith("The content is ") and what in message and advice in message
    assert message.endswith("PNG, JPEG, WebP, BMP and GIF are supported.")
    with pytest.raises(UnsupportedImage):
        decode(memoryview(data))


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode), st.text("<{[/:.=Pd \n0").map(str.encode)))
@settings(max_examples=50)
def test_any_content_is_described_in_one_sentence(data: bytes) -> None:
    try:
        decode(data)
    except UnsupportedImage as error:
        assert "\n" not in str(error) and len(str(error)) < 400
    except Exception as error:
        assert type(error).__module__.startswith("preprocessing")


def test_long_texts_are_rejected() -> None:
    for data in (b"a" * 10_000_000, b"<" * 10_000_000, b" " * 10_000_000, b"<?xml" + b" " * 10_000_000, b"--" * 5_000_000):
        with pytest.raises(UnsupportedImage):
            decode(data)


def test_other_image_formats_are_not_decoded() -> None:
    for format in ("TGA", "PCX", "SGI", "DDS"):
        with pytest.raises(UnsupportedImage):
            decode(encoded(Image.new("RGB", (9, 9)), format))
