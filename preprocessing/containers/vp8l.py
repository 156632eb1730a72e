"""Counts the sets of prefix codes in a lossless WebP stream (RFC 9649, sections 4 to 6).

Encoders write a few dozen of them. A crafted file may have 65,536, for which libwebp needs 0.4 GB and a second. They are
counted by decoding the entropy image, which has the set of each block. It follows those of the transforms, which are skipped.
"""

from typing import Final

from preprocessing.errors import UndecodableImage

SIGNATURE: Final = 0x2F
# libwebp writes at most 2,600.
MAX_SETS: Final = 4096
# Literals and copies in the images before the main one. libwebp writes some thousands for 4 megapixels.
MAX_SYMBOLS: Final = 65_536
# A set takes at least this many bits, and a block at least 4x4 pixels.
SET_BITS: Final = 20
BLOCK_PIXELS: Final = 16
PREDICTOR, COLOUR, SUBTRACT_GREEN, INDEXING = range(4)
LITERALS: Final = 256
LENGTHS: Final = 24
DISTANCES: Final = 40
_LENGTH_ORDER: Final = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
_REPEATS: Final = {16: (2, 3), 17: (3, 3), 18: (7, 11)}
_LONGEST: Final = 15


class _Corrupt(Exception):
    """The stream is corrupt, for libwebp as well."""


