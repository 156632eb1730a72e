"""The answer in a real Chromium with the real service: it moves nothing, and a wrong one can be corrected."""

import re

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.strokes import (
    DIGITS,
    SEVEN,
    Stroke,
    draw,
    draw_and_expect,
    draw_with_finger,
    wait_for_rerun,
    wait_until_ready,
)

pytestmark = pytest.mark.browser

LETTER_A: list[Stroke] = [[(84, 226), (112, 150), (142, 56)], [(142, 56), (170, 146), (200, 226)], [(104, 164), (182, 162)]]
TWO_DIGITS: list[Stroke] = [
    [(x * 0.45 + 10, y * 0.45 + 70) for x, y in DIGITS["3"][0]],
    [(x * 0.45 + 135, y * 0.45 + 70) for x, y in SEVEN[0]],
]
HEART: list[Stroke] = [
    [
        (140, 90), (120, 62), (90, 60), (72, 85), (78, 120), (105, 165), (140, 215),
        (175, 165), (202, 120), (208, 85), (190, 60), (160, 62), (140, 90),
    ]
]  # fmt: skip
MAX_SHIFT = 0.02

# Records every layout shift, also those that the browser excuses because of a click just before.
WATCH_SHIFTS = """() => {
  window.shifts = [];
  const places = one => [one.node?.className ?? one.node?.nodeName ?? "", one.previousRect.y, one.currentRect.y];
  window.recordShifts = list => list.forEach(each => shifts.push([each.value, each.sources.map(places)]));
  window.shiftObserver = new PerformanceObserver(list => recordShifts(list.getEntries()));
  shiftObserver.observe({ type: "layout-shift" });
}"""
# Resolves with the recorded shifts when the browser has painted what there is now.
SHIFTS = """() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
  recordShifts(shiftObserver.takeRecords());
  resolve(shifts);
}, 100))))"""


def headline(page: Page) -> Locator:
    return page.locator(".headline")


def check_shifts(page: Page) -> None:
    wait_for_rerun(page)
    shifts = page.evaluate(SHIFTS)
    assert sum(value for value, _ in shifts) < MAX_SHIFT, shifts


def test_first_answer_moves_nothing(page: Page) -> None:
    wait_until_ready(page)
    page.evaluate(WATCH_SHIFTS)
    draw_and_expect(page, SEVEN, "7")
    check_shifts(page)


def test_first_answer_moves_nothing_on_a_phone(phone: Page, page_address: str) -> None:
    phone.goto(page_address)
    wait_until_ready(phone)
    phone.evaluate(WATCH_SHIFTS)
    draw_with_finger(phone, SEVEN)
    expect(headline(phone)).to_have_attribute("data-label", "7")
    check_shifts(phone)


def test_wrong_answer_is_corrected_and_kept(page: Page, service_address: str) -> None:
    draw_and_expect(page, SEVEN, "7")
    wait_for_rerun(page)
    page.get_by_role("button", name="Wrong?").click()
    page.get_by_role("radio", name="1", exact=True).click()
    corrected = page.locator(".corrected")
    expect(corrected).to_have_text("You said it is “1”.")
    expect(page.locator("[class*=st-key-right-label]")).to_have_count(0)  # the labels are closed
    with httpx.Client(base_url=service_address, timeout=30) as service:
        before = service.get("/gallery").json()["total"]
        page.get_by_role("button", name="so that the model can learn from it").click()
        expect(corrected).to_contain_text("It is saved")
        saved = service.get("/gallery").json()
        assert saved["total"] == before + 1
        assert (saved["entries"][0]["label"], saved["entries"][0]["corrected"]) == ("7", "1")
        wait_for_rerun(page)
        page.get_by_role("button", name="Take back").click()
        expect(corrected).to_have_count(0)
        expect(headline(page)).to_have_attribute("data-label", "7")


def test_rejected_letter_is_offered_to_a_model_of_letters(page: Page) -> None:
    draw(page, LETTER_A)
    expect(page.locator(".notice-title")).to_have_text("I do not recognise this.")
    expect(headline(page)).to_contain_text("It might be")
    expect(page.locator(".bar.predicted")).to_have_count(0)
    expect(page.locator(".offer").filter(has_text="letters reads this as “A”.")).to_be_visible()
    page.get_by_role("button", name="Switch to letters").click()
    expect(headline(page)).to_have_attribute("data-label", "A")
    expect(page.locator(".headline .label")).to_have_text("A")
    expect(page.locator(".offer")).to_have_count(0)


def test_heart_is_offered_to_the_model_of_categories(page: Page) -> None:
    draw(page, HEART)
    expect(page.locator(".offer").filter(has_text="category reads this as “drawing”.")).to_be_visible()
    page.get_by_role("button", name="Switch to category").click()
    expect(page.locator(".headline .label")).to_have_text("drawing")


def test_several_characters_are_said_to_be_several(page: Page) -> None:
    draw(page, TWO_DIGITS)
    expect(page.locator(".notice-title")).to_have_text("I see several characters; this model reads one at a time.")
    expect(page.get_by_role("status").filter(has_text="I see several characters")).to_have_count(1)


def test_korean_page_has_no_english_sentences(page: Page, page_address: str) -> None:
    page.goto(f"{page_address}/?lang=ko")
    draw(page, LETTER_A)
    expect(page.locator(".offer").first).to_be_visible()
    page.get_by_text("이 답이 나온 과정").click()
    expect(page.locator(".stages img")).to_have_count(4)
    wait_for_rerun(page)
    expect(page.get_by_text("손으로 쓴 숫자")).to_be_visible()
    assert re.findall(r"[A-Za-z']+(?:[ ,]+[A-Za-z']+){2,}", page.get_by_test_id("stMain").inner_text()) == []
