"""The benchmark report: medians, ratios, targets, the page and the chart."""

from pathlib import Path

import pytest
from PIL import Image, ImageColor

from loadtests.benchmark.__main__ import main
from loadtests.benchmark.report import COLOURS, draw_chart, render_page
from loadtests.benchmark.results import Results, read_results, write_results
from loadtests.benchmark.scenarios import COMPARED
from loadtests.benchmark.targets import TARGETS, evaluate
from loadtests.processes import SERVERS
from loadtests.report import Bound, Check
from tests.loadtests.results import measurement, results


def test_failed_requests_do_not_count_as_throughput() -> None:
    measured = measurement("bentoml", "canvas@32", requests=1000, status_errors=80, socket_errors=5, seconds=2.0)
    assert measured.rate == 460.0
    assert measured.errors == 85
    assert measured.cpu_ms == 1.0


def test_load_without_responses_has_figures() -> None:
    measured = measurement("bentoml", "canvas@32", requests=0, socket_errors=32)
    assert (measured.rate, measured.cpu_ms) == (0.0, 1000.0)


def test_medians_are_over_rounds_and_errors_are_summed() -> None:
    rounds = [measurement("fastapi", "canvas@32", n, requests=n * 100, status_errors=0, socket_errors=n) for n in (1, 2, 9)]
    median = results(*rounds, measurement("fastapi", "small@32")).medians()["canvas@32", "fastapi"]
    assert (median["rate"], median["requests"], median["errors"]) == (200.0, 1200, 12)


def test_ratio_of_two_servers() -> None:
    found = results(measurement("embedded", "canvas@32", requests=1200), measurement("fastapi", "canvas@32", requests=1000))
    assert found.ratio("rate", "canvas@32", "embedded", "fastapi") == pytest.approx(1.2)
    assert found.ratio("rate", "canvas@32", "embedded", "bentoml") is None


def test_ratio_to_a_server_without_responses_is_none() -> None:
    found = results(measurement("embedded", "canvas@32"), measurement("bentoml", "canvas@32", requests=0))
    assert found.ratio("rate", "canvas@32", "embedded", "bentoml") is None


@pytest.mark.parametrize(
    ("bound", "at_least", "reached"), [(1.2, True, True), (1.3, True, False), (1.2, False, True), (1.1, False, False)]
)
def test_target_is_reached_at_its_bound(bound: float, at_least: bool, reached: bool) -> None:
    assert Bound(bound, at_least=at_least).allows(1.2) is reached


def evaluated(*measured: str) -> dict[str, Check]:
    """The results by target; every server in ``measured`` had the same figures in every scenario."""
    scenarios = (*(one.name for one in COMPARED), "canvas@64")
    found = results(
        *(measurement(name, scenario) for name in measured for scenario in scenarios),
        measurement("embedded", "batch@4", requests=25),
    )
    return {result.name: result for result in evaluate(found)}


def test_unmeasured_target_is_neither_reached_nor_missed() -> None:
    found = evaluated("embedded")
    assert found["requests/s, embedded to the simplest FastAPI, canvas@32"].passed is None
    assert found["CPU a request, the simplest FastAPI to embedded, drawing@1"].passed is None
    assert found["wrong or failed answers under mixed load, runner"].passed is None


def test_targets_use_the_figures_they_name() -> None:
    found = evaluated("embedded", "simplest", "bentoml", "runner")
    assert len(found) == len(TARGETS)
    assert found["requests/s, embedded to the simplest FastAPI, canvas@32"].measured == 1.0
    assert found["p50, embedded to the simplest FastAPI, drawing@1"].passed is True
    assert found["p99, embedded to the simplest FastAPI, drawing@32"].passed is False
    assert found["CPU a request, the simplest FastAPI to embedded, drawing@32"].passed is True
    assert found["CPU a request, the simplest FastAPI to embedded, small@1"].passed is False
    assert found["requests/s, embedded to BentoML as documented, canvas@32"].passed is False
    assert found["errors of the long run, embedded, canvas@32"].passed is True
    assert found["errors of the long run, runner, canvas@64"].measured == 3.0
    assert found["largest difference of a probability, embedded"].measured == 2e-6
    assert found["wrong or failed answers under mixed load, embedded"].measured == 1
    beside = "p50 on digits, beside load on a slow model to beside load on digits"
    assert (found[beside].measured, found[beside].passed) == (0.75, True)
    assert found["s from the start to the first right answer, all models"].passed is True
    assert found["MB of the largest process, all models"].passed is None
    assert found["images/s of /classify/batch to the limit without HTTP, small"].measured == pytest.approx(25 * 64 / 2000)


@pytest.mark.parametrize(("cpu_seconds", "passed"), [(1.2, True), (1.19, False)])
def test_cpu_target_divides_the_simplest_fastapi_by_this_service(cpu_seconds: float, passed: bool) -> None:
    found = results(measurement("embedded", "small@1"), measurement("simplest", "small@1", cpu_seconds=cpu_seconds))
    (check,) = [one for one in evaluate(found) if one.name == "CPU a request, the simplest FastAPI to embedded, small@1"]
    assert check.measured == pytest.approx(cpu_seconds)
    assert check.passed is passed


