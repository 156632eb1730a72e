"""The soak test: every check can fail, the traffic is as intended, and a service passes a short soak."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from loadtests.generator.outcomes import Outcome
from loadtests.generator.recorder import Recorder, by_success
from loadtests.processes import ROOT, SERVERS, start_server
from loadtests.requests import Request, Response, SendMode
from loadtests.resources import ProcessStats
from loadtests.soak.__main__ import soak
from loadtests.soak.report import Row, SoakReport
from loadtests.soak.traffic import Traffic, good_images

# 15 s of load, after 5 s at the peak rate: with start and warm-up about 25 s. It shows failed requests, lost processes, and
# leaks of about 15 kB or more per request; smaller leaks are found by `make soak`.
MINUTES = 0.25
PEAK_SECONDS = 5.0
BAD_IMAGES = 300
MAX_GROWTH = 0.1
# Share of the peak rate: other tests may start meanwhile.
PEAK_SHARE = 0.2
# A machine that is busy for a moment makes requests wait here, not fail; overload is tested elsewhere.
NO_LIMITS = {"MAX_IN_FLIGHT": "4096", "MAX_QUEUE": "4096", "DEADLINE_SECONDS": "60"}
NAMED = re.compile(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`")
PROBLEM = b'{"status": 422, "code": "undecodable"}', {b"content-type": b"application/problem+json"}
GOOD = Request("good", labels=(b'"version":"1","label":"7"',))
SEVEN = Response(200, 0.01, b'{"model":"digits","version":"1","label":"7"}')
BAD = Request("bad", statuses=frozenset((200, 422)), good=False)


def row(minute: int, **changes: float) -> Row:
    """A minute in which all went well except for the changes."""
    recorder = Recorder(kind=by_success)
    recorder.duration = 60.0
    for request, response, count in ((GOOD, SEVEN, 100), (BAD, Response(422, 0.01, *PROBLEM), 20)):
        for _ in range(count):
            recorder.add(request, response)
    figures = {"private_mb": 400.0, "descriptors": 90, "threads": 20, "connections": 10} | changes
    pids = frozenset((1, 2, int(changes.get("worker", 3))))
    descriptors, threads = int(figures["descriptors"]), int(figures["threads"])
    processes = ProcessStats(figures["private_mb"], 800.0, 300.0, descriptors, threads, 1.0, pids)
    return Row(float(minute), recorder, processes, int(figures["connections"]))


def make_report(change: Callable[[int], dict[str, float]] = lambda _minute: {}) -> SoakReport:
    """Thirty minutes, of which the first five do not count."""
    return SoakReport([row(minute, **change(minute)) for minute in range(1, 31)], 5.0, 800.0, 400.0)


def failed(report: SoakReport) -> list[str]:
    """The first words of the checks that failed."""
    names = [check.name.split()[0] for check in report.checks() if not check.passed]
    assert report.passed == (not names)
    return names


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda _: {}, []),
        (lambda minute: {"private_mb": 300.0 + min(minute, 5) * 20}, []),  # memory allocated during the warm-up
        (lambda minute: {"private_mb": 480.0 if minute == 17 else 400.0}, []),  # one large image
        (lambda minute: {"private_mb": 400.0 + 1.1 * minute}, ["memory"]),  # a slow leak
        (lambda minute: {"private_mb": 400.0 + 30 * (minute > 20)}, ["memory"]),
        (lambda minute: {"descriptors": 90 + 50 * (minute % 2), "connections": 10 + 50 * (minute % 2)}, []),
        (lambda minute: {"descriptors": 90 + 2 * minute}, ["descriptors"]),
        (lambda minute: {"threads": 20 + minute}, ["threads"]),
        (lambda minute: {"worker": 3 + (minute > 12)}, ["processes"]),
    ],
)
def test_leaks_and_lost_processes_are_found(change: Callable[[int], dict[str, float]], named: list[str]) -> None:
    assert failed(make_report(change)) == named


@pytest.mark.parametrize(
    ("request_", "response", "named"),
    [
        (GOOD, SEVEN, []),
        (GOOD, Response(200, 0.01, b'{"model":"digits","version":"1","label":"1"}'), ["good"]),
        (GOOD, Response(429, 0.01, b""), ["good"]),
        (GOOD, Response(0, 0.01, b""), ["good"]),
        (GOOD, Response(500, 0.01, b""), ["good", "5xx"]),
        (BAD, Response(422, 0.01, *PROBLEM), []),
        (BAD, Response(200, 0.01, b"{}"), []),
        (BAD, Response(422, 0.01, PROBLEM[0], {b"content-type": b"text/plain"}), ["bad"]),
        (BAD, Response(504, 0.01, *PROBLEM), ["5xx", "bad"]),
        (BAD, Response(0, 0.01, b""), ["bad"]),
    ],
)
def test_wrong_responses_fail_the_report(request_: Request, response: Response, named: list[str]) -> None:
    report = make_report()
    report.rows[20].recorder.add(request_, response)
    assert failed(report) == named


def test_dropped_requests_are_reported() -> None:
    report = make_report()
    assert "none dropped." in report.text()
    report.rows[3].recorder.total.outcomes[Outcome.DROPPED.value] = 1200
    assert "the client dropped 1,200 requests" in report.text()


def test_log_and_tables_have_every_figure() -> None:
    report = make_report()
    document = json.loads(json.dumps(report.rows[0].document()))
    assert (document["private_mb"], document["descriptors"], document["good_ms"]) == (400.0, 80, [10.0, 10.0])
    text = report.text()
    assert "| good requests | at least 1 | 3,000 | yes |" in text
    assert "| good requests that failed | at most 0 | 0 | yes |" in text
    assert "| 30.0 | 2.0 | [10.0, 10.0] | [10.0, 10.0] | 400.0 | 80 | 20 |" in text


def test_traffic_is_reproducible_and_has_every_kind() -> None:
    good = good_images(["digits", "fashion"])
    first, again = (list(islice(Traffic(good, 3, 200).requests(), 4000)) for _ in range(2))
    assert first == again
    assert {request.mode for request in first} == set(SendMode)
    names = {request.name for request in first}
    assert {"batch", "explain", "save", "list", "models", "metrics", "livez", "slow", "too large", "aborted"} <= names
    assert 0.15 < sum(not request.good for request in first) / len(first) < 0.25
    without_slow = islice(Traffic(good, 3, 200).requests(slow=False), 4000)
    assert not any(request.mode is SendMode.SLOW for request in without_slow)


def test_saved_gallery_entries_are_deleted_again() -> None:
    traffic = Traffic([GOOD], 1, 10)
    saved: set[str] = set()
    for number, request in enumerate(islice(traffic.requests(), 20_000)):
        entry = f"/gallery/{number:08x}"
        if request.name == "save":
            traffic.learn(request, Response(201, headers={b"location": entry.encode()}))
            saved.add(entry)
        elif request.name == "delete":
            saved.remove(request.target)
    assert 0 < len(saved) <= 100


def test_reliability_document_names_existing_tests() -> None:
    named = 0
    for line in (ROOT / "docs/reliability.md").read_text(encoding="utf-8").splitlines():
        file = ""
        for path, test in NAMED.findall(line) if line.startswith("|") else ():
            file = path or file
            assert (ROOT / file).is_file(), line
            assert not test or f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), line
            named += 1
    assert named > 25


@pytest.mark.served
def test_service_passes_a_short_soak(model_store: Path, tmp_path: Path) -> None:
    settings = NO_LIMITS | {"GALLERY_URL": f"sqlite:///{tmp_path}/gallery.db"}
    log = tmp_path / "soak.jsonl"
    with start_server(SERVERS["embedded"], model_store, **settings) as server:
        report = soak(server, MINUTES, log, PEAK_SHARE, BAD_IMAGES, PEAK_SECONDS)
        assert len(server.sample().pids) >= 3
    report = replace(report, max_growth=MAX_GROWTH)
    assert report.passed, report.text() + "\n" + log.read_text()
    assert report.rows[-1].recorder.statuses.total() > 0
    assert len(log.read_text().splitlines()) == 1 + len(report.rows) + len(report.checks())
