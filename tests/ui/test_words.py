"""What is written on the page: shares, bars, fine print, refusals, devices, stages."""

from collections.abc import Sequence

import pytest
from PIL import Image

from tests.support.pictures import encoded
from tests.ui.service import (
    CLOTHES,
    LETTERS,
    NO_GPU,
    PNG,
    WEBP,
    catalogue,
    classification,
    explanation,
    fashion,
    model,
)
from ui import cards, charts, faults, language, markup, notices, reading, sidebar, stages, table
from ui.answers import Classification, Explanation, Model, ModelRegistry, Picture
from ui.client import Problem, Unavailable
from ui.sidebar import Choice


def answer(**changes: object) -> Classification:
    return Classification.model_validate(classification() | changes)


@pytest.mark.parametrize(
    ("share", "text"),
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
def test_a_share_is_rounded_without_lying(share: float, text: str) -> None:
    assert markup.percent(share) == text


def test_an_image_lies_in_the_page_itself() -> None:
    assert markup.image(PNG, alt='a "7"', pixelated=True).startswith('<img class="pixelated" src="data:image/png;base64,iVBOR')
    assert 'alt="a &quot;7&quot;"' in markup.image(PNG, alt='a "7"')
    assert 'src="data:image/webp;base64,' in markup.image(WEBP, alt="")


def test_bars_mark_the_winner_and_no_other() -> None:
    text = charts.bars({"3": 0.2, "7": 0.8}, "7")
    assert text.count('class="bar winner"') == 1
    assert text.count('class="bar"') == 1
    assert 'style="width:80.00%"' in text
    assert "many" not in text
    assert text.index(">3<") < text.index(">7<")


def test_many_bars_flow_into_columns() -> None:
    assert 'class="bars many" style="--rows: 14"' in charts.bars(dict.fromkeys([*LETTERS, "drawing"], 1 / 27), "A")


def test_the_likeliest_begin_with_the_winner() -> None:
    shares = {letter: place / 1000 for place, letter in enumerate(LETTERS)}
    assert list(charts.likeliest(shares, "A")) == ["A", *"ZYXWVUTSR"]


def test_bars_stay_inside_their_track() -> None:
    assert "width:100.00%" in charts.bars({"7": 1.0000001}, "7")


def test_the_headline_shows_label_confidence_top_and_category() -> None:
    text = charts.headline(answer(category={"label": "letter", "confidence": 0.97}))
    assert 'data-label="7"' in text
    assert "99.1%" in text
    assert text.count("<li>") == 3
    assert "category letter, 97.0%" in text
    assert "best guess" not in text
    assert "category" not in charts.headline(answer())


@pytest.mark.parametrize(
    ("label", "size"),
    [("7", "label"), ("drawing", "label long"), ("Ankle boot", "label long"), ("An old Ankle boot", "label longer")],
)
def test_a_longer_label_is_written_smaller(label: str, size: str) -> None:
    assert f'<div class="{size}">{label}</div>' in charts.headline(answer(label=label))


def test_a_rejected_headline_is_a_guess() -> None:
    text = charts.headline(answer(rejected=True))
    assert "rejected" in text
    assert "best guess" in text


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.991, "almost certain"),
        (0.99, "almost certain"),
        (0.95, "very likely"),
        (0.8, "likely"),
        (0.5, "unsure"),
        (0.1, "hardly more than a guess"),
    ],
)
def test_confidence_in_words(share: float, words: str) -> None:
    assert charts.sureness(answer(confidence=share)) == words


def test_an_answer_aloud() -> None:
    assert charts.aloud(answer()) == "7: almost certain, 99.1%"


def test_an_answer_is_named_only_beside_another() -> None:
    asked = Model.model_validate(model("digits"))
    assert '<h3 class="model">digits</h3>' in reading.article(answer(), asked, named=True)
    assert "<h3" not in reading.article(answer(), asked, named=False)
    assert 'class="doubt"' not in reading.article(answer(), asked, named=False)
    assert 'class="doubt"' in reading.article(answer(rejected=True), asked, named=False)


def test_labels_are_escaped() -> None:
    assert "<b>&lt;i&gt;</b>" in charts.headline(answer(top=[{"label": "<i>", "confidence": 1}]))
    assert "<i>" not in charts.bars({"<i>": 1.0}, "<i>")


def test_fine_print() -> None:
    text = charts.fine_print(answer())
    assert "digits 1.0.0 · CPU · batch of 4 · 1.1 ms (decode 0.5, preprocess 0.1, queue 0.2, inference 0.1)" in text
    assert "alone in its batch" in charts.fine_print(answer(batch_size=1))
    assert "tokenise 2.0" in charts.fine_print(answer(timings_ms={"tokenise": 2, "total": 3}))


def test_fine_print_leaves_out_what_is_not_told() -> None:
    bare = Classification(model="digits", label="7", confidence=1)
    assert charts.fine_print(bare) == '<p class="fine-print">digits</p>'


def test_stages_in_their_order_and_no_others() -> None:
    told = Explanation.model_validate(explanation())
    strange = told.stages[0].model_copy(update={"name": "strange"})
    assert [stage.name for stage in stages.chosen([strange, *told.stages[::-1]])] == ["gray", "ink", "crop", "input"]
    assert stages.chosen([strange]) == []
    thing = told.stages[1].model_copy(update={"name": "object"})
    assert [stage.name for stage in stages.chosen([told.stages[3], thing])] == ["object", "input"]


def test_logits_keep_their_sign() -> None:
    assert "<b>7</b><span>+9.13</span>" in stages.logits({"7": 9.128, "1": -2})
    assert "<b>1</b><span>-2.00</span>" in stages.logits({"7": 9.128, "1": -2})


