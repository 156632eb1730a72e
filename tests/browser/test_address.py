"""Model, language and device in the address: a reload keeps them, a link carries them, and the back button leads back."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.browser.held_messages import HeldMessages
from tests.browser.processes import ServiceSwitch
from tests.browser.states import settings
from tests.browser.strokes import wait_until_ready
from tests.support.waiting import until
from tests.ui.fake_service import FakeService, models_response

pytestmark = pytest.mark.browser


STEPS = 6
STEP_MILLISECONDS = (20, 40, 60, 80, 100, 130)
BACK_AND_FORTH = """async ([steps, milliseconds]) => {
    for (let step = 0; step < steps; step++) {
        const stepped = new Promise(done => addEventListener("popstate", done, { once: true }));
        step % 2 ? history.forward() : history.back();
        await stepped;  // the browser may drop a step that another one follows at once
        await new Promise(done => setTimeout(done, milliseconds));
    }
}"""


@pytest.fixture
def address(switch: ServiceSwitch, switched_page: str) -> str:
    """The address of a page with two models."""
    service = FakeService()
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response("digits", "letters"))
    switch.target = service
    return switched_page


def test_reload_keeps_what_was_chosen(desktop: Page, address: str) -> None:
    desktop.goto(address)
    wait_until_ready(desktop)
    desktop.get_by_role("combobox", name="Model", exact=True).click()
    desktop.get_by_role("option", name="letters").click()
    expect(desktop).to_have_url(re.compile(r"[?&]model=letters\b"))
    wait_until_ready(desktop)
    with settings(desktop):
        desktop.get_by_text("CPU", exact=True).click()
        expect(desktop).to_have_url(re.compile(r"[?&]device=cpu\b"))
    desktop.get_by_role("radio", name="한국어").click()
    expect(desktop).to_have_url(re.compile(r"[?&]lang=ko\b"))
    wait_until_ready(desktop)
    desktop.reload()
    wait_until_ready(desktop)
    expect(desktop.get_by_role("heading", name="그림 분류기")).to_be_visible()
    expect(desktop.get_by_role("combobox", name="모델", exact=True)).to_have_value("letters")
    expect(desktop.get_by_role("radio", name="CPU", include_hidden=True)).to_be_checked()


def test_back_button_undoes_and_then_leaves(desktop: Page, address: str) -> None:
    desktop.goto("about:blank")
    desktop.goto(f"{address}/?model=nonsense&device=none")
    wait_until_ready(desktop)
    expect(desktop.get_by_role("combobox", name="Model", exact=True)).to_have_value("digits")
    expect(desktop.get_by_role("radio", name="Automatic", include_hidden=True)).to_be_checked()
    desktop.get_by_role("radio", name="한국어").click()
    expect(desktop.get_by_role("heading", name="그림 분류기")).to_be_visible()
    wait_until_ready(desktop)
    desktop.go_back()
    expect(desktop.get_by_role("heading", name="Image classifier")).to_be_visible()
    # While the page runs, the old group is still there beside the new one.
    expect(desktop.get_by_role("radiogroup", name="Language").get_by_role("radio", name="English")).to_be_checked()
    wait_until_ready(desktop)
    desktop.go_back()
    if desktop.url != "about:blank":  # Streamlit removed the unknown model from the address, which counts as a step
        wait_until_ready(desktop)
        desktop.go_back()
    expect(desktop).to_have_url("about:blank")


def test_quick_steps_back_and_forth_do_not_end_the_page(chromium: Browser, address: str) -> None:
    """A step interrupts the run of the one before; the browser hears of interrupted runs after it has asked for the last."""
    asked = 0

    def has_asked_for_all(message: BackMsg) -> bool:
        nonlocal asked
        asked += message.WhichOneof("type") == "rerun_script"
        return asked >= STEPS

    def have_been_released() -> bool:
        page.title()  # only within such calls does Playwright pass messages on
        return not messages.holding

    with chromium.new_context() as context:
        messages = HeldMessages(context, release=has_asked_for_all)
        page = context.new_page()
        page.goto(address)
        wait_until_ready(page)
        for name, title in 2 * [("한국어", "그림 분류기"), ("English", "Image classifier")]:
            page.get_by_role("radio", name=name).click()
            expect(page.get_by_role("heading", name=title)).to_be_visible()
            wait_until_ready(page)
        for milliseconds in STEP_MILLISECONDS:
            wait_until_ready(page)
            asked = 0
            messages.hold()
            page.evaluate(BACK_AND_FORTH, [STEPS, milliseconds])
            until(have_been_released)
        wait_until_ready(page)
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-connection-state", "CONNECTED")
