"""Where pictures come from, by what a model is shown."""

import pytest

from ui import sources
from ui.sources import CAMERA, DRAW, UPLOAD


@pytest.mark.parametrize(
    ("subject", "names"),
    [("ink", [DRAW, UPLOAD, CAMERA]), ("object", [UPLOAD, CAMERA]), ("not known yet", [DRAW, UPLOAD, CAMERA])],
)
def test_objects_are_not_drawn(subject: str, names: list[str]) -> None:
    assert sources.offered(subject) == names


def test_a_good_photo_depends_on_the_subject() -> None:
    assert "plain paper" in sources.advice("ink")
    assert "ground" in sources.advice("object")
