"""The drawing canvas and its tools: nothing that a visitor does on it is lost, whenever it happens."""

import io
from collections.abc import Sequence

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.boxes import box_of
from tests.browser.processes import TIMEOUT_MS, ServiceSwitch
from tests.browser.strokes import (
    DIGITS,
    SEVEN,
    THREE,
    Point,
    Stroke,
    canvas_of,
    draw,
    draw_and_expect,
    draw_without_waiting,
    to_window,
    wait_until_ready,
)
from tests.support.waiting import until
from tests.ui.fake_service import FakeService, classification

pytestmark = pytest.mark.browser

LINE: Stroke = [(60, 60), (220, 60)]
OTHER_LINE: Stroke = [(60, 220), (220, 220)]


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def page(desktop: Page, service: FakeService, switch: ServiceSwitch, switched_page: str) -> Page:
    switch.target = service
    desktop.goto(switched_page)
    wait_until_ready(desktop)
    return desktop


def tool(page: Page, name: str) -> Locator:
    return page.locator(".st-key-tools").get_by_role("button", name=name)


def empty_hint(page: Page) -> Locator:
    return page.locator(".empty-hint")


def sent_picture(service: FakeService) -> Image.Image:
    """Return the picture of the last request, 280x280 in grey."""
    return Image.open(io.BytesIO(service.requests_to("/classify")[-1].content)).convert("L")


def expect_ink(service: FakeService, at: Sequence[Point] = (), *, not_at: Sequence[Point] = ()) -> None:
    """Wait until the service has been asked about a picture with black ink at these points, and white paper at those."""

    def matches() -> bool:
        if not service.requests_to("/classify"):
            return False
        picture = sent_picture(service)
        ink = [picture.getpixel((int(x), int(y))) for x, y in at]
        paper = [picture.getpixel((int(x), int(y))) for x, y in not_at]
        return all(level == 0 for level in ink) and all(level == 255 for level in paper)

    until(matches, TIMEOUT_MS / 1000)


def drag(page: Page, points: Sequence[Point]) -> None:
    """Press the mouse at the first point of the window, and release it at the last."""
    page.mouse.move(*points[0])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(x, y, steps=5)
    page.mouse.up()


def selected_text(page: Page) -> str:
    return str(page.evaluate("String(getSelection())"))


def draw_and_wait(page: Page, strokes: Sequence[Stroke]) -> None:
    """Draw, and wait until the page has answered."""
    draw(page, strokes)
    expect(page.locator(".headline")).to_be_visible()
    wait_until_ready(page)


@pytest.mark.parametrize("key", ["Delete", "Control+z", None])
def test_clear_right_after_a_stroke_is_not_lost(page: Page, service: FakeService, key: str | None) -> None:
    button = box_of(tool(page, "Clear"))
    for _ in range(4):
        draw_without_waiting(page, [LINE])
        if key:
            page.keyboard.press(key)
        else:
            page.mouse.click(button["x"] + button["width"] / 2, button["y"] + button["height"] / 2)
        draw_without_waiting(page, [OTHER_LINE])
        expect_ink(service, [(140, 220)], not_at=[(140, 60)])
        expect(tool(page, "Clear")).to_be_enabled()
        wait_until_ready(page)
        tool(page, "Clear").click()
        expect(empty_hint(page)).to_be_visible()


def test_a_stroke_right_after_undo_is_not_lost(page: Page, service: FakeService) -> None:
    for _ in range(4):
        draw_without_waiting(page, [LINE])
        page.keyboard.press("Control+z")
        draw_without_waiting(page, [OTHER_LINE])
        expect_ink(service, [(140, 220)], not_at=[(140, 60)])
        page.keyboard.press("Delete")


def test_shortcuts_work_while_a_setting_has_the_focus(page: Page) -> None:
    draw_and_wait(page, [LINE])
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="digits").click()
    page.keyboard.press("Delete")
    expect(tool(page, "Clear")).to_be_disabled()
    expect(empty_hint(page)).to_be_visible()
    page.keyboard.press("Control+z")
    expect(tool(page, "Clear")).to_be_enabled()


def test_shortcuts_leave_texts_alone_that_are_being_edited(page: Page) -> None:
    draw_and_wait(page, [LINE])
    tool(page, "Pen").click()
    page.get_by_role("button", name="Ink color picker").click()
    text = page.get_by_test_id("stColorPickerPopover").locator("input").first
    text.click()
    page.keyboard.press("Delete")
    page.keyboard.press("Control+z")
    expect(tool(page, "Clear")).to_be_enabled()


