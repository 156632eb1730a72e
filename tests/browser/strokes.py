"""Digits as a hand with a mouse draws them, on a canvas of 280x280."""

from playwright.sync_api import Locator, Page, expect

Point = tuple[float, float]

SEVEN: list[list[Point]] = [[(80, 65), (200, 65), (170, 120), (145, 175), (128, 225)]]
THREE: list[list[Point]] = [
    [
        (88, 78), (108, 58), (140, 50), (172, 58), (190, 80), (186, 106), (166, 126), (132, 134),
        (168, 142), (192, 164), (196, 190), (182, 214), (150, 228), (112, 222), (86, 202),
    ]
]  # fmt: skip


def sheet(page: Page) -> Locator:
    """The canvas that takes the strokes."""
    return page.locator("canvas.upper-canvas")


def settle(page: Page) -> None:
    """Wait until Streamlit has run the page to its end and the sheet lies there."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(sheet(page)).to_be_visible()


def draw(page: Page, strokes: list[list[Point]]) -> None:
    """Draw with the mouse: press, move, lift."""
    settle(page)
    sheet(page).scroll_into_view_if_needed()
    box = sheet(page).bounding_box()
    assert box is not None
    for stroke in strokes:
        points = [(box["x"] + x, box["y"] + y) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for x, y in points[1:]:
            page.mouse.move(x, y, steps=4)
        page.mouse.up()
