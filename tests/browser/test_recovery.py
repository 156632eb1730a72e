"""An outage: an open page recovers by itself, with the drawing; while the service stalls, its controls stay legible."""

from collections.abc import Iterator
from threading import Event

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.processes import ServiceSwitch
from tests.browser.strokes import SEVEN, draw, draw_without_waiting, wait_until_ready
from tests.ui.fake_service import FakeService, explanation, models_response, problem_response

pytestmark = pytest.mark.browser

# Returns how much of an element shows once everything that fades has faded.
OPACITY = """async element => {
  await Promise.allSettled(document.getAnimations().filter(each => each.effect.getComputedTiming().endTime !== Infinity)
    .map(each => each.finished));
  let opacity = 1;
  for (let each = element; each; each = each.parentElement) opacity *= getComputedStyle(each).opacity;
  return opacity;
}"""


@pytest.fixture
def service() -> FakeService:
    service = FakeService()
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response("digits", "letters"))
    return service


@pytest.fixture
def page(desktop: Page, service: FakeService, switch: ServiceSwitch, switched_page: str) -> Page:
    switch.target = service
    desktop.goto(switched_page)
    return desktop


@pytest.fixture
def may_answer(service: FakeService) -> Iterator[Event]:
    """Answers wait while this is cleared."""
    event = Event()

    def answer(_: httpx.Request) -> httpx.Response:
        assert event.wait(120)
        return httpx.Response(200, json=explanation())

    service.replies |= {"/classify": answer, "/explain": answer}
    event.set()
    yield event
    event.set()


def test_page_recovers_by_itself_with_the_drawing(page: Page, service: FakeService) -> None:
    wait_until_ready(page)
    service.down = True
    draw(page, SEVEN)
    expect(page.locator(".alert")).to_contain_text("does not answer")
    service.down = False
    expect(page.locator(".headline")).to_have_attribute("data-label", "7")
    expect(page.locator(".alert")).to_have_count(0)
    wait_until_ready(page)
    page.locator(".st-key-tools").get_by_role("button", name="Undo").click()
    expect(page.locator(".empty-hint")).to_be_visible()
    asked = len(service.requests_to("/readyz"))
    draw(page, SEVEN)  # time passes: nothing is asked any more
    expect(page.locator(".headline")).to_be_visible()
    assert len(service.requests_to("/readyz")) == asked


def test_page_that_was_opened_during_an_outage_recovers(page: Page, service: FakeService, switched_page: str) -> None:
    service.down = True
    page.goto(f"{switched_page}/?model=letters")
    expect(page.locator(".alert")).to_contain_text("does not answer")
    service.down = False
    expect(page.locator(".empty-hint")).to_be_visible()
    expect(page.locator(".st-key-model").get_by_role("combobox")).to_have_value("letters")


@pytest.mark.parametrize(
    ("language", "shown"), [("en", "Reference for the operator:"), ("ko", "운영자에게 알려 줄 참조 번호:")]
)
def test_error_has_the_id_of_the_request_under_its_details(
    page: Page, service: FakeService, switched_page: str, language: str, shown: str
) -> None:
    service.replies |= dict.fromkeys(("/classify", "/explain"), lambda _: problem_response(500, "internal"))
    page.goto(f"{switched_page}/?lang={language}")
    draw(page, SEVEN)
    alert = page.locator(".alert")
    alert.locator("summary").click()
    reference = alert.locator(".reference")
    expect(reference).to_be_visible()
    expect(reference).to_contain_text(shown)
    sent = {request.headers["x-request-id"] for request in service.requests if request.method == "POST"}
    assert reference.locator("code").inner_text() in sent


def test_controls_stay_legible_while_the_service_stalls(page: Page, may_answer: Event) -> None:
    draw(page, SEVEN)
    expect(page.locator(".headline")).to_be_visible()
    wait_until_ready(page)
    may_answer.clear()
    draw_without_waiting(page, [[(60, 250), (220, 250)]])
    expect(page.locator(".answer .slow-notice")).to_be_visible()
    for name in ("Undo", "Clear"):
        assert page.locator(".st-key-tools").get_by_role("button", name=name).evaluate(OPACITY) == 1
    assert page.locator(".st-key-model").get_by_role("combobox").evaluate(OPACITY) == 1
