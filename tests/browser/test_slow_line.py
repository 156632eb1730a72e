"""A slow line: something is visible within two seconds."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.strokes import wait_until_ready

pytestmark = pytest.mark.browser

BYTES_PER_SECOND = 180_000
LATENCY_MS = 100
MAX_MS = 2_000
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
RECEIVED = "performance.getEntriesByType('resource').reduce((sum, each) => sum + each.transferSize, 0)"


def test_something_is_visible_within_two_seconds(desktop: Page, page_address: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = desktop.context.new_cdp_session(desktop)
    line.send("Network.enable")
    line.send("Network.setCacheDisabled", {"cacheDisabled": True})
    speed = {"downloadThroughput": BYTES_PER_SECOND, "uploadThroughput": BYTES_PER_SECOND, "latency": LATENCY_MS}
    line.send("Network.emulateNetworkConditions", {"offline": False, **speed})
    desktop.goto(page_address, wait_until="commit")
    expect(desktop.locator(".loading h1")).to_have_text("Image classifier")
    expect(desktop.locator(".loading p")).to_contain_text("The page is loading")
    wait_until_ready(desktop)
    first, ready, received = desktop.evaluate(f"[{FIRST_PAINT}, performance.now(), {RECEIVED}]")
    line.detach()
    with capsys.disabled():
        print(f"\nat 180 kB/s: first text after {first:.0f} ms, ready after {ready:.0f} ms, {received / 1e6:.1f} MB")  # noqa: T201
    assert first < MAX_MS
    expect(desktop.locator(".loading")).to_have_count(0)
