"""The page with sequence models, run by Streamlit without a browser."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.fake_service import (
    JPEG,
    OTHER_PNG,
    PNG,
    FakeGallery,
    FakeService,
    classification,
    model,
    models_response,
    sequence_classification,
    sequence_model,
)
from tests.ui.gallery_helpers import gallery_of
from tests.ui.page_actions import FakeCanvas, choose_source, html_of, press, set_open, upload
from ui.state.samples import load_samples
from ui.state.session import Session
from ui.state.shared_drawing import decode
from ui.views.correction import as_labels

pytestmark = pytest.mark.slow

SEVERAL = classification("4", rejected=True, reject_reason="the picture shows several characters")


def reply(request: httpx.Request) -> httpx.Response:
    """Answer as models that are shown a 42."""
    name = request.url.params["model"]
    body = sequence_classification(model=name) if name in ("numbers", "text") else SEVERAL | {"model": name}
    return httpx.Response(200, json=body)


@pytest.fixture
def service() -> FakeService:
    service = FakeService(gallery=FakeGallery())
    others = [sequence_model(), sequence_model("text", "characters")]
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response("digits", "letters", others=others))
    service.replies["/classify"] = reply
    return service


def test_text_is_the_answer(start: Callable[..., AppTest], fake_canvas: FakeCanvas) -> None:
    page = start(model="numbers")
    assert "Write a number on the canvas" in html_of(page)
    assert not [button for button in page.button if button.key == "challenge-start"]
    fake_canvas.draw(PNG)
    page.run()
    assert not page.exception
    assert '<div class="headline sequence" data-label="42">' in html_of(page)


def test_several_characters_are_read_as_a_number_with_one_click(
    page: AppTest, service: FakeService, fake_canvas: FakeCanvas
) -> None:
    fake_canvas.draw(PNG)
    page.run()
    assert "I see several characters" in html_of(page)
    asked = [request.url.params["model"] for request in service.requests_to("/classify")]
    assert asked == ["digits"]  # the other models read one character, too
    assert page.button(key="read-with-numbers").label == "Read as a number"
    page.button(key="read-with-numbers").click().run()
    assert page.selectbox(key="model").value == "numbers"
    assert '<div class="headline sequence" data-label="42">' in html_of(page)
    assert len(fake_canvas.drawing.strokes) == 1


@pytest.mark.parametrize(
    ("names", "models", "expected"),
    [
        (["letters"], [sequence_model(), sequence_model("text", "characters")], "read-with-text"),
        (["letters"], [sequence_model()], "read-with-numbers"),
        (["digits"], [sequence_model("text", "characters")], "read-with-text"),
        (["digits"], [], None),
    ],
)
def test_sequence_model_that_is_offered(
    service: FakeService,
    start: Callable[..., AppTest],
    fake_canvas: FakeCanvas,
    names: list[str],
    models: list[dict[str, object]],
    expected: str | None,
) -> None:
    letters = {"labels": ["A", "B"], "input": {"geometry": {"subject": "ink"}}}
    known = [model(name, card=letters) if name == "letters" else model(name) for name in names]
    body = {"default": names[0], "models": [*known, *models]}
    service.replies["/models"] = lambda _: httpx.Response(200, json=body)
    fake_canvas.draw(PNG)
    page = start()
    offered = [str(button.key) for button in page.button if str(button.key).startswith("read-with")]
    assert offered == ([expected] if expected else [])


def test_unsure_text_is_shown_with_what_is_unsure(
    service: FakeService, start: Callable[..., AppTest], fake_canvas: FakeCanvas
) -> None:
    service.replies["/classify"] = lambda _: httpx.Response(200, json=sequence_classification(unsure=[1]))
    fake_canvas.draw(PNG)
    page = start(model="numbers")
    assert '<u class="unsure">2</u>' in html_of(page)
    assert "character 2 (“2”)" in html_of(page)


def test_text_without_any_character_that_was_read_is_not_recognised(
    service: FakeService, start: Callable[..., AppTest], fake_canvas: FakeCanvas
) -> None:
    service.replies["/classify"] = lambda _: httpx.Response(200, json=sequence_classification("8", unsure=[0]))
    fake_canvas.draw(PNG)
    assert "I do not recognise this." in html_of(start(model="numbers"))


def test_selected_character_is_explained(service: FakeService, start: Callable[..., AppTest], fake_canvas: FakeCanvas) -> None:
    fake_canvas.draw(PNG)
    page = start(model="numbers")
    session = page.session_state["session"]
    assert isinstance(session, Session)
    session.select_character("42", 1)
    set_open(page, "explain")
    assert not page.exception
    assert "Character 2 of 2: <b>2</b>" in html_of(page)
    assert service.requests_to("/explain")[-1].url.params["character"] == "1"
    assert "Character 2 of 2: 2, 98.0%" in html_of(page)
    fake_canvas.draw(OTHER_PNG)  # as a sheet of another size sends it
    page.run()
    assert "Character 2 of 2: <b>2</b>" in html_of(page)
    service.replies["/classify"] = lambda _: httpx.Response(200, json=sequence_classification("47"))
    fake_canvas.draw(PNG)
    page.run()
    assert "Select a character" in html_of(page)  # another text has other characters
    assert "character" not in service.requests_to("/explain")[-1].url.params


def test_correction_is_a_text(service: FakeService, start: Callable[..., AppTest], fake_canvas: FakeCanvas) -> None:
    fake_canvas.draw(PNG)
    page = start(model="numbers")
    set_open(page, "wrong")
    (field,) = (each for each in page.text_input if str(each.key).startswith("right-text"))
    assert field.value == "42"
    field.set_value(" 47 ")
    (button,) = (each for each in page.button if each.label == "Correct")
    button.click().run()
    assert "You said it is “47”." in html_of(page)
    page.button(key="keep-correction").click().run()
    (entry,) = gallery_of(service).entries.values()
    assert entry["corrected"] == "47"
    saved = next(each for each in page.text_input if str(each.key).startswith("text-"))
    saved.set_value("49").run()
    assert next(iter(gallery_of(service).entries.values()))["corrected"] == "49"


def test_link_to_share_has_the_size_of_the_sheet(start: Callable[..., AppTest], fake_canvas: FakeCanvas) -> None:
    fake_canvas.draw(PNG)
    page = start(model="numbers")
    page.run()
    fake_canvas.draw(OTHER_PNG)
    page.run()
    page.run()
    (link,) = [code.value for code in page.code if "drawing=" in code.value]
    parameters = parse_qs(urlsplit(link).query)
    assert parameters["model"] == ["numbers"]
    assert decode(parameters["drawing"][0]).size == (560, 320)


@pytest.mark.parametrize(
    ("typed", "labels", "expected"),
    [
        (" 1 987 ", "0123456789", "1987"),
        ("r2 d2\n\n c3 ", "RDC23", "R2D2\nC3"),
        ("Ab c", "Abc ", "Ab c"),
        ("  ", "AB", ""),
    ],
)
def test_typed_text_becomes_labels(typed: str, labels: str, expected: str) -> None:
    assert as_labels(typed, list(labels)) == expected


def test_sample_is_written_on_the_wide_sheet(start: Callable[..., AppTest], fake_canvas: FakeCanvas) -> None:
    page = start(model="numbers")
    assert [button.label for button in page.button if str(button.key).startswith("sample-")][:2] == [
        "Sample: 42",
        "Sample: 1987",
    ]
    press(page, "sample-1")
    xs = [command[1] for stroke in fake_canvas.drawing.strokes for command in stroke["path"]]
    assert 0 < min(xs) < 200 and 360 < max(xs) < 560
    assert {stroke["strokeWidth"] for stroke in fake_canvas.drawing.strokes} == {14}


def test_samples_of_sequences_fit_on_their_sheet() -> None:
    for name in ("numbers", "text"):
        for sample in load_samples()[name]:
            points = [point for stroke in sample.strokes for point in stroke.points]
            assert all(10 <= x <= sample.size[0] - 10 and 10 <= y <= sample.size[1] - 10 for x, y in points), sample.label


def test_pen_is_finer_for_several_characters_unless_the_visitor_chose_a_width(
    start: Callable[..., AppTest], fake_canvas: FakeCanvas
) -> None:
    page = start(model="numbers")
    assert fake_canvas.pens[-1].width == 14
    page.selectbox(key="model").set_value("digits").run()
    assert fake_canvas.pens[-1].width == 20
    next(each for each in page.slider if str(each.key).startswith("pen-width")).set_value(30).run()
    page.selectbox(key="model").set_value("numbers").run()
    assert fake_canvas.pens[-1].width == 30


def test_uploaded_text_and_several_files(service: FakeService, start: Callable[..., AppTest]) -> None:
    answers = [sequence_classification("42"), sequence_classification("4\n2")]
    service.replies["/classify/batch"] = lambda _: httpx.Response(200, json=answers)
    page = start(model="numbers")
    choose_source(page, "upload")
    upload(page, ("a.jpg", JPEG))
    assert '<div class="character-boxes" data-place="upload">' in html_of(page)
    assert '<div class="headline sequence" data-label="42">' in html_of(page)
    upload(page, ("a.jpg", JPEG), ("b.png", PNG))
    assert not page.exception
    assert 'class="label">4 / 2</td>' in html_of(page)
    assert 'class="label-counts"' not in html_of(page)  # each text is another