def test_a_stage_says_its_size_and_its_line() -> None:
    stage = Explanation.model_validate(explanation()).stages[0]
    text = stages.figure("Gray", stage)
    assert "Levels 0 to 255, mean 12.3." in text
    assert "280×280" in text
    assert "What gray is." in text
    assert "pixelated" not in text


def test_a_small_picture_shows_its_pixels() -> None:
    png = encoded(Image.new("L", (28, 28)))
    assert 'class="pixelated"' in stages.figure("Model input", Picture.model_construct(png=png, note=""))


def test_a_problem_is_told_with_its_detail() -> None:
    assert faults.sentence(Problem(status=413, title="Too large", detail="At most 8 MB", code="x")) == "Too large: At most 8 MB"
    assert faults.sentence(Problem(status=500, title="Error", detail="", code="")) == "Error"
    assert faults.sentence(Problem(status=500, title="Error", detail="Error", code="")) == "Error"
    assert "<p><b>a&lt;b</b>: c &amp; d</p>" in notices.alert("c & d", title="a<b")
    assert "<p><b>a</b></p>" in notices.alert("", title="a")
    assert "<p>c</p>" in notices.alert("c")


def test_a_picture_that_cannot_be_taken_is_told_in_plain_words() -> None:
    failure = Problem(status=415, title="Unsupported Media Type", detail="The content is not PNG", code="unsupported_media")
    assert faults.sentence(failure) == "This file is not a picture the service can read: The content is not PNG"


SEVERAL = "The picture shows several characters (about 2), and this model reads one at a time."


def test_several_characters_are_not_called_unlike_anything() -> None:
    told = answer(rejected=True, reject_reason=SEVERAL)
    text = notices.rejected(told, "0123456789")
    assert "I see several characters here" in text and markup.text(SEVERAL) in text
    assert "does not look like" not in text
    assert "several characters" in table.doubt(told) and "several characters" in cards.fresh(told, None)
    other = answer(rejected=True, reject_reason="Energy too low.")
    assert "several" not in notices.rejected(other, "0123456789") + table.doubt(other) + cards.fresh(other, None)
    assert not answer(reject_reason=SEVERAL).several


@pytest.mark.parametrize(
    ("labels", "noun"),
    [
        ("0123456789", "a digit"),
        (LETTERS, "a letter"),
        (["digit", "letter", "drawing"], "a digit, a letter or a drawing"),
        ([*"0123456789", *LETTERS, "drawing"], "a digit, a letter or a drawing"),
        (["ant", "bee"], "an ant or a bee"),
        (["digit", "ant"], "a digit or an ant"),
        ("가나다", "a letter"),
        ("+-", "a sign"),
        (CLOTHES, ""),
        ([], ""),
    ],
)
def test_what_the_labels_have_in_common(labels: Sequence[str], noun: str) -> None:
    assert notices.noun(labels) == noun


def test_what_is_said_of_a_service_that_is_not_there() -> None:
    text = notices.unreachable(Unavailable("http://127.0.0.1:3000", "no connection"))
    assert text.startswith("The service at http://127.0.0.1:3000 does not answer: no connection.")


def test_devices_come_with_the_reason_against_them() -> None:
    assert sidebar.devices(Model.model_validate(model("digits"))) == (["auto", "cpu"], {"gpu": NO_GPU})
    both = {"cpu": {"available": True}, "gpu": {"available": True}}
    assert sidebar.devices(Model.model_validate(model("digits", devices=both))) == (["auto", "cpu", "gpu"], {})
    assert sidebar.devices(Model(name="digits")) == (["auto", "cpu"], {"gpu": ""})


def test_only_what_reads_the_same_pictures_is_a_rival() -> None:
    known = ModelRegistry.model_validate(catalogue("digits", "letters", others=[fashion()]))
    assert sidebar.rivals(known, known.model("digits")) == ["letters"]
    assert sidebar.rivals(known, known.model("fashion")) == []


def test_a_rival_without_the_chosen_device_takes_any() -> None:
    both = {"cpu": {"available": True}, "gpu": {"available": True}}
    first, second = Model.model_validate(model("digits", devices=both)), Model.model_validate(model("letters"))
    choice = Choice(first, "gpu", second)
    assert choice.asked() == [first, second]
    assert [choice.device_of(each) for each in choice.asked()] == ["gpu", "auto"]
    assert Choice(first, "gpu").asked() == [first]


@pytest.fixture
def korean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "current", lambda: "ko")


@pytest.mark.usefixtures("korean")
def test_in_korean() -> None:
    assert notices.noun([*"0123456789", *LETTERS, "drawing"]) == "숫자, 글자 또는 그림"
    assert "종이에 숫자 하나를 그려 보세요" in notices.blank("draw", [*"0123456789"])
    assert "4장 묶음 · 1.1 ms (디코딩 0.5, 전처리 0.1, 대기 0.2, 추론 0.1)" in charts.fine_print(answer())
    assert "숫자처럼 보이지 않습니다." in notices.rejected(answer(rejected=True), "0123456789")
    assert "서비스가 너무 바쁩니다" in faults.sentence(Problem(status=429, title="Busy", detail="", code="overloaded"))
    assert "글자가 여러 개 보입니다" in notices.rejected(answer(rejected=True, reject_reason=SEVERAL), "0123456789")


@pytest.mark.usefixtures("korean")
def test_what_the_service_advises_in_english_is_said_in_korean_too() -> None:
    failure = Problem(status=415, title="", detail="This is HEIC. Convert it to JPEG.", code="unsupported_media")
    text = notices.alert(faults.explanation(failure), title=faults.headline(failure), advice=faults.advice(failure))
    assert "This is HEIC. Convert it to JPEG." in text and "JPEG로 저장해서" in text
