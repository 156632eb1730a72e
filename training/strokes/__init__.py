"""Digits drawn by a program as people the world over draw them: forms that MNIST, written by Americans, hardly holds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from training.strokes import high, low
from training.strokes.curves import Path
from training.strokes.pen import picture

__all__ = ["VARIANTS", "Variant", "draw", "draw_variant"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to write a digit; ``share`` is how often it is drawn, relative to the digit's other ways."""

    digit: int
    share: float
    write: Callable[[np.random.Generator], list[Path]]

    @property
    def name(self) -> str:
        """The name of the form, such as ``seven_barred``."""
        return self.write.__name__


VARIANTS: Final = (
    Variant(0, 5, low.zero_round),
    Variant(0, 1.5, low.zero_curled),
    Variant(0, 1, low.zero_boxy),
    Variant(0, 0.5, low.zero_slashed),
    Variant(0, 0.2, low.zero_dotted),
    Variant(1, 3, low.one_stick),
    Variant(1, 3, low.one_ticked),
    Variant(1, 2.5, low.one_flagged),
    Variant(1, 0.7, low.one_hooked),
    Variant(1, 2, low.one_printed),
    Variant(1, 1.5, low.one_long_printed),
    Variant(1, 0.7, low.one_footed),
    Variant(1, 0.7, low.one_serifed),
    Variant(2, 3, low.two_plain),
    Variant(2, 2, low.two_angular),
    Variant(2, 2, low.two_looped),
    Variant(2, 2, low.two_swan),
    Variant(2, 1, low.two_curled),
    Variant(2, 0.4, low.two_zigzag),
    Variant(3, 3, low.three_round),
    Variant(3, 2, low.three_flat),
    Variant(3, 1, low.three_looped),
    Variant(3, 1.5, low.three_soft),
    Variant(4, 3, low.four_open),
    Variant(4, 2.5, low.four_closed),
    Variant(4, 1.5, low.four_single),
    Variant(4, 1.5, low.four_cupped),
    Variant(4, 1.5, low.four_lightning),
    Variant(5, 2, high.five_single),
    Variant(5, 3, high.five_two_strokes),
    Variant(5, 2, high.five_flying),
    Variant(5, 1.5, high.five_soft),
    Variant(6, 3, high.six_curved),
    Variant(6, 2, high.six_straight),
    Variant(6, 1.5, high.six_open),
    Variant(6, 1.5, high.six_looped),
    Variant(7, 3, high.seven_plain),
    Variant(7, 1.5, high.seven_curved),
    Variant(7, 1, high.seven_round),
    Variant(7, 2.5, high.seven_barred),
    Variant(7, 2.5, high.seven_barred_curved),
    Variant(7, 2, high.seven_ticked),
    Variant(7, 1, high.seven_waved),
    Variant(8, 3, high.eight_single),
    Variant(8, 2, high.eight_open),
    Variant(8, 2.5, high.eight_circles),
    Variant(8, 1, high.eight_cross),
    Variant(9, 3, high.nine_straight),
    Variant(9, 2.5, high.nine_curved),
    Variant(9, 1, high.nine_hooked),
    Variant(9, 1.5, high.nine_open),
    Variant(9, 1, high.nine_small),
)


def draw(digit: int, hand: np.random.Generator) -> Image.Image:
    """A picture of the digit in one of its forms: mode "L", white on black, 16 to 320 pixels a side."""
    forms = [variant for variant in VARIANTS if variant.digit == digit]
    shares = np.array([variant.share for variant in forms])
    return draw_variant(forms[int(hand.choice(len(forms), p=shares / shares.sum()))], hand)


def draw_variant(variant: Variant, hand: np.random.Generator) -> Image.Image:
    """A picture of this form: mode "L", white on black, 16 to 320 pixels a side; the same for the same state of ``hand``."""
    return picture(variant.write(hand), hand)