def test_shortcuts_leave_no_focus_ring_around_the_page(page: Page) -> None:
    main = page.get_by_test_id("stMain")
    for key in ("Control+z", "Enter", "Delete"):
        draw_and_wait(page, [LINE])
        if key != "Control+z":
            page.get_by_role("heading", name="Image classifier").click()
        page.keyboard.press(key)
        assert not main.evaluate("main => main.matches(':focus-visible')")


def test_stroke_from_outside_draws_from_the_edge_on(page: Page, service: FakeService) -> None:
    [(left, middle), (right, _)] = to_window(page, [(0, 140), (280, 140)])
    drag(page, [(left - 12, middle), *to_window(page, [(60, 140)])])
    expect_ink(service, [(2, 140), (40, 140)], not_at=[(140, 140)])
    page.keyboard.press("Delete")
    # From a text of the page, quickly: the browser reports few points.
    heading = box_of(page.get_by_role("heading", name="Image classifier"))
    drag(page, [(heading["x"] + 5, heading["y"] + heading["height"] / 2), to_window(page, [(140, 140)])[0]])
    assert selected_text(page) == ""
    expect_ink(service, [(138, 138)])
    assert right > left


def test_stroke_that_leaves_and_comes_back_continues(page: Page, service: FakeService) -> None:
    drag(page, to_window(page, [(140, 60), (300, 60), (300, 220), (140, 220)]))
    expect_ink(service, [(200, 60), (270, 60), (270, 220), (150, 220)], not_at=[(200, 140)])
    assert selected_text(page) == ""
    tool(page, "Undo").click()
    expect(tool(page, "Clear")).to_be_disabled()


def test_dragging_outside_the_canvas_selects_text_as_usual(page: Page) -> None:
    box = box_of(empty_hint(page).locator("p").first)
    y = box["y"] + box["height"] / 2
    drag(page, [(box["x"] + 1, y), (box["x"] + 80, y)])
    assert selected_text(page) != ""
    expect(tool(page, "Clear")).to_be_disabled()


def test_escape_in_the_colour_picker_keeps_the_colour(page: Page, service: FakeService) -> None:
    draw(page, [LINE])
    tool(page, "Pen").click()
    page.get_by_role("button", name="Background color picker").click()
    popover = page.get_by_test_id("stColorPickerPopover")
    popover.locator("input").first.fill("#00FF00")
    page.keyboard.press("Escape")
    expect(popover).to_have_count(0)
    expect(page.get_by_role("slider", name="Stroke width")).to_be_visible()
    green = Image.new("RGB", (1, 1), "#00FF00").convert("L").getpixel((0, 0))
    until(lambda: sent_picture(service).getpixel((140, 220)) == green, TIMEOUT_MS / 1000)
    page.keyboard.press("Escape")
    expect(page.get_by_role("slider")).to_have_count(0)


def test_undone_strokes_can_be_redone_until_a_new_one(page: Page, service: FakeService) -> None:
    draw(page, DIGITS["4"])
    expect(tool(page, "Redo")).to_be_disabled()
    tool(page, "Undo").click()
    tool(page, "Undo").click()
    expect(empty_hint(page)).to_be_visible()
    before = len(service.requests_to("/classify"))
    tool(page, "Redo").click()
    page.keyboard.press("Control+Shift+z")
    until(lambda: len(service.requests_to("/classify")) > before, TIMEOUT_MS / 1000)
    expect_ink(service, [(164, 108), (112, 158)])
    page.keyboard.press("Delete")
    expect(empty_hint(page)).to_be_visible()
    page.keyboard.press("Control+z")  # a drawing that was cleared by mistake comes back
    expect_ink(service, [(164, 108), (112, 158)])
    page.keyboard.press("Control+z")
    draw(page, [OTHER_LINE])
    expect(tool(page, "Redo")).to_be_disabled()
    wait_until_ready(page)
    expect(page.locator(".card")).to_have_count(1)


def test_erased_ink_stays_erased_in_other_colours(page: Page, service: FakeService) -> None:
    expect(tool(page, "Eraser")).to_be_disabled()
    draw(page, [LINE])
    tool(page, "Eraser").click()
    draw(page, [[(140, 30), (140, 90)]])
    expect_ink(service, [(80, 60), (200, 60)], not_at=[(140, 60)])
    tool(page, "White on black").click()
    expect(tool(page, "White on black")).to_have_attribute("aria-pressed", "true")

    def inverted() -> bool:
        picture = sent_picture(service)
        return [picture.getpixel((x, 60)) for x in (80, 140, 200)] == [255, 0, 255]

    until(inverted, TIMEOUT_MS / 1000)
    tool(page, "White on black").click()
    expect_ink(service, [(80, 60), (200, 60)], not_at=[(140, 60)])
    tool(page, "Eraser").click()
    draw(page, [[(140, 30), (140, 90)]])
    expect_ink(service, [(140, 60)])
    expect(page.locator(".card")).to_have_count(1)


