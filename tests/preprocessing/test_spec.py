"""The input specification: its bounds, and the older form of cards."""

from typing import Any

import pytest
from pydantic import ValidationError

from preprocessing import Geometry, InputSpec, PhotoGeometry

OLDER: dict[str, Any] = {
    "size": 28,
    "channels": 3,
    "geometry": {"subject": "ink", "fit_box": 20, "centring": "mass", "polarity": "light_on_dark"},
    "normalisation": {"mean": 0.5, "std": 0.25},
}


def test_older_form_is_read() -> None:
    spec = InputSpec.model_validate(OLDER)
    assert (spec.layout, spec.type, spec.height, spec.width, spec.colour) == ("NCHW", "float32", 28, 28, "RGB")
    assert (spec.normalisation.scale, spec.normalisation.mean, spec.normalisation.std) == (1, (0.5,), (0.25,))
    assert spec.placement == Geometry(fit_box=20, centring="mass", polarity="light_on_dark")


def test_written_form_is_read_back() -> None:
    spec = InputSpec.model_validate(OLDER)
    assert InputSpec.model_validate(spec.model_dump(mode="json")) == spec


def test_geometry_without_a_subject_is_that_of_ink() -> None:
    spec = InputSpec.model_validate({**OLDER, "geometry": {"fit_box": 20, "centring": "mass", "polarity": "dark_on_light"}})
    assert spec.placement.subject == "ink"


def test_only_a_photo_is_decoded_in_colour() -> None:
    assert InputSpec.model_validate(OLDER).colour_side is None
    assert InputSpec(height=8, width=10, geometry=PhotoGeometry()).colour_side == 40


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"channels": 2}, "colour"),
        ({"size": 4}, "height"),
        ({"size": 513}, "height"),
        ({"geometry": {"subject": "photo", "fit": "squeeze"}}, "fit"),
        ({"geometry": {"subject": "photo", "fit_box": 20}}, "fit_box"),
        ({"geometry": {"subject": "photo", "fit": "crop", "shorter_side": 20}}, "shorter_side 20 is smaller than size 28"),
        ({"geometry": {**OLDER["geometry"], "fit_box": 29}}, "fit_box 29 is larger than size 28"),
        ({"geometry": {**OLDER["geometry"], "polarity": "as_is"}}, "polarity"),
        ({"normalisation": {"mean": [0, 0]}}, "mean has 2 values; colour RGB needs 1 or 3"),
        ({"normalisation": {"std": [1, 0, 1]}}, "std"),
        ({"normalisation": {"mean": float("nan")}}, "mean"),
        ({"layout": "NHW"}, "colour must be grey, not RGB"),
        ({"width": 29, "transposed": True}, "transposed needs a square input, not 28x29"),
        ({"type": "bfloat16"}, "type"),
    ],
)
def test_parts_that_do_not_fit_are_rejected(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        InputSpec.model_validate({**OLDER, **fields})
