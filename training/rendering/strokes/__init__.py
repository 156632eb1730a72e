"""Generates handwritten digits in the forms of many countries, of which MNIST, written in the USA, has few."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from training.rendering.strokes import digits_0_to_4, digits_5_to_9, rare_forms
from training.rendering.strokes.brush import draw_strokes
from training.rendering.strokes.curves import Path

__all__ = ["RARE_VARIANTS", "VARIANTS", "Variant", "draw", "draw_rare", "draw_variant"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One form of a digit; ``weight`` is how often it is drawn, relative to the digit's other forms."""

    digit: int
    weight: float
    strokes: Callable[[np.random.Generator], list[Path]]

    @property
    def name(self) -> str:
        """The name of the form, such as ``seven_barred``."""
        return self.strokes.__name__


VARIANTS: Final = (
    Variant(0, 5, digits_0_to_4.zero_round),
    Variant(0, 1.5, digits_0_to_4.zero_curled),
    Variant(0, 1, digits_0_to_4.zero_boxy),
    Variant(0, 0.5, digits_0_to_4.zero_slashed),
    Variant(0, 0.2, digits_0_to_4.zero_dotted),
    Variant(1, 3, digits_0_to_4.one_stick),
    Variant(1, 3, digits_0_to_4.one_ticked),
    Variant(1, 2.5, digits_0_to_4.one_flagged),
    Variant(1, 0.7, digits_0_to_4.one_hooked),
    Variant(1, 2, digits_0_to_4.one_printed),
    Variant(1, 1.5, digits_0_to_4.one_long_printed),
    Variant(1, 0.7, digits_0_to_4.one_footed),
    Variant(1, 0.7, digits_0_to_4.one_serifed),
    Variant(2, 3, digits_0_to_4.two_plain),
    Variant(2, 2, digits_0_to_4.two_angular),
    Variant(2, 2, digits_0_to_4.two_looped),
    Variant(2, 2, digits_0_to_4.two_swan),
    Variant(2, 1, digits_0_to_4.two_curled),
    Variant(2, 0.4, digits_0_to_4.two_zigzag),
    Variant(3, 3, digits_0_to_4.three_round),
    Variant(3, 2, digits_0_to_4.three_flat),
    Variant(3, 1, digits_0_to_4.three_looped),
    Variant(3, 1.5, digits_0_to_4.three_soft),
    Variant(4, 3, digits_0_to_4.four_open),
    Variant(4, 2.5, digits_0_to_4.four_closed),
    Variant(4, 1.5, digits_0_to_4.four_single),
    Variant(4, 1.5, digits_0_to_4.four_cupped),
    Variant(4, 1.5, digits_0_to_4.four_lightning),
    Variant(5, 2, digits_5_to_9.five_single),
    Variant(5, 3, digits_5_to_9.five_two_strokes),
    Variant(5, 2, digits_5_to_9.five_flying),
    Variant(5, 1.5, digits_5_to_9.five_soft),
    Variant(6, 3, digits_5_to_9.six_curved),
    Variant(6, 2, digits_5_to_9.six_straight),
    Variant(6, 1.5, digits_5_to_9.six_open),
    Variant(6, 1.5, digits_5_to_9.six_looped),
    Variant(7, 3, digits_5_to_9.seven_plain),
    Variant(7, 1.5, digits_5_to_9.seven_curved),
    Variant(7, 1, digits_5_to_9.seven_round),
    Variant(7, 2.5, digits_5_to_9.seven_barred),
    Variant(7, 2.5, digits_5_to_9.seven_barred_curved),
    Variant(7, 2, digits_5_to_9.seven_ticked),
    Variant(7, 1, digits_5_to_9.seven_waved),
    Variant(8, 3, digits_5_to_9.eight_single),
    Variant(8, 2, digits_5_to_9.eight_open),
    Variant(8, 2.5, digits_5_to_9.eight_circles),
    Variant(8, 1, digits_5_to_9.eight_cross),
    Variant(9, 3, digits_5_to_9.nine_straight),
    Variant(9, 2.5, digits_5_to_9.nine_curved),
    Variant(9, 1, digits_5_to_9.nine_hooked),
    Variant(9, 1.5, digits_5_to_9.nine_open),
    Variant(9, 1, digits_5_to_9.nine_small),
)

RARE_VARIANTS: Final = (
    Variant(2, 1.5, rare_forms.two_long_looped),
    Variant(3, 1.5, rare_forms.three_slim),
    Variant(4, 1, rare_forms.four_without_stem),
    Variant(5, 1.5, rare_forms.five_detached),
    Variant(6, 1.5, rare_forms.six_knotted),
    Variant(7, 3, rare_forms.seven_hooked),
    Variant(9, 2, rare_forms.nine_long_tailed),
    Variant(9, 1.5, rare_forms.nine_slim),
    *(Variant(digit, 0.8, rare_forms.on_display(digit)) for digit in range(10)),
)


def draw(digit: int, rng: np.random.Generator) -> Image.Image:
    """Draw a digit in a random usual form: mode "L", white on black, 16 to 320 pixels a side."""
    return _draw_one_of(VARIANTS, digit, rng)


def draw_rare(digit: int, rng: np.random.Generator) -> Image.Image:
    """Draw a digit in a random form of ``RARE_VARIANTS``, as ``draw``."""
    return _draw_one_of(RARE_VARIANTS, digit, rng)


def draw_variant(variant: Variant, rng: np.random.Generator) -> Image.Image:
    """Draw a form: mode "L", white on black, 16 to 320 pixels a side; the same for the same state of ``rng``."""
    return draw_strokes(variant.strokes(rng), rng)


def _draw_one_of(variants: Sequence[Variant], digit: int, rng: np.random.Generator) -> Image.Image:
    forms = [variant for variant in variants if variant.digit == digit]
    weights = np.array([variant.weight for variant in forms])
    return draw_variant(forms[int(rng.choice(len(forms), p=weights / weights.sum()))], rng)
