"""Picture sources by what the model reads."""

from typing import Any

import pytest

from tests.ui.fake_service import characters_model, fashion_model, model, photo_model
from ui.api.schemas import ModelCard
from ui.state.session import CAMERA, DRAW, UPLOAD
from ui.views import sources

UNKNOWN = {"input": {"geometry": {"subject": "unknown"}}}


@pytest.mark.parametrize(
    ("card", "names"),
    [
        (model("digits")["card"], [DRAW, UPLOAD, CAMERA]),
        (characters_model()["card"], [DRAW, UPLOAD, CAMERA]),
        (UNKNOWN, [DRAW, UPLOAD, CAMERA]),
        (fashion_model()["card"], [UPLOAD, CAMERA]),
        (photo_model()["card"], [UPLOAD, CAMERA]),
        (photo_model(colour="BGR")["card"], [UPLOAD, CAMERA]),
        (photo_model(colour="grey")["card"], [UPLOAD, CAMERA, DRAW]),
    ],
)
def test_sources_depend_on_what_the_model_reads(card: dict[str, Any], names: list[str]) -> None:
    assert sources.available_sources(ModelCard.model_validate(card)) == names


def test_photo_advice_depends_on_the_subject() -> None:
    assert "plain paper" in sources.photo_advice("ink")
    assert "plain light or dark background" in sources.photo_advice("object")
    assert "The whole picture counts" in sources.photo_advice("photo")
