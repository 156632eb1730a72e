"""A service whose every text means harm: the browser asks nobody, and shows what is written."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.conftest import outside
from tests.browser.processes import stand_in, start_page, start_page_for
from tests.browser.strokes import SEVEN, draw, settle
from tests.ui.service import PNG, Gallery, Service, explanation, kept, problem
from tests.ui.test_literal import HOSTILE, hostile_answer, hostile_model

pytestmark = pytest.mark.browser

LINK = "a[href*='evil'], img[src*='evil'], [src*='evil']"


@pytest.fixture
def service() -> Service:
    models = [hostile_model("digits"), hostile_model(HOSTILE)]
    told = {key: value for key, value in explanation().items() if key in ("stages", "heatmap")}
    service = Service(gallery=Gallery({"a": kept("a", HOSTILE, model="digits", corrected=f"2{HOSTILE}")}))
    service.replies |= {
        "/models": lambda _: httpx.Response(200, json={"default": "digits", "models": models}),
        "/classify": lambda _: httpx.Response(200, json=hostile_answer()),
        "/explain": lambda _: httpx.Response(200, json=hostile_answer() | told | {"logits": {HOSTILE: 1.0}}),
    }
    return service


@pytest.fixture
def page(chromium: Browser, visit: Page, service: Service, tmp_path: Path) -> Iterator[Page]:
    """The page before that service."""
    assert chromium.is_connected()
    with stand_in(service) as address, start_page_for(visit, address, tmp_path) as page_address:
        visit.goto(page_address)
        yield visit


def test_no_text_of_the_service_has_the_browser_ask_anybody(page: Page, service: Service) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if outside(request.url) else None)
    settle(page)
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text(HOSTILE)).to_have_count(2)  # title and version; why there is no GPU
    draw(page, SEVEN)
    expect(page.locator(".headline .label")).to_have_text(HOSTILE)
    page.get_by_text("How this answer came about").click()
    expect(page.locator(".logits")).to_contain_text(HOSTILE)
    page.get_by_text("Use it from code").click()
    expect(page.get_by_role("tabpanel").filter(visible=True).locator("code")).to_be_visible()
    expect(page.locator(".st-key-kept .card-label")).to_have_text(f"2{HOSTILE}")
    settle(page)
    page.get_by_test_id("stSidebar").get_by_role("combobox", name="Compare with").click()
    expect(page.get_by_role("option")).to_have_text([HOSTILE])
    page.keyboard.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    assert page.locator(LINK).count() == 0

    service.replies["/classify"] = lambda _: problem(400, "nobody_knows", HOSTILE, f"2{HOSTILE}")
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").set_input_files(FilePayload(name=f"{HOSTILE[:30]}.png", mimeType="image/png", buffer=PNG))
    expect(page.locator(".alert")).to_have_text(f"{HOSTILE}: 2{HOSTILE}")
    assert page.locator(LINK).count() == 0
    assert asked == []


def test_the_browser_refuses_to_ask_anybody_else(chromium: Browser, tmp_path: Path) -> None:
    with start_page("http://127.0.0.1:9", tmp_path) as address, chromium.new_context() as context:
        tab = context.new_page()
        tab.goto(address)
        blocked = tab.evaluate(
            """() => new Promise(resolve => {
                document.addEventListener("securitypolicyviolation", event => resolve(event.blockedURI), { once: true });
                document.body.insertAdjacentHTML("beforeend", '<img src="https://evil.example/c.png" alt="c">');
            })"""
        )
        assert blocked == "https://evil.example/c.png"
        tab.goto("about:blank")
