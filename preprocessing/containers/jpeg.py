"""JPEG: parses the segments before the first scan (a decoder needs tables, frame, JFIF and Adobe), and counts the scans."""

import re
import struct
from typing import Final

from preprocessing.containers.exif import PREFIX, UPRIGHT, orientation
from preprocessing.containers.stripped import StrippedImage, corrupt_header
from preprocessing.errors import UndecodableImage

SIGNATURE: Final = b"\xff\xd8\xff"
# Encoders write about ten scans. Each is a pass over all coefficients, however few bytes it has.
MAX_SCANS: Final = 64
# A colour profile has up to 255 segments, a phone's depth map about 100, and each of 64 scans a few tables.
MAX_SEGMENTS: Final = 1024
# So many samples of a scan without data take as long as decoding a pixel.
SAMPLES_PER_PIXEL: Final = 16
# Bytes that are searched for a marker at a time, because a search holds the GIL.
WINDOW: Final = 262_144
# Four tables of 64 values of 16 bits.
_MAX_QUANTISATION: Final = 2 + 4 * 129
# A marker is a byte after 0xFF that is neither a fill byte (0xFF) nor the zero that escapes a 0xFF in the data.
_MARKER: Final = re.compile(rb"\xff([^\x00\xff])")
# A decoder that looks for the end of a scan's data skips markers below 0xC0 and restart markers.
_SCAN_END: Final = re.compile(rb"\xff([\xc0-\xcf\xd8-\xfe])")
_LENGTH: Final = struct.Struct(">H")
_FRAME: Final = struct.Struct(">BHHB")
_FRAMES: Final = frozenset((0xC0, 0xC1, 0xC2))
_RARE_FRAMES: Final = frozenset((*range(0xC3, 0xD0), 0xDE)) - {0xC4, 0xC8, 0xCC}
SCAN, END, QUANTISATION, EXIF = 0xDA, 0xD9, 0xDB, 0xE1
# DHT, DAC, DQT, DNL, DRI, JFIF and Adobe.
_NEEDED: Final = frozenset((0xC4, 0xCC, QUANTISATION, 0xDC, 0xDD, 0xE0, 0xEE)) | _FRAMES
_BARE: Final = frozenset((0x01, *range(0xD0, 0xD9)))
_APPLICATION: Final = frozenset((*range(0xE0, 0xF0), 0xFE))


class _Frame:
    """A frame header: the size, and the number of samples of each component, by its identifier."""

    def __init__(self, content: bytes) -> None:
        if len(content) < _FRAME.size:
            raise corrupt_header("JPEG")
        _, self.height, self.width, count = _FRAME.unpack_from(content)
        components = [content[at : at + 3] for at in range(_FRAME.size, len(content), 3)]
        if len(components) != count or count > 4 or len(content) != _FRAME.size + 3 * count:
            raise corrupt_header("JPEG")
        across = max((factors >> 4 for _, factors, _ in components), default=0)
        down = max((factors & 15 for _, factors, _ in components), default=0)
        if not across or not down:
            raise corrupt_header("JPEG")
        self.samples: dict[int, int] = {}
        for identifier, factors, _ in components:
            blocks = _blocks(self.width * (factors >> 4), across) * _blocks(self.height * (factors & 15), down)
            self.samples[identifier] = max(64 * blocks, self.samples.get(identifier, 0))

    def of_scan(self, header: bytes) -> int:
        """The number of samples of a scan with this header."""
        most = max(self.samples.values())
        return sum(self.samples.get(identifier, most) for identifier in header[1 : 1 + 2 * header[0] : 2]) if header else 0


def matches(data: bytes) -> bool:
    """Whether ``data`` begins like a JPEG."""
    return data.startswith(SIGNATURE)


