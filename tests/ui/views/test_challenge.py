"""The challenge on the page."""

from collections.abc import Callable

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.fake_service import OTHER_PNG, PNG, FakeGallery, FakeService, classification, fashion_model, models_response
from tests.ui.gallery_helpers import FakeClock
from tests.ui.page_actions import FakeCanvas, count_cards, html_of, owned, press
from ui.state.challenge_session import ChallengeSession

pytestmark = pytest.mark.slow


def challenge_of(page: AppTest) -> ChallengeSession:
    """Return the challenge of the visitor."""
    challenge = page.session_state["challenge"]
    assert isinstance(challenge, ChallengeSession)
    return challenge


def buttons(page: AppTest) -> set[str]:
    """Return the keys of the buttons of the challenge."""
    return {str(button.key) for button in page.button if str(button.key).startswith("challenge-")}


def answer(page: AppTest, service: FakeService, fake_canvas: FakeCanvas, png: bytes, *, right: bool) -> None:
    """Draw a picture that the model reads as what is wanted, or as something else."""
    wanted = challenge_of(page).game.wanted
    label = wanted if right else str((int(wanted) + 1) % 10)
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification(label))
    fake_canvas.draw(png)
    page.run()
    page.run()


def test_challenge_from_start_to_result(page: AppTest, service: FakeService, fake_canvas: FakeCanvas) -> None:
    press(page, "challenge-start")
    first = challenge_of(page).game.wanted
    assert f"<b>{first}</b>" in html_of(page)
    answer(page, service, fake_canvas, PNG, right=False)
    assert challenge_of(page).game.wanted == first
    fake_canvas.clear()
    page.run()
    answer(page, service, fake_canvas, OTHER_PNG, right=True)
    assert "Score 1" in html_of(page)
    assert not fake_canvas.drawing.strokes  # the sheet is empty for the next one
    press(page, "challenge-skip")
    press(page, "challenge-stop")
    assert "Your score: 1" in html_of(page)
    assert "skipped 1×" in html_of(page)
    assert count_cards(page) == 0
    assert buttons(page) == {"challenge-again", "challenge-close"}  # this service has no gallery
    press(page, "challenge-close")
    assert buttons(page) == {"challenge-start"}
    assert not page.exception


def test_drawings_are_kept_only_if_the_visitor_says_so(
    start: Callable[[], AppTest], service: FakeService, fake_canvas: FakeCanvas
) -> None:
    service.gallery = FakeGallery()
    page = start()
    owned(page.toggle, "save").set_value(True).run()  # pictures of the challenge are not saved even while others are
    press(page, "challenge-start")
    wanted = challenge_of(page).game.wanted
    answer(page, service, fake_canvas, PNG, right=True)
    skipped = challenge_of(page).game.wanted
    answer(page, service, fake_canvas, OTHER_PNG, right=False)
    press(page, "challenge-skip")
    press(page, "challenge-stop")
    assert service.gallery.entries == {}
    assert page.button(key="challenge-keep").label == "Keep these drawings as labelled examples (1)"
    page.checkbox(key="challenge-with-skipped").check().run()
    assert page.button(key="challenge-keep").label == "Keep these drawings as labelled examples (2)"
    press(page, "challenge-keep")
    assert [entry["corrected"] for entry in service.gallery.entries.values()] == [wanted, skipped]
    assert "Kept in the gallery below: 2" in html_of(page)
    assert "challenge-keep" not in buttons(page)
    assert not page.exception


def test_other_model_ends_the_challenge(service: FakeService, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(
        200, json=models_response("digits", "other", others=[fashion_model()])
    )
    page = start()
    press(page, "challenge-start")
    page.selectbox(key="model").set_value("other").run()
    assert buttons(page) == {"challenge-start"}
    page.selectbox(key="model").set_value("fashion").run()
    assert buttons(page) == set()
    assert not page.exception


def test_no_answer_counts_after_the_minute(
    page: AppTest, service: FakeService, fake_canvas: FakeCanvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    press(page, "challenge-start")
    clock = FakeClock()
    clock.now = 1e9
    monkeypatch.setattr(challenge_of(page).game, "clock", clock)
    answer(page, service, fake_canvas, PNG, right=True)
    assert challenge_of(page).game.score == 0
