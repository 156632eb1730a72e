"""Goes through the controls of the page with the Tab key."""

from typing import Final

import pytest
from playwright.sync_api import Page

MAX_TABS: Final = 30


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element that matches has the focus; everything on the way is in view."""
    for _ in range(MAX_TABS):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.checkVisibility({ visibilityProperty: true })")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{selector} is not reached by {MAX_TABS} times Tab")
