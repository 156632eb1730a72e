"""The two sentences of a load report, for services that are healthy, overloaded or broken, and for tests that say nothing."""

from functools import cache

import pytest

from loadtests.generator.arrivals import constant, spike
from loadtests.peak.results import Peak, Run
from loadtests.peak.verdict import verdict
from tests.support.load_reports import (
    SLO_MS,
    Service,
    make_closed_loop,
    make_report,
    make_run,
    make_scenario,
    search_report,
)

PATIENT = Service(queue=100_000)
LATE = "the generator sent 1 % of the requests more than 14.2 ms late; 10 ms are allowed"
NO_PEAK = Peak(rate=None, confirmed=False, spread=0.0, noisy=False)
PEAK = Peak(rate=300.0, confirmed=True, spread=0.02, noisy=False)


@cache
def confirmations() -> list[Run]:
    return [make_run(Service(), 300, "confirmation", seed, seconds=1) for seed in (1, 2)]


def test_a_healthy_service_has_a_rate_and_refuses_politely_beyond_it() -> None:
    found = verdict(search_report())
    assert found.state == "good"
    assert found.first == (
        "On this machine (2 cores) the service takes 360 requests a second with 99 % answered correctly within 50 ms "
        "and at most 0.1 % failed."
    )
    assert found.second.startswith("Beyond that it refuses politely")
    assert "at 720 requests a second, 2 times as many, it refuses" in found.second
    assert "at once (with a time to try again)" in found.second


def test_a_service_with_an_endless_queue_gets_slow_beyond_its_peak() -> None:
    found = verdict(make_report([*confirmations(), make_run(PATIENT, 600)], PEAK))
    assert found.state == "good"
    assert found.second.startswith("Beyond that it gets slow: at 600 requests a second, 2 times as many, it answers ")
    assert " later than 50 ms (one in a hundred after " in found.second
    assert "refuse" not in found.second and "fail" not in found.second


def test_requests_that_could_not_be_sent_are_named() -> None:
    found = verdict(make_report([*confirmations(), make_run(PATIENT, 900, in_flight=100)], PEAK))
    assert "leaves so many unanswered that" in found.second and "could not be sent" in found.second


def test_a_service_that_fails_beyond_its_peak_is_said_to_fail() -> None:
    found = verdict(make_report([*confirmations(), make_run(Service(error=0.2), 450)], PEAK))
    assert found.second.startswith("Beyond that it fails")
    assert "fails to answer" in found.second and "(most often: canvas to digits, body: " in found.second


def test_refusals_that_come_late_are_not_called_immediate() -> None:
    run = make_run(Service(), 600)
    run.result.refusal_ms.p99 = 900.0
    assert "but only after up to 900 ms" in verdict(make_report([*confirmations(), run], PEAK)).second


def test_a_service_that_does_well_beyond_its_peak_is_said_to() -> None:
    found = verdict(make_report([*confirmations(), make_run(Service(), 320)], PEAK))
    assert found.second.startswith("Beyond that it still does well: at 320 requests a second")


def test_nothing_is_said_of_rates_that_were_not_measured() -> None:
    assert verdict(make_report(confirmations(), PEAK)).second == "What happens beyond that was not measured."


def test_a_late_generator_beyond_the_peak_hides_what_happens_there() -> None:
    found = verdict(make_report([*confirmations(), make_run(Service(), 330, void=LATE)], PEAK))
    assert found.second == "What happens beyond that is not known, because the load generator itself was late there."


def test_refusals_count_however_late_the_generator_was() -> None:
    found = verdict(make_report([*confirmations(), make_run(Service(), 600, void=LATE)], PEAK))
    assert found.second.startswith("Beyond that it refuses politely")


def test_a_noisy_machine_gives_no_firm_figure() -> None:
    peak = PEAK.model_copy(update={"noisy": True, "spread": 0.18})
    found = verdict(make_report(confirmations(), peak))
    assert found.state == "unknown"
    assert "takes about 300 requests a second" in found.first
    assert found.first.endswith("but repeated runs differ by 18 %: the machine was too noisy for a firm figure.")


def test_rates_that_held_in_some_runs_only_are_named() -> None:
    runs = [*confirmations(), make_run(Service(work_ms=4), 360), make_run(Service(work_ms=9), 310)]
    assert [run.met for run in runs[2:]] == [True, False]
    found = verdict(make_report(runs, PEAK.model_copy(update={"noisy": True})))
    assert "310 were too many in one run and 360 were not in another: the machine was too noisy" in found.first


