"""Handwritten digits as strokes on a canvas of 280x280, and functions that draw them with mouse, finger or pen."""

from collections.abc import Sequence
from typing import Final

from playwright.sync_api import CDPSession, Locator, Page, expect

from tests.browser.boxes import box_of
from tests.browser.processes import TIMEOUT_MS
from tests.support.waiting import until

# Whether the page shows the answer to everything that the sheet has reported, which is this many reports or more.
IS_ANSWERED: Final = """reports => {
    const answered = Number(document.querySelector(".st-key-classifier")?.dataset.answered);
    return sheet.version >= reports && answered === sheet.version;
}"""

# Whether the scripts of the components have begun: those of the sheet, its keys and buttons, and of files and pictures that
# are given to the page. Streamlit loads them after it has shown the page, and what is done before is not noticed.
HAS_SCRIPTS: Final = """() => Boolean(
    window.sheet && window.sheetShortcuts && document.querySelector('.st-key-draw[role="application"]')
    && document.querySelector(".drop-target[popover]") && document.querySelector(".st-key-upload")?.limited
)"""

Point = tuple[float, float]
Stroke = Sequence[Point]

# Recorded handwriting: each stroke from pen down to pen up.
DIGITS: Final[dict[str, list[Stroke]]] = {
    "0": [
        [
            (152, 56), (126, 60), (104, 80), (92, 110), (88, 146), (93, 182), (108, 210), (134, 224),
            (160, 216), (180, 192), (190, 158), (191, 120), (183, 86), (168, 64), (148, 54), (138, 58),
        ]
    ],
    "1": [[(112, 92), (128, 76), (143, 55), (144, 96), (141, 140), (142, 184), (139, 226)]],
    "2": [
        [
            (92, 96), (98, 74), (118, 58), (146, 54), (172, 66), (184, 92), (178, 120), (160, 148), (136, 176),
            (110, 202), (88, 222), (120, 219), (156, 221), (196, 218),
        ]
    ],
    "3": [
        [
            (88, 78), (108, 58), (140, 50), (172, 58), (190, 80), (186, 106), (166, 126), (132, 134),
            (168, 142), (192, 164), (196, 190), (182, 214), (150, 228), (112, 222), (86, 202),
        ]
    ],
    "4": [
        [(126, 58), (114, 88), (98, 122), (82, 156), (112, 158), (150, 157), (198, 160)],
        [(164, 108), (163, 144), (160, 186), (158, 230)],
    ],
    "5": [
        [
            (112, 60), (107, 92), (101, 128), (124, 118), (152, 118), (178, 134), (190, 162), (184, 194),
            (160, 218), (128, 224), (94, 210),
        ],
        [(112, 62), (146, 59), (188, 58)],
    ],
    "6": [
        [
            (172, 56), (142, 74), (116, 104), (100, 142), (97, 180), (110, 210), (138, 226), (168, 218), (186, 194),
            (184, 166), (164, 148), (136, 148), (112, 164), (102, 186),
        ]
    ],
    "7": [[(80, 65), (140, 62), (200, 65), (170, 120), (145, 175), (128, 225)]],
    "8": [
        [
            (178, 78), (154, 58), (124, 60), (104, 80), (108, 106), (132, 128), (162, 148), (182, 174), (180, 206),
            (154, 226), (122, 222), (102, 198), (106, 170), (130, 146), (160, 124), (182, 100), (178, 76),
        ]
    ],
    "9": [
        [
            (180, 88), (162, 64), (132, 58), (106, 74), (98, 104), (112, 132), (142, 140), (170, 124), (182, 94),
            (180, 130), (174, 172), (164, 228),
        ]
    ],
}  # fmt: skip
THREE: Final = DIGITS["3"]
SEVEN: Final = DIGITS["7"]


# Where a sheet for several characters has the first of them, how far the next one is, and how large they are.
FIRST: Final = (-10, 50)
ADVANCE: Final = 120
WRITTEN_SCALE: Final = 0.75