def strip(data: bytes) -> StrippedImage:
    """The JPEG without EXIF, profiles, comments, other application data and fill bytes before its first scan.

    Further images in the file (MPO) and anything else after its end are not parsed.

    Raises:
        UndecodableImage: an unsupported type of JPEG, a second frame, no scan, or more segments or scans than encoders write.
    """
    kept: list[bytes] = [data[:2]]
    frame: _Frame | None = None
    turn: int | None = None
    at, end, parts, whole = 2, len(data), 0, True
    while (start := _find(_MARKER, data, at)) >= 0:
        marker = data[start + 1]
        whole &= start == at
        if marker in _BARE:
            whole, at = False, start + 2
            continue
        parts += 1
        following = _end_of_segment(data, start, end)
        if marker == SCAN:
            if frame is None:
                raise corrupt_header("JPEG")
            samples, more = _scans(data, start, frame, parts)
            if not whole:
                data = b"".join((*kept, data[start:]))
            work = max(frame.width * frame.height, samples // SAMPLES_PER_PIXEL)
            return StrippedImage("JPEG", data, frame.width, frame.height, turn or UPRIGHT, work, parts + more)
        if marker in _FRAMES:
            if frame is not None:
                raise corrupt_header("JPEG")
            frame = _Frame(data[start + 4 : following])
        elif marker == QUANTISATION and following - start - 2 > _MAX_QUANTISATION:
            raise corrupt_header("JPEG")
        if marker in _NEEDED:
            kept.append(data[start:following])
        elif marker in _APPLICATION:
            if marker == EXIF and turn is None and data.startswith(PREFIX, start + 4, following):
                turn = orientation(data, start + 4, following)
            whole = False
        elif marker in _RARE_FRAMES:
            raise UndecodableImage(
                "The JPEG is lossless, arithmetic-coded or hierarchical, which is not supported. Save it as an ordinary JPEG."
            )
        else:
            raise corrupt_header("JPEG")
        if parts > MAX_SEGMENTS:
            raise _too_many_segments()
        at = following
    raise corrupt_header("JPEG")


def _scans(data: bytes, at: int, frame: _Frame, parts: int) -> tuple[int, int]:
    """The number of samples of all scans from ``data[at:]`` to the end of the image, and the number of segments.

    Finds the same markers as a decoder, so that none can be hidden; it ends at a broken segment, as a decoder does.
    """
    end, samples, scans, segments = len(data), 0, 0, 0
    while at >= 0 and data[at + 1] != END:
        try:
            following = _end_of_segment(data, at, end)
        except UndecodableImage:
            break
        segments += 1
        if data[at + 1] == SCAN:
            samples += frame.of_scan(data[at + 4 : following])
            scans += 1
        if scans > MAX_SCANS:
            raise UndecodableImage(f"The JPEG has more than {MAX_SCANS} scans, as no camera writes. Save it again.")
        if parts + segments > MAX_SEGMENTS:
            raise _too_many_segments()
        at = _find(_SCAN_END, data, following)
    return samples, segments


def _find(marker: "re.Pattern[bytes]", data: bytes, at: int) -> int:
    """The position of the next marker in ``data[at:]``; -1 if there is none."""
    for start in range(at, len(data), WINDOW):
        if found := marker.search(data, start, start + WINDOW + 1):
            return found.start()
    return -1


def _end_of_segment(data: bytes, start: int, end: int) -> int:
    """The end of the segment whose marker is at ``start``."""
    if start + 4 > end:
        raise corrupt_header("JPEG")
    (length,) = _LENGTH.unpack_from(data, start + 2)
    if length < 2 or start + 2 + length > end:
        raise corrupt_header("JPEG")
    return start + 2 + int(length)


def _too_many_segments() -> UndecodableImage:
    return UndecodableImage(f"The JPEG has more than {MAX_SEGMENTS:,} segments, as no camera writes. Save it again.")


def _blocks(samples: int, most: int) -> int:
    """The number of blocks of eight along a side of ``samples`` / ``most`` samples."""
    return -(-samples // (8 * most))
