"""The page of a load report and its charts, as text and in a real Chromium without a network."""

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from loadtests.generator.arrivals import steps
from loadtests.peak.charts import charts
from loadtests.peak.drawing import PALETTE, Chart, spread
from loadtests.peak.page import command, main, write
from loadtests.peak.results import LoadReport, Peak
from tests.browser.processes import CHROMIUM, NO_CHROMIUM, launch_chromium
from tests.support.load_reports import Service, make_closed_loop, make_report, make_run, make_scenario, search_report

MARKUP = b'{"label":"<img src=http://192.0.2.1/x.png onerror=alert(1)>"}'
VOID = "the generator sent 1 % of the requests more than 14.2 ms late; 10 ms are allowed"
BY_RATE = ["latency", "throughput", "outcomes", "stages", "batches", "queue", "cpu", "memory"]
NO_PEAK = Peak(rate=None, confirmed=False, spread=0.0, noisy=False)
# Colours of texts; the others fill areas only.
TEXT_COLOURS = ("ink", "muted", "blue", "orange", "teal", "purple", "red")


@pytest.fixture(scope="module")
def report() -> LoadReport:
    """A search with a void run, wrong labels that contain markup, and a scenario."""
    report = search_report(seconds=1, title="Peak of <b>digits</b>")
    report.runs.append(make_run(Service(), 660, "search", 5, void=VOID, seconds=1))
    service = Service(wrong=0.01, error=0.01, wrong_body=MARKUP)
    report.runs.append(make_scenario(service, "steps", steps(450, 10, 5), 450, 10))
    return report


@pytest.fixture(scope="module")
def drawn(report: LoadReport) -> dict[str, Chart]:
    return {chart.name: chart for chart in charts(report)}


