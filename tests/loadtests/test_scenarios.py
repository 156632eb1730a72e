"""The Locust scenarios, as subprocesses: importing Locust patches the process."""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from loadtests.peak import __main__ as peak
from loadtests.peak.results import LoadReport
from loadtests.samples import FOLDER, samples
from tests.support.processes import ROOT, free_port, halt, running
from tests.support.waiting import until

SCENARIOS = sorted((ROOT / "loadtests" / "scenarios").glob("[!_]*.py"))
PICTURES = ("--pictures", str(FOLDER), "--forms", "body")
STAND_IN = "tests.support.stand_in:app"
MET, MISSED, VOID = 0, 1, 2


def command(scenario: str, address: str, *options: str, seconds: float = 2) -> list[str]:
    """The command line of a run of a scenario."""
    locust = [sys.executable, "-m", "locust", "-f", f"loadtests/scenarios/{scenario}.py", "--headless", "--only-summary"]
    return [*locust, "--host", address, "--duration", str(seconds), "--warm-up", "0.2", *options]


def run(scenario: str, address: str, result: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Run a scenario: its exit code, its result, and what it logged."""
    line = command(scenario, address, "--result", str(result), *options)
    ran = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return ran.returncode, json.loads(result.read_text()) if result.exists() else {}, ran.stderr


@contextmanager
def stand_in(folder: Path, **environment: str) -> Iterator[tuple[str, psutil.Process]]:
    """A stand-in for the service: its address and its process."""
    port = free_port()
    server = [sys.executable, "-m", "uvicorn", STAND_IN, "--port", str(port), "--no-access-log", "--lifespan", "off"]
    address = f"http://127.0.0.1:{port}"
    with running(server, address, folder / "stand-in.log", environment) as process:
        yield address, psutil.Process(process.pid)


def count_requests(address: str, model: str) -> int:
    """How many requests for a model a stand-in has answered."""
    return int(httpx.get(address).json().get(f"model={model}", 0))


def have_begun(address: str, models: Iterable[str], requests: int, count: int) -> bool:
    """Whether a stand-in has answered more than so many requests for each of ``count`` models."""
    return sum(count_requests(address, model) > requests for model in models) >= count


def test_samples_have_five_of_every_digit() -> None:
    labels = [sample.label for sample in samples()]
    assert {labels.count(str(digit)) for digit in range(10)} == {5}


def test_empty_sample_folder_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        samples(tmp_path)


@pytest.mark.served
def test_every_scenario_gets_right_answers(service_address: str, tmp_path: Path) -> None:
    """All at once: the figures do not matter, the answers do."""
    results = {file.stem: tmp_path / f"{file.stem}.json" for file in SCENARIOS}
    options = ["--rate", "10", "--users", "2", "--batch", "4", "--mix", "mixed"]
    runs = [
        subprocess.Popen(command(name, service_address, "--result", str(path), *options), cwd=ROOT, stderr=subprocess.DEVNULL)
        for name, path in results.items()
    ]
    for one in runs:
        assert one.wait(120) in (MET, MISSED, VOID)
    for name, path in results.items():
        result = json.loads(path.read_text())
        assert result["scenario"] == name.replace("_", "-")
        assert result["outcomes"]["correct"] == result["outcomes"]["due"], result["faults"]
        assert result["outcomes"]["due"] > 0
        assert sum(kind["outcomes"]["due"] for kind in result["kinds"]) == result["outcomes"]["due"]


def test_two_processes_share_the_arrivals_and_their_results_are_merged(tmp_path: Path) -> None:
    with stand_in(tmp_path) as (address, _):
        _, result, log = run(
            "server", address, tmp_path / "r.json", "--processes", "2", "--tags", "open-loop", "--rate", "100", *PICTURES
        )
        answered = sum(httpx.get(address).json().values())
    assert result, log
    assert result["generator"]["processes"] == 2
    assert 140 < result["outcomes"]["due"] < 260  # 200 on average
    assert result["outcomes"]["correct"] == result["latency_ms"]["count"] == result["outcomes"]["due"]
    assert answered > result["outcomes"]["due"]  # the warm-up and the preparation of each process


def test_wrong_label_is_a_failure(tmp_path: Path) -> None:
    with stand_in(tmp_path, WRONG_FROM="80") as (address, _):
        code, result, _ = run("single_stream", address, tmp_path / "r.json", *PICTURES)
    assert code == MISSED
    assert result["outcomes"]["wrong"] > 0
    assert result["faults"]["file to digits, body: wrong label"] == result["outcomes"]["wrong"]


@pytest.mark.served
def test_unknown_model_ends_the_run_and_says_why(service_address: str, tmp_path: Path) -> None:
    code, result, log = run("server", service_address, tmp_path / "r.json", "--models", "nope")
    assert (code, result) == (VOID, {})
    assert "Unknown model 'nope'" in log


def test_unreachable_service_ends_the_run_and_says_why(tmp_path: Path) -> None:
    code, result, log = run("multi_stream", "http://127.0.0.1:9", tmp_path / "r.json")
    assert (code, result) == (VOID, {})
    assert "was answered not at all before the load began" in log


def test_frozen_service_shows_in_the_open_loop_and_hardly_in_the_closed_one(tmp_path: Path) -> None:
    """The service stands still for 2 of the 8 seconds of each loop, once it has begun; each names another model."""
    results = {name: tmp_path / f"{name}.json" for name in ("server", "single_stream")}
    prepared = len(samples())
    with stand_in(tmp_path) as (address, process):
        options = ("--rate", "50", "--warm-up", "0", *PICTURES, "--models")
        lines = [command(name, address, "--result", str(path), *options, name, seconds=8) for name, path in results.items()]
        runs = [subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for line in lines]
        for count in range(1, len(runs) + 1):  # on a busy machine one begins seconds after the other
            until(partial(have_begun, address, results, prepared + 30, count), 60)
            with halt(process):
                time.sleep(2)  # the length of the freeze is what is tested
        for one in runs:
            one.wait(60)
    opened, closed = (json.loads(path.read_text())["latency_ms"] for path in results.values())
    assert opened["p99"] > 1500
    assert opened["p90"] > 300
    assert closed["p99"] < 500
    assert closed["max"] > 1500


def test_web_page_starts_a_run_with_the_options_of_the_command_line(tmp_path: Path) -> None:
    port = free_port()
    with stand_in(tmp_path) as (address, _):
        line = command("server", address, "--rate", "20", *PICTURES)
        line = [*(word for word in line if word != "--headless"), "--web-host", "127.0.0.1", "--web-port", str(port)]
        page = f"http://127.0.0.1:{port}"
        with running(line, page, tmp_path / "locust.log", {}):
            assert '"slo_ms"' in httpx.get(page).text
            form = {"user_count": "1", "spawn_rate": "1", "host": address, "rate": "40", "duration": "1", "warm_up": "0"}
            assert httpx.post(f"{page}/swarm", data=form).json()["success"]
            until(lambda: httpx.get(f"{page}/stats/requests").json()["state"] == "stopped", 60)
            total = httpx.get(f"{page}/stats/requests").json()["stats"][-1]
    assert 15 < total["num_requests"] < 75
    assert total["num_failures"] == 0


@pytest.mark.served
def test_scenario_is_reported_completely(service_address: str, tmp_path: Path) -> None:
    options = ["--scenario", "server", "--rate", "20", "--duration", "3", "--warm-up", "0.5", "--slo-ms", "5000"]
    code = peak.main(["--address", service_address, "--output", str(tmp_path), "--mix", "mixed", *options])
    report = LoadReport.model_validate_json((tmp_path / "report.json").read_text())
    (run, *_) = report.runs
    assert run.result.outcomes.correct == run.result.outcomes.due > 20
    assert code == (VOID if report.runs[-1].result.void else MET)
    assert {stage.name for stage in run.service.stages} == {"decode", "preprocess", "queue", "inference"}
    assert run.service.resources
    assert sum(run.service.batch_sizes.values()) > 0
    assert list(tmp_path.glob("runs/*_stats.csv"))


def test_objective_that_nothing_can_meet_ends_with_1(tmp_path: Path) -> None:
    options = ["--scenario", "server", "--rate", "40", "--duration", "2", "--warm-up", "0.2", "--slo-ms", "0.001"]
    with stand_in(tmp_path) as (address, _):
        code = peak.main(["--address", address, "--output", str(tmp_path / "out"), "--pictures", str(FOLDER), *options])
    report = LoadReport.model_validate_json((tmp_path / "out" / "report.json").read_text())
    run = report.runs[-1]
    assert code == (VOID if run.result.void else MISSED)
    assert run.result.outcomes.correct == run.result.outcomes.due > 20
    assert run.result.outcomes.in_time == 0


def test_service_that_refuses_the_preparation_ends_with_2_and_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert peak.main(["--address", "http://127.0.0.1:9", "--output", str(tmp_path)]) == VOID
    assert "was answered not at all before the load began" in capsys.readouterr().err
