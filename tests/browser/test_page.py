"""A visitor at the page: real Chromium, real page, real service."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.processes import start_page
from tests.browser.strokes import SEVEN, THREE, draw, settle, sheet
from tests.processes import free_port, start_service

pytestmark = pytest.mark.browser


def headline(page: Page) -> Locator:
    return page.locator(".headline")


def cards(page: Page) -> Locator:
    return page.locator(".card")


def new_drawing(page: Page) -> None:
    page.get_by_role("button", name="New drawing").click()
    expect(headline(page)).to_have_count(0)


def test_a_seven_and_a_three(page: Page) -> None:
    expect(page.get_by_text("Draw a digit on the sheet")).to_be_visible()
    expect(page.get_by_test_id("stAlert")).to_have_count(1)
    expect(cards(page)).to_have_count(0)

    draw(page, SEVEN)
    expect(headline(page)).to_have_attribute("data-label", "7")
    expect(page.locator(".bar")).to_have_count(10)
    expect(page.locator(".bar.winner .bar-name")).to_have_text("7")
    expect(page.locator(".headline .top li")).to_have_count(3)
    expect(page.locator(".stages").first.locator("figcaption b")).to_have_text(["Gray", "Ink", "Crop", "Model input"])
    expect(page.locator(".fine-print")).to_contain_text("digits")

    new_drawing(page)
    draw(page, THREE)
    expect(headline(page)).to_have_attribute("data-label", "3")
    expect(cards(page)).to_have_count(2)

    # Another brush reruns the page: nothing is lost and nothing is entered twice.
    page.get_by_role("slider", name="Brush width").press("ArrowRight")
    expect(page.get_by_text("21 px", exact=True)).to_be_visible()
    settle(page)
    expect(headline(page)).to_have_attribute("data-label", "3")
    expect(cards(page)).to_have_count(2)
    expect(cards(page).nth(0)).to_have_attribute("data-label", "3")
    expect(cards(page).nth(1)).to_have_attribute("data-label", "7")

    page.get_by_role("button", name="Forget these").click()
    expect(cards(page)).to_have_count(0)
    expect(headline(page)).to_have_attribute("data-label", "3")


def test_the_toolbar_wipes_the_sheet(page: Page) -> None:
    draw(page, SEVEN)
    expect(headline(page)).to_have_attribute("data-label", "7")
    sheet(page).hover()
    page.locator(".dc-toolbar button").last.click()
    expect(page.get_by_text("Draw a digit on the sheet")).to_be_visible()
    draw(page, THREE)
    expect(headline(page)).to_have_attribute("data-label", "3")
    expect(cards(page)).to_have_count(2)


def test_the_gpu_is_offered_or_refused_with_a_reason(page: Page) -> None:
    settle(page)
    expect(page.get_by_text("Automatic", exact=True)).to_be_visible()
    gpu = page.get_by_role("radio", name="GPU")
    expect(gpu).to_have_count(1)
    if not gpu.is_enabled():
        expect(page.locator(".st-key-refused-gpu").get_by_test_id("stCaptionContainer")).not_to_be_empty()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    draw(page, SEVEN)
    expect(cards(page)).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".stApp").evaluate("app => getComputedStyle(app).colorScheme") == scheme


def test_the_service_goes_and_comes_back(visit: Page, model_store: Path, logs: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    retry = visit.get_by_role("button", name="Retry")
    with start_page(address, logs) as page_address:
        visit.goto(page_address)
        expect(visit.get_by_test_id("stAlert")).to_contain_text(f"{address} does not answer")
        draw(visit, SEVEN)
        settle(visit)
        with start_service(model_store, port):
            retry.click()
            expect(headline(visit)).to_have_attribute("data-label", "7")
            expect(retry).to_have_count(0)
            new_drawing(visit)
        draw(visit, THREE)
        expect(visit.get_by_test_id("stAlert")).to_contain_text(f"{address} does not answer")
        expect(retry).to_be_visible()
        expect(cards(visit)).to_have_count(1)
