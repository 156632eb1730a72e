"""The HTML of an explanation."""

from PIL import Image

from tests.support.pictures import encoded
from tests.ui.fake_service import explanation
from ui.api.schemas import AnnotatedImage, Explanation
from ui.views.explanation import logits_html, shown_stages, stage_html


def test_known_stages_are_shown_in_order() -> None:
    stages = Explanation.model_validate(explanation()).stages
    unknown = stages[0].model_copy(update={"name": "unknown"})
    assert [stage.name for stage in shown_stages([unknown, *stages[::-1]])] == ["gray", "ink", "crop", "input"]
    assert shown_stages([unknown]) == []
    object_stage = stages[1].model_copy(update={"name": "object"})
    assert [stage.name for stage in shown_stages([stages[3], object_stage])] == ["object", "input"]


def test_logits_have_a_sign() -> None:
    assert "<b>7</b><span>+9.13</span>" in logits_html({"7": 9.128, "1": -2})
    assert "<b>1</b><span>-2.00</span>" in logits_html({"7": 9.128, "1": -2})


def test_stage_shows_size_grey_levels_and_note() -> None:
    stage = Explanation.model_validate(explanation()).stages[0]
    text = stage_html("Gray", stage)
    assert "Levels 0 to 255, mean 12.3." in text
    assert "280×280" in text
    assert "What gray is." in text
    assert "pixelated" not in text


def test_small_image_is_enlarged_without_smoothing() -> None:
    png = encoded(Image.new("L", (28, 28)))
    assert 'class="pixelated"' in stage_html("Model input", AnnotatedImage.model_construct(png=png, note=""))
