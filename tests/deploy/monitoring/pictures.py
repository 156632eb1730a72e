"""Pictures for docs/monitoring.md: ``python -m tests.deploy.monitoring.pictures`` plays the scenario of the alerts, photographs
Prometheus' own pages in Chromium, and draws the main panels of the dashboard from what Prometheus answers.

The drawings are not Grafana's: no Grafana server is at hand. Their series are those of the panels' expressions.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import matplotlib
from playwright.sync_api import ViewportSize, sync_playwright

from deploy.monitoring.panels import ROWS
from deploy.monitoring.queries import PanelSpec
from tests.browser.processes import launch_chromium
from tests.deploy.monitoring.prometheus import Prometheus
from tests.deploy.monitoring.scenario import LONG, SHORT, VARIABLES, Scenario
from tests.support.processes import ROOT

matplotlib.use("Agg")
from matplotlib import pyplot  # the backend comes first
from matplotlib.axes import Axes

FOLDER: Final = ROOT / "docs" / "images" / "monitoring"
SCREEN: Final[ViewportSize] = {"width": 1200, "height": 900}
DRAWN: Final = (
    "Requests by path",
    "Answers by status",
    "Failed and late, and their objectives",
    "Latency of /classify",
    "Images in flight",
    "Refused requests",
    "Restarts in 15 minutes",
    "Population stability index",
    "Labels against the reference",
)
MAX_SERIES: Final = 12
STEP_SECONDS: Final = 0.5
GRAPH: Final = "image_classifier:failed_requests:ratio_rate5m"
COLUMNS: Final = 3


def photograph(address: str, file: str) -> None:
    """Save a page of Prometheus as it looks in Chromium; Debian's package has the classic pages alone."""
    with sync_playwright() as playwright, launch_chromium(playwright) as chromium:
        tab = chromium.new_page(viewport=SCREEN)
        tab.goto(address)
        tab.wait_for_load_state("networkidle")
        tab.screenshot(path=FOLDER / file)


def series_of(prometheus: Prometheus, expression: str, seconds: float) -> list[dict[str, Any]]:
    """The series of an expression over the last seconds."""
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    end = prometheus.value("time()")
    parameters = {"query": expression, "start": f"{end - seconds}", "end": f"{end}", "step": f"{STEP_SECONDS}"}
    answer = httpx.get(f"{prometheus.address}/api/v1/query_range", params=parameters, timeout=30).json()
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def draw(axes: Axes, panel: PanelSpec, prometheus: Prometheus, seconds: float) -> None:
    """Draw the series of a panel, those with the largest values first."""
    end = prometheus.value("time()")
    lines = []
    for query in panel.queries:
        for series in series_of(prometheus, query.expression, seconds):
            legend = query.legend
            for name, value in series["metric"].items():
                legend = legend.replace(f"{{{{{name}}}}}", value)
            points = [(float(time) - end, float(value)) for time, value in series["values"]]
            lines.append((max(abs(value) for _, value in points), legend, points))
    for _, legend, points in sorted(lines, key=lambda line: -line[0] if line[0] == line[0] else 0)[:MAX_SERIES]:
        axes.plot(*zip(*points, strict=True), label=legend, linewidth=1.2)
    axes.set_title(f"{panel.title} [{panel.unit}]", fontsize=9)
    axes.tick_params(labelsize=7)
    axes.legend(fontsize=6, loc="upper left")
    axes.grid(alpha=0.3)


def draw_panels(servers: Mapping[str, Prometheus], seconds: float) -> None:
    """Save the main panels in one picture."""
    panels = [panel for row in ROWS.values() for panel in row if panel.title in DRAWN]
    rows = -(-len(panels) // COLUMNS)
    figure, grid = pyplot.subplots(rows, COLUMNS, figsize=(14, 3 * rows), layout="constrained")
    for axes, panel in zip(grid.flat, panels, strict=True):
        drift = "reference" in panel.title or "stability" in panel.title
        draw(axes, panel, servers[LONG if drift else SHORT], seconds)
    figure.suptitle("Drawn with matplotlib from Prometheus; x: seconds, of which 1 stands for 5 minutes (drift: for 33)")
    figure.savefig(FOLDER / "panels.png", dpi=80)


def watch(part: str, servers: Mapping[str, Prometheus]) -> None:
    """Take the pictures of a part of the scenario."""
    if part == "overload":
        photograph(f"{servers[SHORT].address}/classic/alerts", "alerts.png")
    elif part == "resolved":
        photograph(f"{servers[SHORT].address}/classic/graph?g0.expr={GRAPH}&g0.tab=0&g0.range_input=2m", "graph.png")
        draw_panels(servers, 90)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        Scenario(Path(folder), watch).play()