def test_colours_stay_swapped_after_a_chosen_colour(page: Page, service: FakeService) -> None:
    tool(page, "Pen").click()
    swatch = page.get_by_role("button", name="Ink color picker")
    swatch.click()
    page.get_by_test_id("stColorPickerPopover").locator("input").first.fill("#0000FF")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.get_by_role("slider")).to_have_count(0)
    tool(page, "White on black").click()
    expect(tool(page, "White on black")).to_have_attribute("aria-pressed", "true")
    wait_until_ready(page)
    draw(page, [LINE])
    blue = Image.new("RGB", (1, 1), "#0000FF").convert("L").getpixel((0, 0))

    def inverted() -> bool:
        picture = sent_picture(service) if service.requests_to("/classify") else None
        return picture is not None and [picture.getpixel((140, y)) for y in (60, 140)] == [255, blue]

    until(inverted, TIMEOUT_MS / 1000)


def test_the_canvas_grows_and_the_picture_stays_the_same(page: Page, service: FakeService) -> None:
    sizes, pictures = [], []
    for width, height in ((390, 844), (1280, 900), (1920, 1200)):
        page.set_viewport_size({"width": width, "height": height})
        canvas_of(page).scroll_into_view_if_needed()
        box = box_of(canvas_of(page))
        assert box["width"] == pytest.approx(box["height"], abs=1)
        sizes.append(box["width"])
        draw_and_wait(page, [LINE])  # or the answer to the same picture, drawn again, would be known
        page.keyboard.press("Delete")
        expect(empty_hint(page)).to_be_visible()
        service.requests.clear()
        for stroke in SEVEN:
            drag(page, to_window(page, stroke))
        until(lambda: service.requests_to("/classify"), TIMEOUT_MS / 1000)
        pictures.append(sent_picture(service))
        page.keyboard.press("Delete")
        expect(empty_hint(page)).to_be_visible()
    assert 280 <= sizes[0] < sizes[1] <= sizes[2] <= 560
    for picture in pictures[1:]:
        different = sum(abs(one - other) > 128 for one, other in zip(picture.tobytes(), pictures[0].tobytes(), strict=True))
        assert different < 40  # of some 5000 pixels of ink: the mouse moves in steps of whole pixels


def test_the_answer_follows_the_pen(page: Page, service: FakeService) -> None:
    points = to_window(page, THREE[0])
    page.mouse.move(*points[0])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(x, y, steps=4)

    def is_answered_while_it_moves() -> bool:
        # An answer that takes too long, as on a busy machine, is not shown; the next movement asks for another one.
        for x, y in points[-2:]:
            page.mouse.move(x, y)
        return page.locator('.headline[data-label="7"]').count() == 1

    until(is_answered_while_it_moves, TIMEOUT_MS / 1000)
    expect(page.locator(".model-input img")).to_be_visible()
    assert service.requests_to("/classify") == []
    expect(page.locator(".card")).to_have_count(0)  # what is not finished is kept nowhere
    expect(page.locator(".st-key-announcer p")).to_be_empty()
    page.mouse.up()
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator(".st-key-announcer p")).not_to_be_empty()
    assert len(service.requests_to("/classify")) == 1


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_bars_glide_unless_the_visitor_wants_less_motion(page: Page, service: FakeService, motion: str) -> None:
    page.emulate_media(reduced_motion="reduce" if motion == "reduce" else "no-preference")
    page.evaluate(
        """() => {
            const animate = Element.prototype.animate;
            window.glided = new Set();
            Element.prototype.animate = function (...how) {
                glided.add(this.className);
                return animate.apply(this, how);
            };
        }"""
    )
    draw_and_expect(page, [LINE], "7")
    wait_until_ready(page)
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification("4", probabilities={"4": 0.8, "7": 0.2}))
    draw_and_expect(page, [OTHER_LINE], "4")
    wait_until_ready(page)
    assert page.evaluate("[...glided]") == ([] if motion == "reduce" else ["bar-fill"])
    page.emulate_media(reduced_motion="no-preference")


def test_tools_fit_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    boxes = [box_of(each) for each in page.locator(".st-key-tools button").all()]
    assert len(boxes) == 6
    for box in boxes:
        assert box["width"] >= 36 and box["height"] >= 44
        assert box["y"] == boxes[0]["y"]
        assert box["x"] + box["width"] <= 320