@pytest.fixture(scope="module")
def page_file(report: LoadReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(report, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, which ends with this module: Playwright keeps an event loop running in this thread."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        yield browser
        browser.close()


class Elements(HTMLParser):
    """The ids and the addresses in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "action", "data"):
                self.addresses.append(value or "")


def test_a_report_is_written_as_a_page_json_and_a_png_for_each_chart(report: LoadReport, page_file: Path) -> None:
    folder = page_file.parent
    assert LoadReport.model_validate_json((folder / "report.json").read_text(encoding="utf-8")) == report
    names = ["seconds-1-steps", *BY_RATE]
    assert {path.name for path in folder.iterdir()} == {"report.html", "report.json", *(f"{name}.png" for name in names)}
    for name in names:
        with Image.open(folder / f"{name}.png") as image:
            assert image.width > 800
            darkest, lightest = image.convert("L").getextrema()
            assert darkest < 100 and lightest > 240


def test_a_page_needs_nothing_else(page_file: Path) -> None:
    text = page_file.read_text(encoding="utf-8")
    elements = Elements(text)
    assert all(address.startswith(("#", "data:")) for address in elements.addresses)
    assert not elements.tags & {"script", "img", "iframe", "object", "embed"}
    assert "@import" not in text and "<?xml" not in text and "<metadata" not in text
    assert set(re.findall(r"url\((.)", text)) <= {"#"}


def test_ids_are_unique_and_references_lead_to_them(page_file: Path) -> None:
    elements = Elements(page_file.read_text(encoding="utf-8"))
    assert len(elements.ids) == len(set(elements.ids))
    assert {address[1:] for address in elements.addresses if address.startswith("#")} <= set(elements.ids)


def test_texts_of_responses_and_titles_are_escaped(page_file: Path) -> None:
    text = page_file.read_text(encoding="utf-8")
    assert "<img" not in text and "&lt;img src=http://192.0.2.1/x.png onerror=alert(1)&gt;" in text
    assert "<b>" not in text and "Peak of &lt;b&gt;digits&lt;/b&gt;" in text


def test_colours_of_charts_follow_the_theme(page_file: Path) -> None:
    figures = re.findall("<figure.*?</figure>", page_file.read_text(encoding="utf-8"), re.DOTALL)
    assert len(figures) == 1 + len(BY_RATE)
    for figure in figures:
        assert not re.search("#[0-9a-f]{6}", figure, re.IGNORECASE)
        assert "var(--ink)" in figure and "var(--blue)" in figure


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", TEXT_COLOURS)
def test_texts_have_enough_contrast(name: str, theme: int) -> None:
    """WCAG 2 level AA."""
    dark, light = sorted(luminance(PALETTE[colour][theme]) for colour in (name, "ground"))
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_void_runs_are_hollow_and_no_part_of_the_line(drawn: dict[str, Chart]) -> None:
    lines = drawn["latency"].figure.axes[0].get_lines()
    hollow = [line for line in lines if line.get_markerfacecolor() == "none"]
    assert [np.asarray(line.get_xdata()).tolist() for line in hollow] == [[660.0]] * 3
    assert all(660.0 not in np.asarray(line.get_xdata()).tolist() for line in lines if line not in hollow)


def test_the_latency_chart_marks_objective_and_peak(drawn: dict[str, Chart]) -> None:
    texts = [text.get_text() for text in drawn["latency"].figure.axes[0].texts]
    assert texts == ["objective 50 ms", "peak 360/s", "p50", "p90", "p99"]


def test_rows_of_outcomes_add_up_to_all_requests(drawn: dict[str, Chart]) -> None:
    axes = drawn["outcomes"].figure.axes[0]
    rows = [sum(bar.get_width() for bar in bars) for bars in zip(*axes.containers, strict=True)]
    assert len(rows) == len(axes.get_yticklabels()) == 9
    assert rows == pytest.approx([100] * 9)


def test_labels_beside_lines_are_moved_apart() -> None:
    assert spread([0.1, 0.11, 0.5], 0.1) == pytest.approx([0.1, 0.2, 0.5])
    assert spread([0.95, 0.97, 1.0], 0.1) == pytest.approx([0.8, 0.9, 1.0])
    assert spread([], 0.1) == []


def test_a_single_scenario_is_drawn_over_its_seconds() -> None:
    report = make_report([make_scenario(Service(), "ramp", steps(100, 3, 3), 100, 3)])
    report.runs[0].service.batch_sizes.clear()
    assert [chart.name for chart in charts(report)] == ["seconds-1-ramp"]


LITTLE: dict[str, Callable[[], LoadReport]] = {
    "no runs": lambda: make_report([]),
    "all void": lambda: make_report([make_run(Service(), 50, void=VOID, seconds=1)], NO_PEAK),
    "all failed": lambda: make_report([make_run(Service(error=1), 50, seconds=1)], NO_PEAK),
    "closed loop": lambda: make_report([make_closed_loop(Service(), "scenario", "single-stream", requests=100)]),
}


@pytest.mark.parametrize("name", LITTLE)
def test_a_report_with_little_in_it_has_a_page(name: str, tmp_path: Path) -> None:
    report = LITTLE[name]()
    for run in report.runs:
        run.service.resources.clear()
        run.service.stages.clear()
    text = write(report, tmp_path).read_text(encoding="utf-8")
    assert text.count("<figure") == len(list(tmp_path.glob("*.png"))) == len(charts(report))
    assert 'class="verdict' in text


def test_the_command_repeats_the_test() -> None:
    start = "make loadtest WORKERS=2 SLO_MS=50"
    scenario = make_report([make_run(Service(), 80, "scenario", seed=3, seconds=1)])
    assert command(scenario) == f"{start} SCENARIO=server RATE=80 MODEL=digits MIX=canvas DURATION=1 SEED=3"
    runs = [make_run(Service(), 80, "search", 1, seconds=1), make_run(Service(), 80, "confirmation", 2, seconds=2)]
    runs[1].result.settings["models"] = "my model:2"
    search = make_report(runs, Peak(rate=80, confirmed=True, spread=0, noisy=False))
    assert command(search) == f"{start} MODEL='my model:2' MIX=canvas DURATION=2 SEED=1"
    search.seconds = 0.5  # a confirmation lasts longer where few requests are due
    assert command(search) == f"{start} MODEL='my model:2' MIX=canvas DURATION=0.5 SEED=1"


def test_a_page_can_be_written_again_from_its_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = write(make_report([make_run(Service(), 80, "scenario", seconds=1)]), tmp_path)
    before = page.read_text(encoding="utf-8")
    assert main([str(tmp_path / "report.json"), str(tmp_path / "again")]) == 0
    again = Path(capsys.readouterr().out.strip())
    assert again == tmp_path / "again" / "report.html"
    assert again.read_text(encoding="utf-8") == before


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_opens_without_a_network_in_both_themes(browser: Browser, page_file: Path, scheme: str, width: int) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme="dark" if scheme == "dark" else "light", offline=True
    )
    tab = context.new_page()
    requests: list[str] = []
    errors: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("console", lambda message: errors.append(message.text))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(page_file.as_uri())
    assert requests == [page_file.as_uri()]
    assert errors == []
    check_charts(tab, width)
    ground, ink = (luminance(hexadecimal(tab, script)) for script in (GROUND, TITLE_OF_CHART))
    assert (ground < 0.05 < ink) if scheme == "dark" else (ink < 0.05 < ground)
    context.close()


GROUND = "getComputedStyle(document.body).backgroundColor"
TITLE_OF_CHART = (
    "getComputedStyle([...document.querySelectorAll('#latency text')].find(e => /^Latency/.test(e.textContent))).fill"
)


def hexadecimal(tab: Page, script: str) -> str:
    """A computed colour such as ``rgb(1, 2, 3)`` as ``#010203``."""
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", tab.evaluate(script)))


def check_charts(tab: Page, width: int) -> None:
    """Every chart is visible with readable text, and nothing makes the page scroll sideways."""
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    figures = tab.locator("figure svg")
    assert figures.count() == 1 + len(BY_RATE)
    for place in range(figures.count()):
        box = figures.nth(place).bounding_box()
        assert box is not None and box["width"] > 300 and box["height"] > 120
    heights = tab.evaluate("[...document.querySelectorAll('figure text')].map(text => text.getBoundingClientRect().height)")
    assert len(heights) > 100 and min(heights) > 8
