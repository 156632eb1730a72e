"""Picture sources by what the model reads."""

import pytest

from ui.state.session import CAMERA, DRAW, UPLOAD
from ui.views import sources


@pytest.mark.parametrize(
    ("subject", "names"),
    [("ink", [DRAW, UPLOAD, CAMERA]), ("object", [UPLOAD, CAMERA]), ("unknown", [DRAW, UPLOAD, CAMERA])],
)
def test_objects_cannot_be_drawn(subject: str, names: list[str]) -> None:
    assert sources.available_sources(subject) == names


def test_photo_advice_depends_on_the_subject() -> None:
    assert "plain paper" in sources.photo_advice("ink")
    assert "background" in sources.photo_advice("object")
