"""Finds faults of accessibility with axe-core."""

from pathlib import Path
from typing import Any, Final

import axe_playwright_python
from playwright.sync_api import Page

from tests.browser.strokes import wait_for_rerun

AXE: Final = Path(axe_playwright_python.__file__).with_name("axe.min.js")
SERIOUS: Final = ("serious", "critical")


def serious_faults(page: Page) -> list[str]:
    """Return the serious and critical faults that axe-core finds, with the elements."""
    wait_for_rerun(page)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate(
        "axe.run(document, { resultTypes: ['violations'] }).then(all => all.violations)"
    )
    return [f"{fault['id']}: {node['html'][:300]}" for fault in found if fault["impact"] in SERIOUS for node in fault["nodes"]]
