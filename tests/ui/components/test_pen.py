"""Contrast and luminance of the pen's colours."""

import pytest

from ui.components.pen import MIN_CONTRAST, contrast, luminance


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    # Values from WCAG 2.
    [("#000000", "#ffffff", 21.0), ("#ffffff", "#000000", 21.0), ("#777777", "#ffffff", 4.48), ("#ff0000", "#ffffff", 4.0)],
)
def test_contrast(one: str, other: str, expected: float) -> None:
    assert contrast(one, other) == pytest.approx(expected, abs=0.01)


def test_luminance_is_0_for_black_and_1_for_white() -> None:
    assert luminance("#000000") == 0
    assert luminance("#ffffff") == pytest.approx(1)


def test_minimum_contrast_separates_similar_from_different_colours() -> None:
    assert contrast("#ffffff", "#eeeeee") < MIN_CONTRAST
    assert contrast("#808080", "#ffffff") > MIN_CONTRAST
