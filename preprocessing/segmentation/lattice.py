"""What a picture of several characters is cut into: pieces of lines, and candidates that cover one piece or several."""

from typing import NamedTuple

from PIL import Image

from preprocessing.pixels import Box


class CharacterCandidate(NamedTuple):
    """What could be one character: the pieces ``[first, last)`` of its line, which are numbered from the left.

    ``box`` is in pixels of the image that was segmented, ``line`` is its number in reading order, from 0. ``crop`` is the ink
    of this candidate alone as an "L" image, 0 for paper and 255 the strongest stroke, for ``preprocessing.frame_ink``.
    ``prior`` is the logarithm of how likely it is one character by its shape and by the ink that was cut, at most 0.
    """

    box: Box
    line: int
    first: int
    last: int
    crop: Image.Image
    prior: float = 0.0


class Segmentation(NamedTuple):
    """The candidates, by line and from the left, and how many pieces each line has.

    Candidates may overlap. Those of a line cover its pieces in at least one way in which every piece is in one of them.
    """

    candidates: list[CharacterCandidate]
    pieces: list[int]
