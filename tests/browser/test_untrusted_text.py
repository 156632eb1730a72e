"""A service with malicious texts: the browser sends no request to other hosts and shows the texts literally."""

import httpx
import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.processes import ServiceSwitch
from tests.browser.states import settings
from tests.browser.strokes import SEVEN, draw, wait_until_ready
from tests.browser.tabs import is_external
from tests.ui.fake_service import PNG, FakeGallery, FakeService, explanation, gallery_entry, problem_response
from tests.ui.untrusted_text import MALICIOUS, malicious_classification, malicious_model

pytestmark = pytest.mark.browser

EXTERNAL_ELEMENTS = "a[href*='evil'], img[src*='evil'], [src*='evil']"


@pytest.fixture
def service() -> FakeService:
    models = [malicious_model("digits"), malicious_model(MALICIOUS)]
    explained = {key: value for key, value in explanation().items() if key in ("stages", "heatmap")}
    service = FakeService(gallery=FakeGallery({"a": gallery_entry("a", MALICIOUS, model="digits", corrected=f"2{MALICIOUS}")}))
    service.replies |= {
        "/models": lambda _: httpx.Response(200, json={"default": "digits", "models": models}),
        "/classify": lambda _: httpx.Response(200, json=malicious_classification()),
        "/explain": lambda _: httpx.Response(200, json=malicious_classification() | explained | {"logits": {MALICIOUS: 1.0}}),
    }
    return service


@pytest.fixture
def page(desktop: Page, service: FakeService, switch: ServiceSwitch, switched_page: str) -> Page:
    """The page with the malicious service."""
    switch.target = service
    desktop.goto(switched_page)
    return desktop


def test_malicious_texts_cause_no_external_requests(page: Page, service: FakeService) -> None:
    external: list[str] = []
    page.on("request", lambda request: external.append(request.url) if is_external(request.url) else None)
    wait_until_ready(page)
    expect(page.locator(".st-key-model-choice").get_by_text(MALICIOUS)).to_have_count(1)  # title and version
    expect(page.get_by_test_id("stSidebar").get_by_text(MALICIOUS)).to_have_count(1)  # why there is no GPU
    draw(page, SEVEN)
    expect(page.locator(".headline .label")).to_have_text(MALICIOUS)
    page.get_by_text("How this answer was computed").click()
    expect(page.locator(".logits")).to_contain_text(MALICIOUS)
    page.get_by_text("Use it from code").click()
    expect(page.get_by_role("tabpanel").filter(visible=True).locator("code")).to_be_visible()
    expect(page.locator(".st-key-saved .card-label")).to_have_text(f"2{MALICIOUS}")
    wait_until_ready(page)
    with settings(page):
        page.get_by_test_id("stSidebar").get_by_role("combobox", name="Compare with").click()
        expect(page.get_by_role("option")).to_have_text([MALICIOUS])
        page.keyboard.press("Escape")
        expect(page.get_by_role("option")).to_have_count(0)
    assert page.locator(EXTERNAL_ELEMENTS).count() == 0

    service.replies["/classify"] = lambda _: problem_response(400, "unknown_code", MALICIOUS, f"2{MALICIOUS}")
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").set_input_files(
        FilePayload(name=f"{MALICIOUS[:30]}.png", mimeType="image/png", buffer=PNG)
    )
    expect(page.locator(".alert")).to_contain_text(f"2{MALICIOUS}")
    assert page.locator(EXTERNAL_ELEMENTS).count() == 0
    assert external == []


def test_content_security_policy_blocks_external_requests(
    chromium: Browser, service: FakeService, switch: ServiceSwitch, switched_page: str
) -> None:
    switch.target = service
    with chromium.new_context() as context:
        tab = context.new_page()
        tab.goto(switched_page)
        blocked = tab.evaluate(
            """() => new Promise(resolve => {
                document.addEventListener("securitypolicyviolation", event => resolve(event.blockedURI), { once: true });
                document.body.insertAdjacentHTML("beforeend", '<img src="https://evil.example/c.png" alt="c">');
            })"""
        )
        assert blocked == "https://evil.example/c.png"
        tab.goto("about:blank")
