"""Counts and histograms of a run, and their sum over processes."""

import json
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from loadtests.generator.outcomes import Outcome
from loadtests.generator.recorder import HIGHEST, MAX_EXAMPLES, Recorder, by_success, histogram, milliseconds, record
from loadtests.requests import BROKEN, DROPPED, HUNG_UP, Request, Response, SendMode
from tests.loadtests.responses import problem

GOOD, BAD = Request("good"), Request("bad", statuses=frozenset((200, 422)), good=False)
OK = Response(200, 0.01)


def test_percentiles_are_those_of_the_latencies() -> None:
    random, latencies, all_ms = Random(0), histogram(), list[float]()
    for _ in range(20_000):
        all_ms.append(1000 * random.lognormvariate(-4, 1))
        record(latencies, all_ms[-1] / 1000)
    percents = (50, 90, 99, 99.9)
    assert milliseconds(latencies, *percents) == pytest.approx(np.percentile(all_ms, percents).tolist(), rel=0.01)
    assert milliseconds(histogram(), 50, 99) == [0.0, 0.0]


@pytest.mark.parametrize(("seconds", "ms"), [(0.0, 0.001), (-0.001, 0.001), (1e6, HIGHEST / 1000)])
def test_latency_out_of_range_is_not_lost(seconds: float, ms: float) -> None:
    latencies = histogram()
    record(latencies, seconds)
    assert milliseconds(latencies, 100) == pytest.approx([ms], rel=0.002)


def test_outcomes_latencies_and_faults_are_counted() -> None:
    recorder = Recorder(slo_seconds=0.05)
    responses = OK, replace(OK, seconds=0.05), replace(OK, seconds=0.2), problem(500), problem(429, {b"retry-after": b"1"})
    for response in responses:
        recorder.add(GOOD, response)
    recorder.add(BAD, problem(422))
    for status in (BROKEN, DROPPED, HUNG_UP):
        recorder.add(GOOD, Response(status))
    counts = {"correct": 4, "error": 2, "refused": 1, "dropped": 1, "abandoned": 1}
    assert recorder.total.outcomes == counts
    assert (recorder.total.due, recorder.total.sent, recorder.total.faulty, recorder.total.in_time) == (9, 8, 3, 2)
    assert recorder.total.latencies.get_total_count() == 4
    assert recorder.answered.get_total_count() == 4 + 1 + 2
    assert milliseconds(recorder.refusals, 50) == pytest.approx([100], rel=0.01)
    assert recorder.statuses == {"200": 3, "500": 1, "429": 1, "422": 1, "0": 1}
    assert recorder.status_counts() == "1 x 0, 3 x 200, 1 x 422, 1 x 429, 1 x 500"
    assert recorder.server_errors == 1
    assert recorder.faults == {"good: 500": 1, "good: refused with 429": 1, "good: no response": 1, "good: dropped": 1}
    assert [example.split(": ")[1] for example in recorder.examples] == ["500", "no response"]


def test_groups_are_by_name_and_by_second_after_the_warm_up() -> None:
    recorder = Recorder(warm_up=2.0)
    for due in (0.0, 1.99, 2.0, 2.9, 3.1):
        recorder.add(GOOD, replace(OK, due=due))
    recorder.add(BAD, replace(problem(422), due=3.2))
    assert {second: group.due for second, group in recorder.seconds.items()} == {0: 2, 1: 2}
    assert {name: group.due for name, group in recorder.kinds.items()} == {"good": 3, "bad": 1}
    assert recorder.total.due == 4


def test_groups_by_success_tell_good_from_bad_requests() -> None:
    recorder = Recorder(kind=by_success)
    for request, response in ((GOOD, OK), (GOOD, problem(500)), (BAD, OK), (BAD, problem(422)), (BAD, problem(500))):
        recorder.add(request, response)
    counted = {kind: (group.due, group.faulty) for kind, group in recorder.kinds.items()}
    assert counted == {"good": (2, 1), "accepted": (1, 0), "refused": (2, 1)}


def test_slow_requests_are_counted_without_their_latency() -> None:
    recorder = Recorder()
    recorder.add(replace(BAD, mode=SendMode.SLOW), problem(422))
    recorder.add(replace(BAD, mode=SendMode.SLOW), Response(BROKEN))
    assert recorder.total.outcomes == {"correct": 1, "error": 1}
    assert recorder.answered.get_total_count() == 0


def test_recorders_of_several_processes_add_up() -> None:
    random, whole, merged = Random(1), Recorder(0.05), Recorder(0.05)
    parts = [Recorder(0.05) for _ in range(3)]
    for number in range(3000):
        status = random.choice((200, 200, 200, 500, DROPPED))
        request = replace(GOOD, name=random.choice(("canvas", "photo")))
        response = Response(status, random.expovariate(20), due=number / 500, lag=random.expovariate(1000))
        for recorder in (whole, parts[number % 3]):
            recorder.add(request, response)
    for part in parts:
        merged.merge(json.loads(json.dumps(part.document())))
    assert merged.total.outcomes == whole.total.outcomes
    assert (merged.statuses, merged.faults) == (whole.statuses, whole.faults)
    assert milliseconds(merged.lag, 50, 99, 100) == milliseconds(whole.lag, 50, 99, 100)
    assert milliseconds(merged.answered, 50, 99, 100) == milliseconds(whole.answered, 50, 99, 100)
    assert len(merged.examples) == MAX_EXAMPLES
    groups = [(merged.total, whole.total), *((merged.kinds[name], group) for name, group in whole.kinds.items())]
    for one, other in (*groups, *((merged.seconds[second], group) for second, group in whole.seconds.items())):
        assert (one.in_time, one.count(Outcome.CORRECT)) == (other.in_time, other.count(Outcome.CORRECT))
        assert milliseconds(one.latencies, 50, 90, 99, 100) == milliseconds(other.latencies, 50, 90, 99, 100)
    merged.clear()
    assert merged.document() == Recorder(0.05).document()
