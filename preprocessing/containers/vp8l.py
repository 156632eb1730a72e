"""Lossless WebP, as far as it tells how many sets of prefix codes it has (RFC 9649, sections 4 to 6).

An encoder writes a few dozen of them. A file made by hand may have 65,536, for which libwebp takes 0.4 GB and a second. They
are counted by reading the image that says which block uses which set. It lies behind those of the transforms; none is kept.
"""

from typing import Final

from preprocessing.errors import UndecodableImage

SIGNATURE: Final = 0x2F
# libwebp chooses from 2,600 at the most.
MAX_SETS: Final = 4096
# Pixels and copies in the images ahead of the picture's own. libwebp writes some thousands for a picture of 4 megapixels.
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
    """The stream cannot be followed, by libwebp neither."""


class _Bits:
    """Reads numbers from the lowest bit on."""

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
        """A length or a distance that begins with a symbol."""
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
        piece = self._data[self._at : self._at + 32]
        self._at += len(piece)
        self._bits |= int.from_bytes(piece, "little") << self._count
        self._count += 8 * len(piece)


class _Code:
    """A prefix code from the lengths of its symbols; ``only`` is the symbol of a code that has no other and takes no bits."""

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
            place = int(f"{code:0{length}b}"[::-1], 2)
            self.table[place :: 1 << length] = [symbol << 4 | length] * (1 << longest - length)
            code += 1
        if self.only is None and code != 1 << longest:
            raise _Corrupt


class _Stream:
    """The images of a stream, one behind the other."""

    def __init__(self, data: bytes) -> None:
        self._bits = _Bits(data)
        self._symbols = 0

    def sets(self, width: int, height: int, *, header: bool) -> int:
        """How many sets of codes a picture of this size has."""
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
        if read(1):  # a cache of colours, which the sets themselves are read with
            read(4)
        return 1 + self._blocks(width, height) if read(1) else 1

    def _blocks(self, width: int, height: int) -> int:
        """The highest set that an image of a pixel a block names."""
        bits = self._bits.read(3) + 2
        return self._image(-(-width >> bits) * -(-height >> bits))

    def _image(self, pixels: int) -> int:
        """Pass over an image of so many pixels; gives the highest number in its middle bytes, which is a set's."""
        bits, symbol = self._bits, self._bits.symbol
        cache = bits.read(4) if bits.read(1) else 0
        green, red, blue, alpha, distance = (
            self._code(size) for size in (LITERALS + LENGTHS + (1 << cache if cache else 0), *[LITERALS] * 3, DISTANCES)
        )
        if all(code.only is not None for code in (green, red, blue, alpha)) and symbol(green) < LITERALS:
            return symbol(red) << 8 | symbol(green)  # all pixels are one, and take no bits
        highest = 0
        while pixels > 0:
            self._symbols += 1
            if self._symbols > MAX_SYMBOLS:
                raise UndecodableImage("The lossless WebP is packed as no program does it. Save it again.")
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
        for place in _LENGTH_ORDER[: read(4) + 4]:
            of_lengths[place] = read(3)
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
    """Refuse a lossless stream of more than ``most`` sets of codes; opacity is one without a ``header``.

    A stream that is too short for so many, or of too small a picture, is not looked at.

    Raises:
        UndecodableImage: it has more, or cannot be followed.
    """
    if min(width * height // BLOCK_PIXELS, 8 * len(data) // SET_BITS) <= most:
        return
    try:
        sets = _Stream(data).sets(width, height, header=header)
    except (_Corrupt, IndexError) as error:
        raise UndecodableImage("The WebP cannot be decoded: the file is truncated or corrupt.") from error
    if sets > most:
        raise UndecodableImage(f"The lossless WebP has {sets:,} sets of codes, as no program writes. Save it again.")
