"""The capacity that a report gives: replicas, workers and cost for a rate, and reports that give none."""

import json
from pathlib import Path

import pytest

from loadtests.capacity.__main__ import HOURS_A_MONTH, Capacity, CapacityError, main, plan
from loadtests.peak.results import LoadReport
from tests.support.load_reports import Service, make_report, make_scenario, search_report


@pytest.fixture(scope="module")
def report() -> LoadReport:
    return search_report(Service(), seconds=1.0)


def test_a_replica_carries_what_was_measured(report: LoadReport) -> None:
    capacity = Capacity.of(report)
    assert report.peak is not None
    assert capacity.workers == 2
    assert capacity.peak == report.peak.rate
    assert capacity.predict(2) == pytest.approx(capacity.peak, rel=1e-3)
    assert capacity.predict(1) < capacity.peak / 2
    assert 0.003 <= capacity.base_seconds <= 0.02
    assert 1.0 < capacity.cores <= 2.0


@pytest.mark.parametrize(("rate", "replicas"), [(10, 2), (250, 2), (500, 3), (3600, 15)])
def test_replicas_keep_their_headroom_and_carry_the_rate_without_one(report: LoadReport, rate: float, replicas: int) -> None:
    capacity = Capacity.of(report)
    made = plan(capacity, rate, headroom=0.3)
    assert made.replicas == replicas
    assert rate / made.replicas <= 0.7 * capacity.peak + 1e-9
    assert rate <= (made.replicas - 1) * capacity.peak


def test_workers_of_one_machine_and_target_of_the_autoscaler(report: LoadReport) -> None:
    capacity = Capacity.of(report)
    made = plan(capacity, 720, headroom=0.0, price=0.5)
    assert made.workers in (3, 4), "queues of more workers carry more than in proportion"
    assert made.cpu_target == pytest.approx(capacity.cores / 2)
    assert made.monthly_cost == 0.5 * made.replicas * HOURS_A_MONTH


def test_a_report_without_a_peak_gives_no_capacity(report: LoadReport) -> None:
    scenario = make_report([make_scenario(Service(), "spike", lambda _: 50.0, 50.0, 2.0)])
    with pytest.raises(CapacityError, match="without SCENARIO"):
        Capacity.of(scenario)
    unknown = report.model_copy(update={"service_settings": {}})
    with pytest.raises(CapacityError, match="give --workers"):
        Capacity.of(unknown)
    assert Capacity.of(unknown, workers=4).workers == 4


def test_a_model_too_slow_for_the_objective_gives_no_capacity() -> None:
    with pytest.raises(CapacityError, match="larger SLO_MS"):
        Capacity.of(search_report(Service(work_ms=60), scale=0.05, seconds=1.0))


def test_command_prints_the_plan_or_one_line(report: LoadReport, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.json"
    path.write_text(report.model_dump_json())
    assert main([str(path), "--rate", "500", "--price", "0.2"]) == 0
    printed = capsys.readouterr().out
    assert "| replicas like the measured one | 3 |" in printed
    assert "| cost a month | 438.00 |" in printed
    path.write_text(json.dumps({"schema_version": 1}))
    assert main([str(path), "--rate", "500"]) == 2
    assert str(path) in capsys.readouterr().err
