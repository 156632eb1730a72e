"""axe-core finds no serious fault on the page, in both themes and languages."""

import httpx
import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.axe import serious_faults
from tests.browser.processes import ServiceSwitch
from tests.browser.strokes import SEVEN, draw, wait_for_rerun, wait_until_ready
from tests.ui.fake_service import JPEG, FakeGallery, FakeService, gallery_entry, models_response, problem_response

pytestmark = pytest.mark.browser


@pytest.fixture
def page(desktop: Page, switch: ServiceSwitch, switched_page: str, language: str, scheme: str) -> Page:
    service = FakeService(gallery=FakeGallery({"e1": gallery_entry("e1"), "e2": gallery_entry("e2", corrected="1")}))
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response("digits", "letters"))
    service.replies["/metrics"] = lambda _: problem_response(403, "forbidden")
    switch.target = service
    desktop.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    desktop.goto(f"{switched_page}/?lang={language}")
    return desktop


# Colours depend on the theme and texts on the language, so that two of the four pairs have everything.
@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "ko")])
def test_no_serious_faults(page: Page) -> None:
    wait_until_ready(page)
    assert serious_faults(page) == []
    draw(page, SEVEN)
    expect(page.locator(".headline")).to_be_visible()
    for key in ("explain", "replay", "code", "monitor"):
        wait_for_rerun(page)
        section = page.locator(f".st-key-{key}")
        section.locator("summary").click()
        expect(section.get_by_test_id("stExpanderDetails").get_by_test_id("stElementContainer")).not_to_have_count(0)
    expect(page.locator(".stages img").first).to_be_visible()
    expect(page.locator(".replay-strip li")).to_have_count(6)
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(page.get_by_test_id("stSidebar")).to_be_in_viewport()
    assert serious_faults(page) == []
    page.locator("[class*=st-key-source]").get_by_role("radio").nth(1).click()  # upload
    files = [FilePayload(name=name, mimeType="image/png", buffer=data) for name, data in (("a.jpg", JPEG), ("b.png", b"none"))]
    page.locator("input[type=file]").set_input_files(files)
    expect(page.locator(".files tbody tr")).to_have_count(2)
    assert serious_faults(page) == []


@pytest.mark.parametrize("language", ["en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_faults_in_the_challenge(page: Page) -> None:
    wait_until_ready(page)
    page.locator(".st-key-challenge-start button").click()
    expect(page.get_by_role("timer")).to_be_visible()
    assert serious_faults(page) == []
    page.locator(".st-key-challenge-skip button").click()
    wait_for_rerun(page)
    page.locator(".st-key-challenge-stop button").click()
    expect(page.locator(".challenge-result")).to_be_visible()
    assert serious_faults(page) == []
