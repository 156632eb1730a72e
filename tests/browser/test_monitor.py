"""The panel "Live" with the real service."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.strokes import SEVEN, draw, wait_until_ready

pytestmark = pytest.mark.browser


def test_panel_shows_the_service_at_work(page: Page) -> None:
    wait_until_ready(page)
    page.get_by_text("Live: how the service is doing").click()
    figures = page.locator(".live-figures")
    expect(figures).to_be_visible()
    draw(page, SEVEN)
    expect(page.locator(".headline")).to_be_visible()
    expect(figures.locator("div", has_text="99% of them within")).to_contain_text("≤")
    expect(figures.locator(".course i").first).to_be_attached()
    expect(figures.locator("div", has_text="Pictures per batch")).to_contain_text("1: 100%")
