"""The pen's colours: how well ink and paper stand apart."""

import pytest

from ui.pen import LEAST_CONTRAST, contrast, luminance


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    # As WCAG 2 gives them.
    [("#000000", "#ffffff", 21.0), ("#ffffff", "#000000", 21.0), ("#777777", "#ffffff", 4.48), ("#ff0000", "#ffffff", 4.0)],
)
def test_contrast(one: str, other: str, expected: float) -> None:
    assert contrast(one, other) == pytest.approx(expected, abs=0.01)


def test_luminance_runs_from_black_to_white() -> None:
    assert luminance("#000000") == 0
    assert luminance("#ffffff") == pytest.approx(1)


def test_what_looks_the_same_is_told_from_what_does_not() -> None:
    assert contrast("#ffffff", "#eeeeee") < LEAST_CONTRAST
    assert contrast("#808080", "#ffffff") > LEAST_CONTRAST
