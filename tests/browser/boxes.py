"""Where elements of the page are."""

from playwright.sync_api import FloatRect, Locator

from tests.browser.processes import TIMEOUT_MS
from tests.support.waiting import until


def box_of(element: Locator) -> FloatRect:
    """Return the box of an element in the window as soon as it has one: while the page runs, elements are replaced."""
    found: list[FloatRect] = []

    def has_box() -> bool:
        box = element.bounding_box()
        found.extend([box] if box else [])
        return bool(found)

    until(has_box, TIMEOUT_MS / 1000)
    return found[-1]
