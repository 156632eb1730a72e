"""The Locust scenario, headless against a real service."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.samples import samples
from tests.support.processes import ROOT

SCENARIO = "loadtests/scenarios/locustfile.py"
LOCUST = [sys.executable, "-m", "locust", "-f", SCENARIO, "--headless", "--users", "8", "--spawn-rate", "8"]


def test_samples_have_five_of_every_digit() -> None:
    labels = [sample.label for sample in samples()]
    assert {labels.count(str(digit)) for digit in range(10)} == {5}


def test_empty_sample_folder_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        samples(tmp_path)


@pytest.mark.served
def test_all_labels_are_right_under_load_and_reports_are_written(service_address: str, tmp_path: Path) -> None:
    reports = ["--html", str(tmp_path / "report.html"), "--csv", str(tmp_path / "report")]
    command = [*LOCUST, "--host", service_address, "--run-time", "5s", *reports]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    with (tmp_path / "report_stats.csv").open(newline="") as file:
        total = next(row for row in csv.DictReader(file) if row["Name"] == "Aggregated")
    assert int(total["Request Count"]) > 100
    assert total["Failure Count"] == "0"
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.served
def test_unreachable_service_fails_the_load_test(tmp_path: Path) -> None:
    command = [*LOCUST, "--host", "http://127.0.0.1:9", "--run-time", "2s", "--csv", str(tmp_path / "report")]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 1
