"""The benchmark starts servers, loads them with wrk and stops them, and reports failures."""

import json
import os
import shutil
import socket
from pathlib import Path

import httpx
import psutil
import pytest

from loadtests import processes
from loadtests.benchmark import scenarios
from loadtests.benchmark.__main__ import main
from loadtests.benchmark.results import Measurement
from loadtests.benchmark.scenarios import COMPARED, SCENARIOS, Scenario, labels, run_rounds, run_server
from loadtests.benchmark.wrk import WrkError, parse, post
from loadtests.images import benchmark_images
from loadtests.processes import SERVERS, ServerError, ServerUnderTest, start_server
from loadtests.requests import encode_form

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is missing; `apt-get install wrk` installs it")

LINE = '{"requests": 2447, "seconds": 2.009937, "p50_ms": 25.612, "p99_ms": 124.6, "status_errors": 3, "socket_errors": 1}'


def test_wrk_output_is_parsed() -> None:
    load = parse(f"Running 2s test\n{LINE}\n")
    assert (load.requests, load.seconds, load.p50_ms, load.p99_ms) == (2447, 2.009937, 25.612, 124.6)
    assert (load.status_errors, load.socket_errors, load.errors) == (3, 1, 4)


def test_wrk_output_without_figures_is_an_error() -> None:
    with pytest.raises(WrkError, match="Running 2s test"):
        parse("Running 2s test\n")


def test_missing_wrk_prints_one_line_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["run"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "apt-get install wrk" in error


@needs_wrk
@pytest.mark.served
def test_server_is_started_measured_and_stopped(tmp_path: Path) -> None:
    here = psutil.Process(os.getpid())
    before = {child.pid for child in here.children(recursive=True)}
    (figures,) = run_server("fastapi", ["canvas@32"], number=1, seconds=1, home=tmp_path)
    assert (figures.server, figures.scenario, figures.errors) == ("fastapi", "canvas@32", 0)
    assert figures.requests > 32
    assert 0 < figures.p50_ms <= figures.p99_ms
    assert 0 < figures.cpu_seconds < 2 * (psutil.cpu_count() or 1)
    assert 0 <= figures.foreign_share < 1
    assert {child.pid for child in here.children(recursive=True)} <= before


@needs_wrk
@pytest.mark.served
def test_refusals_count_as_errors(tmp_path: Path) -> None:
    with start_server(SERVERS["fastapi"], tmp_path) as server:
        load = post(f"{server.address}/classify", encode_form([b"no picture"]), connections=2, seconds=1)
        with pytest.raises(ServerError, match="canvas@2 was answered 404"):
            Scenario("canvas@2", "", "canvas", 2, route="/nowhere").check(server)
    assert load.requests == load.status_errors > 0


@needs_wrk
def test_unreachable_server_is_an_error() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(WrkError, match="wrk ended with status 1"):
            post(f"http://127.0.0.1:{closed.getsockname()[1]}/", b"", connections=1, seconds=1)


def test_server_that_exits_is_reported_with_its_log(tmp_path: Path) -> None:
    broken = ServerUnderTest("broken", "a server that ends", ("-c", "raise SystemExit('no luck on {port}')"))
    with pytest.raises(ServerError, match=r"broken ended with status 1:\nno luck on \d+"), start_server(broken, tmp_path):
        raise AssertionError("it never served")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"label": "7"}, ["7"]),
        ([{"label": "7"}, {"label": "1"}], ["7", "1"]),
        ([{"label": "7"}, {"code": "no_ink"}], ["7", "None"]),
    ],
)
def test_labels_of_a_response(answer: object, expected: list[str]) -> None:
    assert labels(httpx.Response(200, content=json.dumps(answer))) == expected


def test_all_servers_are_compared_on_every_image_at_1_and_32_connections() -> None:
    assert [one.name for one in COMPARED] == [f"{image}@{number}" for image in benchmark_images() for number in (1, 32)]
    assert {one.servers for one in COMPARED} == {tuple(SERVERS)}


def test_servers_that_are_not_installed_are_left_out_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured: list[tuple[str, int]] = []

    def run(name: str, _names: list[str], number: int, *_: object) -> list[Measurement]:
        measured.append((name, number))
        return []

    monkeypatch.setattr(processes, "find_spec", lambda _package: None)
    monkeypatch.setattr(scenarios, "run_server", run)
    assert run_rounds(["canvas@1"], 2, 1, tmp_path) == []
    expected = ["simplest", "fastapi", "bentoml", "embedded", "runner"]
    assert measured == [(name, number) for number in (1, 2) for name in expected]
    assert capsys.readouterr().out == "Not installed, left out: LitServe, Ray Serve. `make setup-peers` installs them.\n"


def test_batch_form_has_as_many_images_as_the_scenario() -> None:
    batch = next(scenario for scenario in SCENARIOS.values() if scenario.images > 1)
    assert batch.body().count(b'name="images"') == batch.images == 64
