"""The HTML of an explanation."""

from PIL import Image

from tests.support.pictures import encoded
from tests.ui.fake_service import GREY_PNG, explanation
from ui.api.schemas import AnnotatedImage, Explanation, ExplanationStage
from ui.views.explanation import HIGHEST_LOGITS, logits_html, logits_title, shown_stages, stage_html, stages_html


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


def test_levels_are_shown_for_grey_pictures_only() -> None:
    grey = ExplanationStage.model_construct(png=GREY_PNG, name="picture", mean=12.3)
    assert "Levels" in stage_html("Picture", grey)
    for mode in ("RGB", "RGBA"):
        colour = grey.model_copy(update={"png": encoded(Image.new(mode, (280, 280)))})
        assert "Levels" not in stage_html("Picture", colour)


def test_explanation_of_a_photo_has_its_picture_and_important_parts() -> None:
    stages = [stage | {"name": name} for stage, name in zip(explanation()["stages"], ["input", "picture"], strict=False)]
    text = stages_html(Explanation.model_validate(explanation(stages=stages)), "photo")
    assert text.index("<b>Picture</b>") < text.index("<b>Model input</b>") < text.index("<b>Which parts mattered</b>")
    assert "ink mattered" not in text


def test_only_the_highest_of_many_logits_are_shown() -> None:
    logits = {f"label {number}": float(number) for number in range(1000)}
    text = logits_html(logits)
    assert text.count("<li>") == HIGHEST_LOGITS
    assert text.index("label 999<") < text.index("label 998<")
    assert logits_title(1000) == "The 30 highest of 1,000 raw logits"
    assert logits_title(100) == "Raw logits"
