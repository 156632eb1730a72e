"""Comparing two load reports: what differs beyond noise, and what is only chance."""

import subprocess
from functools import cache
from pathlib import Path
from random import Random

import pytest

from loadtests.generator.recorder import histogram
from loadtests.peak.compare import Row, compare, differences, html, main, markdown, remarks
from loadtests.peak.noise import Curve, Estimate, peak_estimate, percentile
from loadtests.peak.results import LoadReport, Run
from tests.support.load_reports import Service, make_report, make_run, search_report
from tests.support.processes import ROOT

SLOWER = Service(work_ms=8.0)


@pytest.fixture(scope="module")
def first() -> LoadReport:
    return search_report(seconds=2)


@pytest.fixture(scope="module")
def repeated() -> LoadReport:
    """The same service, measured with other seeds."""
    return search_report(seed=100, seconds=2)


@pytest.fixture(scope="module")
def slower() -> LoadReport:
    """A service that takes 1.6 times as long for a request."""
    report = search_report(SLOWER, scale=5 / 8, seconds=2, title="Slower | service <b>")
    report.machine.versions["python"] = "3.13.0"
    report.service_settings["WORKERS"] = "1"
    del report.service_settings["MAX_IN_FLIGHT"]
    return report


def judgements(rows: list[Row]) -> dict[str, str]:
    return {row.name: row.judgement for row in rows}


def test_repeating_a_test_shows_no_difference_beyond_noise(first: LoadReport, repeated: LoadReport) -> None:
    found = judgements(compare(first, repeated))
    assert len(found) >= 14
    assert set(found.values()) == {"no"}


def test_a_slower_service_is_worse_beyond_noise(first: LoadReport, slower: LoadReport) -> None:
    found = judgements(compare(first, slower))
    assert found["peak, requests/s"] == found["CPU time of the service, ms a request"] == "worse"
    assert "worse" in {judgement for name, judgement in found.items() if name.startswith("p90")}
    assert "better" not in found.values()


def test_a_faster_service_is_better(first: LoadReport, slower: LoadReport) -> None:
    found = judgements(compare(slower, first))
    assert found["peak, requests/s"] == "better"
    assert "worse" not in found.values()


def test_latencies_are_compared_up_to_the_lower_peak_and_interpolated(first: LoadReport, slower: LoadReport) -> None:
    rates = {float(row.name.split(" at ")[1].split("/s")[0]) for row in compare(first, slower) if " at " in row.name}
    assert max(rates) <= 225 and len(rates) >= 4
    assert "≈" in markdown(first, slower)


def test_an_interpolated_percentile_lies_between_its_neighbours(first: LoadReport) -> None:
    curve = Curve(first)
    low, middle, high = (curve.percentile(90, rate) for rate in (270.0, 290.0, 324.0))
    assert low and middle and high
    assert low.value < middle.value < high.value
    assert middle.between and not low.between
    assert curve.percentile(90, 2000) is None


def test_noise_of_the_confirmations_hides_a_difference(first: LoadReport, slower: LoadReport) -> None:
    noisy = first.model_copy(deep=True)
    assert noisy.peak is not None
    noisy.peak.spread, noisy.peak.noisy = 0.6, True
    assert judgements(compare(noisy, slower))["peak, requests/s"] == "no"
    assert any("too noisy" in remark for remark in remarks(noisy, slower))


def test_the_peak_lies_up_to_the_rate_that_missed(first: LoadReport) -> None:
    found = peak_estimate(first)
    assert found is not None
    assert found.low < 360 < found.high
    assert found.high >= min(run.result.rate or 0 for run in first.runs if not run.met and (run.result.rate or 0) > 360)


@cache
def short_run() -> Run:
    return make_run(Service(), 20, seconds=1)


def exponential(count: int, seed: int) -> Run:
    """A run with exponential latencies of 10 ms on average."""
    random, latencies = Random(seed), histogram()
    for _ in range(count):
        latencies.record_value(max(1, round(random.expovariate(1 / 10_000))))
    run = short_run().model_copy(deep=True)
    run.result.histogram = latencies.encode().decode()
    return run


def test_bounds_of_a_percentile_contain_the_true_one() -> None:
    """The 99th percentile of an exponential distribution is ln(100) times its mean."""
    found = [percentile([exponential(2000, seed)], 99) for seed in range(40)]
    assert sum(one is not None and one.low <= 46.05 <= one.high for one in found) >= 38


def test_more_requests_give_closer_bounds() -> None:
    few, many = percentile([exponential(500, 1)], 90), percentile([exponential(500, seed) for seed in range(16)], 90)
    assert few and many
    assert many.high / many.low < 0.5 * (few.high / few.low - 1) + 1


def test_estimates_differ_when_their_bounds_do_not_overlap() -> None:
    assert Estimate(10, 9, 11).differs(Estimate(13, 12, 14))
    assert not Estimate(10, 9, 12).differs(Estimate(13, 12, 14))


def test_settings_that_differ_are_listed(first: LoadReport, repeated: LoadReport, slower: LoadReport) -> None:
    assert differences(first, repeated) == []
    assert differences(first, slower) == [
        ("version: python", "3.12.1", "3.13.0"),
        ("service: WORKERS", "2", "1"),
        ("service: MAX_IN_FLIGHT", "64", ""),
    ]


def test_void_runs_are_left_out_and_named() -> None:
    sound = make_report([make_run(Service(), 100, "scenario", seconds=2)])
    void = make_report([*sound.runs, make_run(Service(work_ms=100), 100, "scenario", void="late", seconds=2)])
    assert set(judgements(compare(sound, void)).values()) == {"no"}
    assert remarks(sound, void) == ["1 of the 2 runs of B are void and left out."]


def test_scenarios_are_compared_by_name() -> None:
    a, b = (make_report([make_run(service, 100, "scenario", seconds=2)]) for service in (Service(), SLOWER))
    found = judgements(compare(a, b))
    assert found["server: p50, ms"] == "worse" and found["server: correct in time, a second"] == "no"


def test_a_report_without_a_peak_has_none_to_compare(first: LoadReport) -> None:
    other = first.model_copy(deep=True)
    assert other.peak is not None
    other.peak.rate = None
    assert judgements(compare(first, other))["peak, requests/s"] == "not measured"
    assert "B has no peak: no rate met its objectives." in remarks(first, other)


def test_the_command_prints_markdown_and_writes_a_page(
    first: LoadReport, slower: LoadReport, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, report in (("a", first), ("b", slower)):
        (tmp_path / f"{name}.json").write_text(report.model_dump_json(), encoding="utf-8")
    page = tmp_path / "made" / "compare.html"
    assert main([str(tmp_path / "a.json"), str(tmp_path / "b.json"), "--html", str(page)]) == 0
    printed = capsys.readouterr().out
    assert printed == markdown(first, slower)
    assert "| peak, requests/s | 360 (" in printed and "**worse** |" in printed
    text = page.read_text(encoding="utf-8")
    assert text == html(first, slower)
    assert text.count("<figure") == 2 and "Slower | service &lt;b&gt;" in text


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), ("{}", "is no report of a load test")])
def test_files_that_are_no_reports_are_named(
    content: str | None, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert main([str(path), str(path)]) == 2
    assert str(path) in (printed := capsys.readouterr().err) and reason in printed


@pytest.mark.parametrize("arguments", [["a.json", "b.json"], ["A=a.json", "B=b.json"]])
def test_make_takes_two_files(arguments: list[str]) -> None:
    command = ["make", "--dry-run", "loadtest-compare", *arguments]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "-m loadtests.peak.compare a.json b.json --html " in printed
