"""Random sequences of strokes, undo, redo, clear, and changes of model and language: the page shows exactly what remains.

DRAWING_SEQUENCES=300 runs as many sequences as the requirement names.
"""

import io
import os
import random
from dataclasses import dataclass, field

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.processes import ServiceSwitch
from tests.browser.strokes import to_window, wait_until_ready
from tests.support.waiting import until
from tests.ui.fake_service import FakeService, models_response

pytestmark = pytest.mark.browser

SEQUENCES = int(os.environ.get("DRAWING_SEQUENCES", "12"))
LONGEST = 10
# Every stroke has a cell of its own, so that the picture tells which strokes are there.
CELL, CELLS = 40, 49
ACTIONS = {"draw": 12, "undo": 4, "redo": 3, "clear": 1, "wait": 2, "model": 0.4, "language": 0.4}


@dataclass
class Expected:
    """What the canvas should show: documents in the order of the history, each a tuple of cells."""

    history: list[tuple[int, ...]] = field(default_factory=lambda: [()])
    position: int = 0

    @property
    def cells(self) -> tuple[int, ...]:
        return self.history[self.position]

    def add(self, cells: tuple[int, ...]) -> None:
        del self.history[self.position + 1 :]
        self.history.append(cells)
        self.position += 1

    def act(self, action: str) -> None:
        """Apply undo, redo or clear."""
        if action == "undo":
            self.position = max(self.position - 1, 0)
        elif action == "redo":
            self.position = min(self.position + 1, len(self.history) - 1)
        elif self.cells:
            self.add(())


@pytest.fixture
def service() -> FakeService:
    service = FakeService()
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response("digits", "letters"))
    return service


@pytest.fixture
def page(desktop: Page, service: FakeService, switch: ServiceSwitch, switched_page: str) -> Page:
    switch.target = service
    desktop.goto(switched_page)
    wait_until_ready(desktop)
    return desktop


def draw_cell(page: Page, cell: int) -> None:
    """Draw a short stroke in the middle of a cell."""
    row, column = divmod(cell, 7)
    (x, y), (end, _) = to_window(page, [(CELL * column + 14, CELL * row + 20), (CELL * column + 26, CELL * row + 20)])
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(end, y)
    page.mouse.up()


def cells_of(png: bytes) -> tuple[int, ...]:
    """Return the cells with ink."""
    picture = Image.open(io.BytesIO(png)).convert("L")
    return tuple(cell for cell in range(CELLS) if picture.getpixel((CELL * (cell % 7) + 20, CELL * (cell // 7) + 20)) == 0)


def change_model(page: Page, choice: random.Random) -> None:
    page.locator(".st-key-model [role=combobox]").click()
    page.get_by_role("option").nth(choice.randrange(2)).click()


def change_language(page: Page, choice: random.Random) -> None:
    page.get_by_role("radio", name=choice.choice(["English", "한국어"])).click()


def run(page: Page, action: str, expected: Expected, choice: random.Random) -> None:
    """Do one thing as a visitor, at once, and note what should be drawn then."""
    if action == "draw":
        cell = choice.choice([cell for cell in range(CELLS) if cell not in expected.cells])
        draw_cell(page, cell)
        expected.add((*expected.cells, cell))
    elif action == "wait":
        wait_until_ready(page)
    elif action == "model":
        change_model(page, choice)
    elif action == "language":
        change_language(page, choice)
    else:
        page.keyboard.press({"undo": "Control+z", "redo": "Control+y", "clear": "Delete"}[action])
        expected.act(action)


def shows(page: Page, service: FakeService, expected: Expected) -> bool:
    """Return whether the service has been asked about what should be drawn; of an empty canvas it is not asked."""
    if not expected.cells:
        return page.locator(".empty-hint").is_visible()
    requests = service.requests_to("/classify")
    return bool(requests) and cells_of(requests[-1].content) == tuple(sorted(expected.cells))


def test_no_stroke_is_lost(page: Page, service: FakeService) -> None:
    choice, expected = random.Random(19), Expected()
    for number in range(SEQUENCES):
        actions = choice.choices([*ACTIONS], [*ACTIONS.values()], k=choice.randint(2, LONGEST))
        for action in actions:
            run(page, action, expected, choice)
        try:
            until(lambda: shows(page, service, expected), 10)
        except AssertionError:
            sent = [cells_of(request.content) for request in service.requests_to("/classify")[-3:]]
            what = f"sequence {number} ({', '.join(actions)}) should leave {expected.cells}; the last pictures had {sent}"
            raise AssertionError(what) from None
        if len(expected.cells) > CELLS // 2:
            run(page, "clear", expected, choice)
    expect(page.locator(".stException")).to_have_count(0)
