"""What is made of the figures: medians, ratios, verdicts, the page and the chart."""

import json
from pathlib import Path

import pytest
from PIL import Image

from loadtests.bench.__main__ import main
from loadtests.bench.report import markdown, write_results
from loadtests.bench.results import read_results
from loadtests.bench.targets import TARGETS, Target, Verdict, judge, rate, ratio
from tests.loadtests.figures import figures, results


def test_errors_are_no_throughput() -> None:
    measured = figures("bentoml", "canvas@32", requests=1000, status_errors=80, socket_errors=5, seconds=2.0)
    assert measured.rate == 460.0
    assert measured.errors == 85
    assert measured.cpu_ms == 1.0


def test_a_load_that_got_no_answer_has_figures() -> None:
    measured = figures("bentoml", "canvas@32", requests=0, socket_errors=32)
    assert (measured.rate, measured.cpu_ms) == (0.0, 1000.0)


def test_medians_are_over_the_rounds_and_errors_are_summed() -> None:
    rounds = [figures("fastapi", "canvas@32", n, requests=n * 100, status_errors=0, socket_errors=n) for n in (1, 2, 9)]
    median = results(*rounds, figures("fastapi", "small@32")).medians()["canvas@32", "fastapi"]
    assert (median.rate, median.requests, median.errors) == (200.0, 1200, 12)


def test_ratios() -> None:
    found = results(figures("embedded", "canvas@32", requests=1200), figures("fastapi", "canvas@32", requests=1000))
    assert ratio(found, "canvas@32", "embedded", "fastapi", rate) == pytest.approx(1.2)
    assert ratio(found, "canvas@32", "embedded", "bentoml", rate) is None


def test_a_baseline_without_an_answer_gives_no_ratio() -> None:
    found = results(figures("embedded", "canvas@32"), figures("bentoml", "canvas@32", requests=0))
    assert ratio(found, "canvas@32", "embedded", "bentoml", rate) is None


@pytest.mark.parametrize(
    ("bound", "at_least", "reached"), [(1.2, True, True), (1.3, True, False), (1.2, False, True), (1.1, False, False)]
)
def test_a_bound_itself_is_enough(bound: float, at_least: bool, reached: bool) -> None:
    verdict = judge(results(), (Target("x", lambda _: 1.2, bound, at_least=at_least),))[0]
    assert verdict.reached is reached


def verdicts(*measured: str) -> dict[str, Verdict]:
    """The verdicts by target; every contestant named ``measured`` had the usual figures in every scenario."""
    scenarios = ("canvas@32", "small@32", "canvas@1", "canvas@64")
    found = results(
        *(figures(name, scenario) for name in measured for scenario in scenarios), figures("embedded", "batch@4", requests=25)
    )
    return {verdict.target: verdict for verdict in judge(found)}


def test_what_was_not_measured_is_not_judged() -> None:
    judged = verdicts("embedded")
    assert judged["requests/s, embedded to FastAPI, canvas@32"].reached is None
    assert judged["wrong or failed answers under mixed load, runner"].reached is None


def test_targets_look_at_the_figures_they_name() -> None:
    judged = verdicts("embedded", "fastapi", "bentoml", "runner")
    assert len(judged) == len(TARGETS)
    assert judged["requests/s, embedded to FastAPI, canvas@32"].measured == 1.0
    assert judged["requests/s, embedded to BentoML as documented, canvas@32"].reached is False
    assert judged["errors of the long run, embedded, canvas@32"].reached is True
    assert judged["errors of the long run, runner, canvas@64"].measured == 3.0
    assert judged["largest difference of a probability, embedded"].reached is True
    beside = "p50 on digits, beside load on a slow model to beside load on digits"
    assert (judged[beside].measured, judged[beside].reached) == (0.75, True)
    assert judged["s from the start to the first right answer, all models"].reached is True
    assert judged["MB of the largest process, all models"].reached is None
    assert judged["images/s of /classify/batch to the limit without HTTP, small"].measured == pytest.approx(25 * 64 / 2000)


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    found = results(figures("fastapi", "canvas@32"), figures("embedded", "canvas@32", requests=1500))
    write_results(found, tmp_path / "build" / "results.json")
    assert read_results(tmp_path / "build" / "results.json") == found
    written = json.loads((tmp_path / "build" / "results.json").read_text())
    assert {"scenario": "canvas@32", "contestant": "embedded", "to_fastapi": 1.5, "to_bentoml": None} in written["ratios"]
    assert len(written["verdicts"]) == len(TARGETS)
    assert [median["rate"] for median in written["medians"]] == [1000.0, 1500.0]


def test_the_page_tells_what_was_found() -> None:
    found = results(figures("fastapi", "canvas@32"), figures("embedded", "canvas@32", requests=1500, status_errors=1))
    page = markdown(found, "images/benchmark.png")
    assert "Abacus, 2 cores, 8 GB" in page
    assert "| this service, embedded | 1,499 | 1.50 |  | 2.0 | 10.0 | 0.67 | 1 of 1,500 |" in page
    assert "| requests/s, embedded to FastAPI, canvas@32 | at least 1, aim 1.2 | 1.5 | yes |" in page
    assert "| errors of the long run, runner, canvas@64 | at most 0 | 3 | **no** |" in page
    assert "small@32:" not in page
    assert "| this service, embedded | 10 | 0 | 0 | 1.0e-06 | 1: 4, 2: 6 |" in page
    assert "| this service, embedded | nothing | 2.0 | 6.0 |  | 0 |" in page
    assert "| this service, embedded | slow | 6.0 | 18.0 | 300 | 0 |" in page
    assert "| small | 32 | 2,000 |" in page
    assert "| 4 | 9,000 |" in page


@pytest.mark.parametrize(("share", "provisional"), [(0.0, False), (0.03, False), (0.04, True)])
def test_a_machine_that_was_not_idle_makes_the_figures_provisional(share: float, provisional: bool) -> None:
    shares = [figures("fastapi", "canvas@32", n, foreign_share=share) for n in range(5)]
    assert ("**Provisional:**" in markdown(results(*shares), "chart.png")) is provisional


def test_report_writes_the_page_and_the_chart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = results(figures("fastapi", "canvas@32"), figures("embedded", "canvas@32"), figures("bentoml", "canvas@1"))
    write_results(found, tmp_path / "results.json")
    page = tmp_path / "docs" / "benchmarks.md"
    page.parent.mkdir()
    assert main(["report", str(tmp_path / "results.json"), "--page", str(page)]) == 0
    assert page.read_text(encoding="utf-8") == markdown(found, "images/benchmark.png")
    with Image.open(page.parent / "images" / "benchmark.png") as chart:
        assert chart.size[0] >= 1000
        assert len(chart.convert("RGB").getcolors(1 << 20) or []) > 50  # bars and letters, not a blank sheet
    assert "reached" in capsys.readouterr().out


def test_a_report_of_nothing_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path / "none.json")]) == 2
    assert "none.json does not exist. `make bench` writes it." in capsys.readouterr().err