def test_targets_hold_every_image_against_the_simplest_fastapi() -> None:
    images = {one.image for one in COMPARED}
    for figure, connections in (("CPU a request, the simplest FastAPI to embedded", (1, 32)), ("p50", (1,)), ("p99", (32,))):
        named = figure if figure.startswith("CPU") else f"{figure}, embedded to the simplest FastAPI"
        assert {name for name in TARGETS if name.startswith(named)} == {
            f"{named}, {image}@{number}" for image in images for number in connections
        }


def all_servers(*left_out: str) -> Results:
    """Results of every server but those left out: each takes more CPU time than the one before it."""
    return results(
        *(
            measurement(name, scenario.name, requests=1000 // place, cpu_seconds=1.0, p99_ms=10.0 * place)
            for place, name in enumerate(SERVERS, 1)
            if name not in left_out
            for scenario in COMPARED
        )
    )


def test_results_survive_a_round_trip(tmp_path: Path) -> None:
    found = results(measurement("fastapi", "canvas@32"), measurement("embedded", "canvas@32", requests=1500))
    write_results(found, tmp_path / "build" / "results.json")
    assert read_results(tmp_path / "build" / "results.json") == found


def test_page_has_every_figure() -> None:
    found = results(measurement("simplest", "canvas@32"), measurement("embedded", "canvas@32", requests=1500, status_errors=1))
    page = render_page(found, "images/benchmark.png")
    assert "Medians over 1 x 1 s; the run took 25 minutes." in page
    assert "Abacus, 2 cores, 8 GB" in page
    assert "| this service, embedded | 0.67 | 1.50 | 1,499 | 1.50 | 2.0 | 10.0 | 1 of 1,500 |" in page
    assert "| requests/s, embedded to the simplest FastAPI, canvas@32 | at least 1.2 | 1.5 | yes |" in page
    assert "| CPU a request, the simplest FastAPI to embedded, canvas@32 | at least 1.2 | 1.5 | yes |" in page
    assert "| errors of the long run, runner, canvas@64 | at most 0 | 3 | **no** |" in page
    assert "small@32:" not in page
    assert "| this service, embedded | digits | 10 | 0 | 0 | 1.0e-06 | 1: 4, 2: 6 |" in page
    assert "| this service, embedded | nothing | 2.0 | 6.0 |  | 0 |" in page
    assert "| this service, embedded | slow | 6.0 | 18.0 | 300 | 0 |" in page
    assert "| small | 32 | 2,000 |" in page
    assert "| 4 | 9,000 |" in page


def test_page_lists_only_the_servers_that_were_measured() -> None:
    page, without = (render_page(found, "chart.png") for found in (all_servers(), all_servers("litserve", "ray")))
    for server in SERVERS.values():
        rows = [line for line in page.splitlines() if line.startswith(f"| {server.title} |")]
        assert len(rows) >= len(COMPARED)
    for title in ("LitServe", "Ray Serve"):
        assert f"- *{title}* is" in page
        assert f"- *{title}* is" not in without
        assert f"| {title} |" not in without
    assert "| FastAPI, simplest | 1.00 | 1.00 |" in without


def test_chart_shows_the_servers_that_were_measured(tmp_path: Path) -> None:
    shown = []
    for name, found in (("all", all_servers()), ("without", all_servers("litserve", "ray"))):
        draw_chart(found, tmp_path / f"{name}.png")
        with Image.open(tmp_path / f"{name}.png") as chart:
            colours = {colour for _, colour in chart.convert("RGB").getcolors(1 << 20) or []}
        shown.append({server for server, colour in COLOURS.items() if ImageColor.getrgb(colour) in colours})
    assert shown == [set(SERVERS), set(SERVERS) - {"litserve", "ray"}]


@pytest.mark.parametrize(("share", "provisional"), [(0.0, False), (0.03, False), (0.04, True)])
def test_busy_machine_makes_figures_provisional(share: float, provisional: bool) -> None:
    shares = [measurement("fastapi", "canvas@32", n, foreign_share=share) for n in range(5)]
    assert ("**Provisional:**" in render_page(results(*shares), "chart.png")) is provisional


def test_report_command_writes_page_and_chart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = results(
        measurement("fastapi", "canvas@32"), measurement("embedded", "canvas@32"), measurement("bentoml", "canvas@1")
    )
    write_results(found, tmp_path / "results.json")
    page = tmp_path / "docs" / "benchmarks.md"
    page.parent.mkdir()
    assert main(["report", "--results", str(tmp_path / "results.json"), "--page", str(page)]) == 0
    assert page.read_text(encoding="utf-8") == render_page(found, "images/benchmark.png")
    with Image.open(page.parent / "images" / "benchmark.png") as chart:
        assert chart.size[0] >= 1000
        assert len(chart.convert("RGB").getcolors(1 << 20) or []) > 50  # bars and letters, not a blank sheet
    assert "| check | wanted | measured | passed |" in capsys.readouterr().out


def test_report_without_results_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--results", str(tmp_path / "none.json")]) == 2
    assert "none.json does not exist. Run `make bench` to write it." in capsys.readouterr().err
