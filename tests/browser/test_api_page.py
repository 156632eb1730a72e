"""The API documentation page of the service: it needs no other host, and sends requests to the API."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from loadtests.samples import FOLDER, samples
from serving.middleware.api_keys import add_key
from tests.support.processes import free_port, start_service

pytestmark = pytest.mark.browser

SAMPLE = samples()[0]


@pytest.fixture(scope="module")
def keyed(chromium: Browser, model_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of a service that requires API keys, and a valid key."""
    assert chromium.is_connected()  # requested first: without a browser nothing else must start
    file = tmp_path_factory.mktemp("keys") / "keys"
    key = add_key(file, "developer", "read")
    with start_service(model_store, free_port(), API_KEYS_FILE=str(file), WORKERS="1") as address:
        yield address, key


def operation(page: Page, path: str) -> Locator:
    """Open one route on the page."""
    block = page.locator(".opblock").filter(has=page.locator(f'[data-path="{path}"]'))
    block.locator(".opblock-summary-control").first.click()
    return block


def answered(block: Locator, status: str) -> Locator:
    """Return the displayed response after it has this status."""
    live = block.locator(".live-responses-table")
    expect(live.locator(".response-col_status").last).to_contain_text(status)
    return live


def try_classify(page: Page) -> Locator:
    block = operation(page, "/classify")
    block.get_by_role("button", name="Try it out").click()
    block.locator('input[type="file"]').set_input_files(FOLDER / SAMPLE.name)
    block.get_by_role("button", name="Execute").click()
    return block


def test_page_describes_the_api_and_sends_requests(desktop: Page, service_address: str) -> None:
    desktop.goto(f"{service_address}/")
    expect(desktop).to_have_title("Image classifier API")
    expect(desktop.locator(".info .title")).to_contain_text("Image classifier")
    expect(desktop.locator(".info .version").first).to_have_text(re.compile(r"[0-9.]+ \(from source\)"))
    expect(desktop.locator(".servers option")).to_have_text([service_address])
    for path in ("/classify", "/classify/batch", "/explain", "/models", "/gallery"):
        expect(desktop.locator(f'[data-path="{path}"]').first).to_be_visible()
    for path in ("/livez", "/readyz", "/healthz", "/metrics", "/models/reload"):
        expect(desktop.locator(f'[data-path="{path}"]')).to_have_count(0)
    expect(desktop.get_by_role("button", name="Authorize")).to_have_count(0)
    expect(desktop.locator("img, iframe")).to_have_count(0)
    live = answered(try_classify(desktop), "200")
    expect(live).to_contain_text(f'"label": "{SAMPLE.label}"')
    models = operation(desktop, "/models")
    models.get_by_role("button", name="Try it out").click()
    models.get_by_role("button", name="Execute").click()
    expect(answered(models, "200")).to_contain_text('"digits"')


def test_page_sends_the_entered_api_key(desktop: Page, keyed: tuple[str, str]) -> None:
    address, key = keyed
    desktop.goto(f"{address}/")
    desktop.get_by_role("button", name="Authorize").first.click()
    dialog = desktop.locator(".modal-ux")
    dialog.locator("input").fill(key)
    dialog.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close").last.click()
    expect(answered(try_classify(desktop), "200")).to_contain_text(f'"label": "{SAMPLE.label}"')