def test_a_peak_that_was_not_confirmed_is_no_firm_figure() -> None:
    found = verdict(make_report(confirmations(), PEAK.model_copy(update={"confirmed": False})))
    assert found.state == "unknown"
    assert found.first.endswith("but repeated runs did not confirm it.")


def test_a_service_with_wrong_labels_and_errors_is_broken() -> None:
    runs = [make_run(Service(wrong=0.1, error=0.05), rate) for rate in (100, 200)]
    found = verdict(make_report(runs, NO_PEAK))
    assert found.state == "bad"
    assert found.first.startswith("The service is broken: even at 100 requests a second, it answers ")
    assert " wrongly and fails to answer " in found.first and "(most often: canvas to digits, body: wrong label)" in found.first
    assert found.second.startswith("Find the cause of the failures first")


def test_a_service_that_answers_nothing_is_broken_without_a_rate() -> None:
    run = make_closed_loop(Service(error=1.0), "estimate", "multi-stream")
    found = verdict(make_report([run], NO_PEAK))
    assert found.state == "bad"
    assert "without any rate to keep, it fails to answer 100 %" in found.first


def test_a_service_that_is_too_slow_at_any_rate_has_no_peak() -> None:
    found = verdict(make_report([make_run(Service(work_ms=60), rate, seconds=10) for rate in (5, 10)], NO_PEAK))
    assert found.state == "bad"
    assert found.first.startswith(
        "No rate that was tried met the objective of 99 % answered correctly within 50 ms and at most 0.1 % failed: "
        "even at 5 requests a second, the service answers "
    )
    assert found.second == "It needs a faster machine, a smaller model, or an objective that allows more time."


def test_a_service_that_refuses_at_any_rate_is_not_said_to_be_slow() -> None:
    found = verdict(make_report([make_run(Service(workers=1, queue=0), 50)], NO_PEAK))
    assert found.state == "bad"
    assert found.second.startswith("It refuses what it could take")


def test_a_void_generator_says_nothing_about_the_service() -> None:
    found = verdict(make_report([make_run(Service(error=0.5), 100, void=LATE)], NO_PEAK))
    assert found.state == "unknown"
    assert found.first.startswith("This test says nothing about the service") and LATE in found.first
    assert "Run it again" in found.second


def test_a_report_without_runs_says_so() -> None:
    assert verdict(make_report([])).state == "unknown"


def test_a_scenario_that_met_its_objectives() -> None:
    found = verdict(make_report([make_scenario(Service(), "server", constant(100), 100, 5)]))
    assert found.state == "good"
    assert found.first.startswith("In the scenario server, 100 % of ")
    assert found.first.endswith("requests were answered correctly within 50 ms, and none failed: the objectives were met.")
    assert found.second.startswith("Half of the responses took at most ")


def test_an_overloaded_scenario_says_what_became_of_the_rest() -> None:
    found = verdict(make_report([make_scenario(PATIENT, "spike", spike(200, 6, 3), 600, 6)]))
    assert found.state == "bad"
    assert found.first.endswith("and none failed: the objectives were missed.")
    assert found.second.startswith("The service answers ") and f"later than {SLO_MS:g} ms" in found.second


def test_a_scenario_in_a_closed_loop_has_no_share_in_time() -> None:
    found = verdict(make_report([make_closed_loop(Service(), "scenario", "single-stream")]))
    assert found.state == "good"
    assert "sends a request when the one before is answered" in found.first and "in time" not in found.first


def test_a_void_scenario_says_nothing() -> None:
    assert verdict(make_report([make_scenario(Service(), "server", constant(50), 50, 2, void=LATE)])).state == "unknown"


@pytest.mark.parametrize(("failed", "written"), [(1, "0.01 %"), (50, "0.5 %"), (500, "5 %")])
def test_small_shares_are_not_rounded_away(failed: int, written: str) -> None:
    run = make_run(Service(), 100, "scenario", seconds=1)
    run.result.outcomes = run.result.outcomes.model_copy(update={"due": 10_000, "in_time": 10_000 - failed, "error": failed})
    assert f"{written} failed" in verdict(make_report([run])).first