class _Bits:
    """Reads numbers of any bit length, lowest bit first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._bits = 0
        self._count = 0

    def read(self, count: int) -> int:
        self._fill(count)
        value = self._bits & (1 << count) - 1
        self._bits >>= count
        self._count -= count
        return value

    def symbol(self, code: "_Code") -> int:
        if code.only is not None:
            return code.only
        if self._count < _LONGEST:
            self._data_at_end()
        entry = code.table[self._bits & code.mask]
        self._bits >>= entry & 15
        self._count -= entry & 15
        if self._count < 0:
            raise _Corrupt
        return entry >> 4

    def prefixed(self, symbol: int) -> int:
        """A length or distance, from its prefix symbol and extra bits."""
        if symbol < 4:
            return symbol + 1
        extra = symbol - 2 >> 1
        return (2 + (symbol & 1) << extra) + self.read(extra) + 1

    def _fill(self, count: int) -> None:
        if self._count < count:
            self._data_at_end()
            if self._count < count:
                raise _Corrupt

    def _data_at_end(self) -> None:
        chunk = self._data[self._at : self._at + 32]
        self._at += len(chunk)
        self._bits |= int.from_bytes(chunk, "little") << self._count
        self._count += 8 * len(chunk)


class _Code:
    """A prefix code, from the code lengths of its symbols; ``only`` is the symbol of a code with a single one, of zero bits."""

    def __init__(self, lengths: list[int]) -> None:
        symbols = sorted((length, symbol) for symbol, length in enumerate(lengths) if length)
        if not symbols:
            raise _Corrupt
        self.only = symbols[0][1] if len(symbols) == 1 else None
        longest = symbols[-1][0]
        self.mask = (1 << longest) - 1
        self.table = [0] * (1 << longest)
        code, before = 0, symbols[0][0]
        for length, symbol in symbols if self.only is None else ():
            code <<= length - before
            before = length
            if code >> length:
                raise _Corrupt
            index = int(f"{code:0{length}b}"[::-1], 2)
            self.table[index :: 1 << length] = [symbol << 4 | length] * (1 << longest - length)
            code += 1
        if self.only is None and code != 1 << longest:
            raise _Corrupt


class _Stream:
    """Reads the images of a lossless stream, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._bits = _Bits(data)
        self._symbols = 0

    def sets(self, width: int, height: int, *, header: bool) -> int:
        """The number of sets of prefix codes of an image of this size."""
        read, seen = self._bits.read, set()
        if header and (read(8) != SIGNATURE or read(14) != width - 1 or read(14) != height - 1 or read(4) > 1):
            raise _Corrupt
        while read(1):
            kind = read(2)
            if kind in seen:
                raise _Corrupt
            seen.add(kind)
            if kind in (PREDICTOR, COLOUR):
                self._blocks(width, height)
            elif kind == INDEXING:
                colours = 1 + read(8)
                self._image(colours)
                width = -(-width >> (0 if colours > 16 else 1 if colours > 4 else 2 if colours > 2 else 3))
        if read(1):  # the size of a colour cache, which does not change the number of sets
            read(4)
        return 1 + self._blocks(width, height) if read(1) else 1

    def _blocks(self, width: int, height: int) -> int:
        """The highest number in an image with one pixel per block."""
        bits = self._bits.read(3) + 2
        return self._image(-(-width >> bits) * -(-height >> bits))

    def _image(self, pixels: int) -> int:
        """Read an image of so many pixels; the highest number in its red and green bytes, which is a set's."""
        bits, symbol = self._bits, self._bits.symbol
        cache = bits.read(4) if bits.read(1) else 0
        green, red, blue, alpha, distance = (
            self._code(size) for size in (LITERALS + LENGTHS + (1 << cache if cache else 0), *[LITERALS] * 3, DISTANCES)
        )
        if all(code.only is not None for code in (green, red, blue, alpha)) and symbol(green) < LITERALS:
            return symbol(red) << 8 | symbol(green)  # all pixels are equal, and take no bits
        highest = 0
        while pixels > 0:
            self._symbols += 1
            if self._symbols > MAX_SYMBOLS:
                raise UndecodableImage("The lossless WebP is packed as no encoder does it. Save it again.")
            first = symbol(green)
            if first < LITERALS:
                number = symbol(red) << 8 | first
                if number > highest:
                    highest = number
                symbol(blue)
                symbol(alpha)
                pixels -= 1
            elif first < LITERALS + LENGTHS:
                pixels -= bits.prefixed(first - LITERALS)
                bits.prefixed(symbol(distance))
            else:
                pixels -= 1
        return highest

    def _code(self, size: int) -> _Code:
        """Read a prefix code of so many symbols."""
        read, lengths = self._bits.read, [0] * size
        if read(1):
            second = read(1)
            lengths[read(8 if read(1) else 1)] = 1
            if second:
                lengths[read(8)] = 1
            return _Code(lengths)
        of_lengths = [0] * len(_LENGTH_ORDER)
        for index in _LENGTH_ORDER[: read(4) + 4]:
            of_lengths[index] = read(3)
        code = _Code(of_lengths)
        left = 2 + read(2 + 2 * read(3)) if read(1) else size
        symbol, before = 0, 8
        while symbol < size and left:
            left -= 1
            length = self._bits.symbol(code)
            if length < 16:
                lengths[symbol] = length
                before = length or before
                symbol += 1
                continue
            extra, least = _REPEATS[length]
            count = read(extra) + least
            if symbol + count > size:
                raise _Corrupt
            lengths[symbol : symbol + count] = [before if length == 16 else 0] * count
            symbol += count
        return _Code(lengths)


def check_sets(data: bytes, width: int, height: int, *, header: bool, most: int = MAX_SETS) -> None:
    """Reject a lossless stream with more than ``most`` sets of prefix codes; opacity is a stream without a ``header``.

    A stream that is too short for so many, or an image that is too small, is not read.

    Raises:
        UndecodableImage: it has more, or is corrupt.
    """
    if min(width * height // BLOCK_PIXELS, 8 * len(data) // SET_BITS) <= most:
        return
    try:
        sets = _Stream(data).sets(width, height, header=header)
    except (_Corrupt, IndexError) as error:
        raise UndecodableImage("The WebP cannot be decoded: the file is truncated or corrupt.") from error
    if sets > most:
        raise UndecodableImage(f"The lossless WebP has {sets:,} sets of codes, as no encoder writes. Save it again.")
