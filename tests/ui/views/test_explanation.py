"""The HTML of an explanation."""

import re

from PIL import Image

from tests.support.pictures import encoded
from tests.ui.fake_service import GREY_PNG, explanation
from ui.api.schemas import AnnotatedImage, Explanation, ExplanationStage
from ui.views.explanation import (
    HIGHEST_LOGITS,
    details_html,
    figure_html,
    logits_html,
    logits_title,
    measured,
    shown_stages,
    stages_html,
)


def stages_of(subject: str = "ink") -> list[str]:
    """Return the titles of the explanation's figures."""
    return re.findall("<b>(.*?)</b>", stages_html(Explanation.model_validate(explanation()), subject))


def test_known_stages_are_shown_in_order() -> None:
    stages = Explanation.model_validate(explanation()).stages
    unknown = stages[0].model_copy(update={"name": "unknown"})
    assert [stage.name for stage in shown_stages([unknown, *stages[::-1]])] == ["gray", "ink", "input"]
    assert shown_stages([unknown]) == []
    object_stage = stages[1].model_copy(update={"name": "object"})
    assert [stage.name for stage in shown_stages([stages[3], object_stage])] == ["object", "input"]


def test_ink_and_crop_are_one_step() -> None:
    stages = Explanation.model_validate(explanation()).stages
    crop = stages[2].model_copy(update={"png": encoded(Image.new("L", (40, 60)))})
    assert [stage.size for stage in shown_stages([*stages[:2], crop, stages[3]])][1] == (40, 60)


def test_steps_are_described_in_plain_words() -> None:
    titles = ["Your picture in shades of grey", "Only the strokes", "What the model sees", "Which strokes mattered"]
    assert stages_of() == titles
    text = stages_html(Explanation.model_validate(explanation()), "ink")
    assert "Shrunk and centred: these 280×280 dots are all the model sees." in text
    assert "What gray is." not in text and "Brighter mattered more." not in text


def test_service_s_notes_levels_and_logits_are_folded() -> None:
    text = details_html(Explanation.model_validate(explanation()))
    assert text.startswith('<details class="explanation-details"><summary>Details</summary>')
    assert "<dt>gray</dt> <dd>What gray is. 280×280. Levels 0 to 255, mean 12.3.</dd>" in text
    assert "<dd>Brighter mattered more.</dd>" in text
    assert "+9.10" in text


def test_logits_have_a_sign() -> None:
    assert "<b>7</b> <span>+9.13</span>" in logits_html({"7": 9.128, "1": -2})
    assert "<b>1</b> <span>-2.00</span>" in logits_html({"7": 9.128, "1": -2})


def test_small_image_is_enlarged_without_smoothing() -> None:
    png = encoded(Image.new("L", (28, 28)))
    assert 'class="pixelated"' in figure_html("Title", "Note", AnnotatedImage.model_construct(png=png, note=""))
    large = AnnotatedImage.model_construct(png=GREY_PNG, note="")
    assert "pixelated" not in figure_html("Title", "Note", large)


def test_levels_are_shown_for_grey_pictures_only() -> None:
    grey = ExplanationStage.model_construct(png=GREY_PNG, name="picture", mean=12.3)
    assert "Levels" in measured(grey)
    for mode in ("RGB", "RGBA"):
        colour = grey.model_copy(update={"png": encoded(Image.new(mode, (280, 280)))})
        assert "Levels" not in measured(colour)


def test_explanation_of_a_photo_has_its_picture_and_important_parts() -> None:
    stages = [stage | {"name": name} for stage, name in zip(explanation()["stages"], ["input", "picture"], strict=False)]
    text = stages_html(Explanation.model_validate(explanation(stages=stages)), "photo")
    assert re.findall("<b>(.*?)</b>", text) == ["Your picture", "What the model sees", "Which parts mattered"]
    assert "centred" not in text


def test_only_the_highest_of_many_logits_are_shown() -> None:
    logits = {f"label {number}": float(number) for number in range(1000)}
    text = logits_html(logits)
    assert text.count("<li>") == HIGHEST_LOGITS
    assert text.index("label 999<") < text.index("label 998<")
    assert "the 30 highest of 1,000 labels" in logits_title(1000)
    assert "for each label" in logits_title(100)
