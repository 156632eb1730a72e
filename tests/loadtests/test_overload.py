"""The report of an overload: every check can fail."""

import pytest

from loadtests.generator.recorder import Recorder
from loadtests.overload import OverloadReport
from loadtests.requests import DROPPED, Request, Response
from tests.loadtests.responses import problem

REQUEST = Request("canvas", labels=(b'"label":"7"',))
SEVEN, ONE = (Response(200, 0.02, b'{"version":"1","label":"%d"}' % label) for label in (7, 1))
RETRY = {b"retry-after": b"1"}


def recorded(*responses: Response) -> Recorder:
    """100 right responses in a second, and these."""
    recorder = Recorder()
    recorder.duration = 1.0
    for response in (*[SEVEN] * 100, *responses):
        recorder.add(REQUEST, response)
    return recorder


def refusal(seconds: float) -> Response:
    """A 429 as it must be."""
    return Response(429, seconds, problem(429).body, problem(429, RETRY).headers)


@pytest.mark.parametrize(
    ("responses", "peak", "recovery", "named"),
    [
        ([refusal(0.04)] * 100, 120.0, 9.0, []),
        ([refusal(0.04)] * 100 + [Response(DROPPED)], 120.0, 9.0, []),
        ([refusal(0.06)] * 100, 120.0, 9.0, ["refused,"]),
        ([refusal(0.04)] * 100, 130.0, 9.0, ["goodput,"]),
        ([refusal(0.04)] * 100, 120.0, 11.0, ["recovery"]),
        ([ONE], 120.0, 9.0, ["responses"]),
        ([problem(429)], 120.0, 9.0, ["responses"]),
        ([problem(503, RETRY)], 120.0, 9.0, ["responses", "refused,"]),
        ([Response(0)], 120.0, 9.0, ["responses"]),
    ],
)
def test_every_check_can_fail(responses: list[Response], peak: float, recovery: float, named: list[str]) -> None:
    at_peak = recorded()
    at_peak.duration = 100 / peak
    report = OverloadReport(at_peak, 2 * peak, recorded(*responses), recovery)
    assert [check.name.split()[0] for check in report.checks() if not check.passed] == named
    assert report.text().count("**no**") == len(named)
    assert report.text().count("fault: ") == named.count("responses")
