"""HTML pieces: percentages and images."""

import pytest

from tests.ui.fake_service import PNG, WEBP
from ui.components import markup


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (1.0, ">99.9%"),
        (0.99996, ">99.9%"),
        (0.9987, "99.9%"),
        (0.5, "50.0%"),
        (0.0006, "0.1%"),
        (0.0001, "<0.1%"),
        (0.0, "<0.1%"),
    ],
)
def test_percentages_never_show_0_or_100(probability: float, text: str) -> None:
    assert markup.percent(probability) == text


def test_image_is_a_data_url_with_escaped_alt_text() -> None:
    assert markup.image(PNG, alt='a "7"', pixelated=True).startswith('<img class="pixelated" src="data:image/png;base64,iVBOR')
    assert 'alt="a &quot;7&quot;"' in markup.image(PNG, alt='a "7"')
    assert 'src="data:image/webp;base64,' in markup.image(WEBP, alt="")
