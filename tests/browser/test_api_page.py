"""The page of the API, opened by a developer: it works without the outside world, and tries the API out."""

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
    """The address of a service that asks for keys, and one."""
    assert chromium.is_connected()  # asked for first: without a browser nothing else need start
    file = tmp_path_factory.mktemp("keys") / "keys"
    key = add_key(file, "developer", "read")
    with start_service(model_store, free_port(), API_KEYS_FILE=str(file), WORKERS="1") as address:
        yield address, key


def operation(page: Page, path: str) -> Locator:
    """One route on the page, opened."""
    block = page.locator(".opblock").filter(has=page.locator(f'[data-path="{path}"]'))
    block.locator(".opblock-summary-control").first.click()
    return block


def answered(block: Locator, status: str) -> Locator:
    """The answer the page shows to what it tried out, once it has this status."""
    live = block.locator(".live-responses-table")
    expect(live.locator(".response-col_status").last).to_contain_text(status)
    return live


def try_classify(page: Page) -> Locator:
    block = operation(page, "/classify")
    block.get_by_role("button", name="Try it out").click()
    block.locator('input[type="file"]').set_input_files(FOLDER / SAMPLE.name)
    block.get_by_role("button", name="Execute").click()
    return block


def test_it_describes_and_tries_out_the_api_alone(visit: Page, service_address: str) -> None:
    visit.goto(f"{service_address}/")
    expect(visit).to_have_title("Image classifier API")
    expect(visit.locator(".info .title")).to_contain_text("Image classifier")
    for path in ("/classify", "/classify/batch", "/explain", "/models", "/livez", "/metrics"):
        expect(visit.locator(f'[data-path="{path}"]')).to_have_count(1)
    expect(visit.get_by_role("button", name="Authorize")).to_have_count(0)
    expect(visit.locator("img, iframe")).to_have_count(0)
    live = answered(try_classify(visit), "200")
    expect(live).to_contain_text(f'"label": "{SAMPLE.label}"')
    models = operation(visit, "/models")
    models.get_by_role("button", name="Try it out").click()
    models.get_by_role("button", name="Execute").click()
    expect(answered(models, "200")).to_contain_text('"digits"')


def test_it_takes_the_key_it_is_given(visit: Page, keyed: tuple[str, str]) -> None:
    address, key = keyed
    visit.goto(f"{address}/")
    visit.get_by_role("button", name="Authorize").first.click()
    dialog = visit.locator(".modal-ux")
    dialog.locator("input").fill(key)
    dialog.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close").last.click()
    expect(answered(try_classify(visit), "200")).to_contain_text(f'"label": "{SAMPLE.label}"')