def written(number: str) -> list[Stroke]:
    """Return the strokes of a number on the sheet for several characters."""
    left, top = FIRST
    return [
        [(left + ADVANCE * place + x * WRITTEN_SCALE, top + y * WRITTEN_SCALE) for x, y in stroke]
        for place, digit in enumerate(number)
        for stroke in DIGITS[digit]
    ]


def canvas_of(page: Page) -> Locator:
    """Return the canvas element that takes the strokes."""
    return page.locator("canvas.upper-canvas")


def wait_for_rerun(page: Page) -> None:
    """Wait until Streamlit has run the page to its end."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def wait_until_ready(page: Page) -> None:
    """Wait until Streamlit has run the page, the canvas is visible, and the scripts of the page have begun."""
    wait_for_rerun(page)
    expect(canvas_of(page)).to_be_visible()
    until(lambda: page.evaluate(HAS_SCRIPTS), TIMEOUT_MS / 1000)


def draw(page: Page, strokes: Sequence[Stroke]) -> None:
    """Draw with the mouse when the page is ready."""
    wait_until_ready(page)
    canvas_of(page).scroll_into_view_if_needed()
    draw_without_waiting(page, strokes)


def draw_and_expect(page: Page, strokes: Sequence[Stroke], label: str) -> None:
    """Draw with the mouse, and wait until the page shows this label as its answer to the finished drawing.

    Before, it shows answers to parts of the drawing, which may have the same label; they are not added to the gallery.
    """
    wait_until_ready(page)
    finished = page.evaluate("sheet.version") + len(strokes)
    draw(page, strokes)
    until(lambda: page.evaluate(IS_ANSWERED, finished), TIMEOUT_MS / 1000)
    expect(page.locator(".headline").first).to_have_attribute("data-label", label)


def draw_without_waiting(page: Page, strokes: Sequence[Stroke]) -> None:
    """Draw with the mouse at once."""
    for stroke in strokes:
        points = to_window(page, stroke)
        page.mouse.move(*points[0])
        page.mouse.down()
        for x, y in points[1:]:
            page.mouse.move(x, y)
        page.mouse.up()


def draw_with_finger(page: Page, strokes: Sequence[Stroke]) -> None:
    """Draw with a finger: real touch events, which would scroll the page if the canvas did not prevent it."""
    wait_until_ready(page)
    fingers = page.context.new_cdp_session(page)
    for stroke in strokes:
        points = to_window(page, stroke)
        send_touch(fingers, "touchStart", points[0])
        for point in points[1:]:
            send_touch(fingers, "touchMove", point)
        fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    fingers.detach()


def draw_with_pen(page: Page, strokes: Sequence[Stroke]) -> None:
    """Draw with the pen of a tablet."""
    wait_until_ready(page)
    pen = page.context.new_cdp_session(page)
    for stroke in strokes:
        points = to_window(page, stroke)
        kinds = ["mousePressed", *["mouseMoved"] * (len(points) - 1), "mouseReleased"]
        for kind, (x, y) in zip(kinds, [*points, points[-1]], strict=True):
            held = {"button": "left", "buttons": 0 if kind == "mouseReleased" else 1, "clickCount": 1, "pointerType": "pen"}
            pen.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **held})
    pen.detach()


def send_touch(fingers: CDPSession, kind: str, point: Point) -> None:
    """Send a touch event of one finger at one point."""
    fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": point[0], "y": point[1]}]})


def to_window(page: Page, stroke: Stroke) -> list[Point]:
    """Return a stroke in window coordinates; the page shows the canvas larger where there is room."""
    box = box_of(canvas_of(page))
    scale = box["width"] / canvas_of(page).evaluate("canvas => canvas.width")
    return [(box["x"] + x * scale, box["y"] + y * scale) for x, y in stroke]
