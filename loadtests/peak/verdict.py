"""What a load test found, in two sentences for a reader who knows nothing of load tests."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from loadtests.generator.results import Outcomes
from loadtests.peak.curve import asked_rate, by_rate, rate_runs, share
from loadtests.peak.results import CONTRADICTION, MAX_SPREAD, LoadReport, Objectives, Peak, Run

# A rate is beyond the peak when it is so much higher; of what happens there, smaller shares are left out.
BEYOND: Final = 1.02
NOTABLE: Final = 0.01
# Faults that are no failures of the service.
UNBROKEN: Final = ("dropped", "refused with 429", "refused with 503")


@dataclass(frozen=True, slots=True)
class Summary:
    """Two sentences, and whether the news is good, bad, or says nothing about the service."""

    state: Literal["good", "bad", "unknown"]
    first: str
    second: str


def verdict(report: LoadReport) -> Summary:
    """The rate that the service takes within the objectives and what happens beyond it, or what prevents an answer."""
    scenarios = [run for run in report.runs if run.purpose == "scenario"]
    usable = [run for run in report.runs if not run.result.void]
    if report.peak is not None and report.peak.rate is not None:
        return _of_peak(report, report.peak, report.peak.rate)
    if not report.runs:
        return Summary("unknown", "Nothing was measured.", "The report has no runs.")
    if not usable:
        return _void(report.runs)
    if report.peak is None and scenarios:
        return _of_scenario([run for run in scenarios if not run.result.void] or usable, report.objectives)
    return _no_rate(report, usable)


def _of_peak(report: LoadReport, peak: Peak, rate: float) -> Summary:
    cores, wanted = report.machine.cores, _objectives(report.objectives)
    place = f"On this machine ({cores:,} core{'s' * (cores != 1)})"
    firm = peak.confirmed and not peak.noisy
    first = f"{place} the service takes {'' if firm else 'about '}{_count(rate)} requests a second with {wanted}"
    if peak.noisy:
        first += f", but {_difference(report, peak)}: the machine was too noisy for a firm figure"
    elif not peak.confirmed:
        first += ", but repeated runs did not confirm it"
    return Summary("good" if firm else "unknown", f"{first}.", _beyond(report, rate))


def _difference(report: LoadReport, peak: Peak) -> str:
    """How the runs of a search on a noisy machine contradict each other."""
    runs = [run for run in rate_runs(report) if not run.result.void]
    met = max((asked_rate(run) for run in runs if run.met), default=0.0)
    too_high = min((asked_rate(run) for run in runs if not run.met), default=met)
    if peak.spread <= MAX_SPREAD and too_high < CONTRADICTION * met:
        return f"{_count(too_high)} were too many in one run and {_count(met)} were not in another"
    return f"repeated runs differ by {_percent(peak.spread)}" if peak.spread else "runs contradict each other"


def _beyond(report: LoadReport, peak: float) -> str:
    """What happens at the highest rate that was measured above the peak."""
    runs = [run for run in rate_runs(report) if asked_rate(run) > BEYOND * peak]
    if not runs:
        return "What happens beyond that was not measured."
    telling = [run for run in runs if not run.result.void or _plainly_missed(run, report.objectives)]
    if not telling:
        return "What happens beyond that is not known, because the load generator itself was late there."
    rate = max(map(asked_rate, telling))
    group = [run for run in telling if asked_rate(run) == rate]
    words, phrases = _troubles(group, report.objectives)
    place = f"at {_count(rate)} requests a second, {rate / peak:.2g} times as many"
    if not phrases:
        return f"Beyond that it still does well: {place}, {_in_time(group, report.objectives)}."
    return f"Beyond that it {_list(words)}: {place}, it {_list(phrases)}."


def _plainly_missed(run: Run, objectives: Objectives) -> bool:
    """Whether a run missed the objectives however late its generator was."""
    outcomes = run.result.outcomes
    slow = run.result.latency_ms.p99 - run.result.generator.lag_ms.p99 > objectives.slo_ms
    return outcomes.failed > objectives.failed_share * outcomes.due or slow


def _void(runs: Sequence[Run]) -> Summary:
    reason = Counter(reason for run in runs for reason in run.result.generator.void).most_common(1)[0][0]
    first = f"This test says nothing about the service, because the load generator itself did not keep up: {reason}."
    return Summary("unknown", first, "Run it again on an idle machine, or from another machine.")


def _no_rate(report: LoadReport, usable: Sequence[Run]) -> Summary:
    """No rate met the objectives: what happened at the lowest one."""
    groups = by_rate(run for run in usable if run.result.rate is not None)
    group = next(iter(groups.values())) if groups else list(usable)
    words, phrases = _troubles(group, report.objectives)
    outcomes = total(group)
    place = f"at {_count(next(iter(groups)))} requests a second" if groups else "without any rate to keep"
    if outcomes.wrong + outcomes.error > report.objectives.failed_share * outcomes.due:
        first = f"The service is broken: even {place}, it {_list(phrases)}."
        return Summary(
            "bad", first, "Find the cause of the failures first: until then no rate is a figure of what it can take."
        )
    first = f"No rate that was tried met the objective of {_objectives(report.objectives)}: even {place}, "
    first += f"the service {_list(phrases)}." if phrases else f"{_in_time(group, report.objectives)}."
    if "refuses politely" in words:
        return Summary("bad", first, "It refuses what it could take: look at its limits, and at what else it has to do.")
    return Summary("bad", first, "It needs a faster machine, a smaller model, or an objective that allows more time.")


def _of_scenario(runs: Sequence[Run], objectives: Objectives) -> Summary:
    """Single scenarios: what share was answered in time, and what became of the rest."""
    outcomes, result = total(runs), runs[0].result
    met = all(run.met for run in runs)
    place = f"In the scenario {_list(list(dict.fromkeys(run.result.scenario for run in runs)))}"
    if result.loop == "closed":
        rate = sum(run.result.throughput for run in runs) / len(runs)
        first = f"{place}, which sends a request when the one before is answered, the service answered {_count(rate)} a second"
        first += f", and {_failed(outcomes)}"
    else:
        first = f"{place}, {_in_time(runs, objectives)}, and {_failed(outcomes)}"
    first += f": the objectives were {'met' if met else 'missed'}."
    _, phrases = _troubles(runs, objectives)
    latency = result.latency_ms
    if not latency.count:
        second = "No response was correct."
    elif phrases and not met:
        second = f"The service {_list(phrases)}."
    else:
        second = f"Half of the responses took at most {_ms(latency.p50)} and 99 of 100 at most {_ms(latency.p99)}."
    return Summary("good" if met else "bad", first, second)


def _troubles(runs: Sequence[Run], objectives: Objectives) -> tuple[list[str], list[str]]:
    """What the service does to requests that it does not answer in time: in a word each, and with figures."""
    outcomes = total(runs)
    words, phrases = [], []
    broken = outcomes.wrong + outcomes.error
    if broken > objectives.failed_share * outcomes.due:
        words.append("fails")
        kinds = [f"answers {_part(outcomes.wrong, outcomes)} wrongly"] if outcomes.wrong else []
        kinds += [f"fails to answer {_part(outcomes.error, outcomes)}"] if outcomes.error else []
        faults: Counter[str] = Counter()
        for run in runs:
            faults.update({name: count for name, count in run.result.faults.items() if not name.endswith(UNBROKEN)})
        phrases += kinds
        if faults:
            phrases[-1] += f" (most often: {faults.most_common(1)[0][0]})"
    if share(outcomes.refused, outcomes) >= NOTABLE:
        words.append("refuses politely")
        waited = max(run.result.refusal_ms.p99 for run in runs)
        quick = "at once" if waited <= objectives.slo_ms else f"but only after up to {_ms(waited)}"
        phrases.append(f"refuses {_part(outcomes.refused, outcomes)} {quick} (with a time to try again)")
    late, dropped = outcomes.correct - outcomes.in_time, outcomes.dropped
    if share(late + dropped, outcomes) >= NOTABLE:
        words.append("gets slow")
        if late:
            worst = max(run.result.latency_ms.p99 for run in runs)
            phrases.append(
                f"answers {_part(late, outcomes)} later than {objectives.slo_ms:g} ms (one in a hundred after {_ms(worst)})"
            )
        if dropped:
            phrases.append(f"leaves so many unanswered that {_part(dropped, outcomes)} could not be sent")
    if words == ["refuses politely"] and outcomes.correct:
        phrases.append(f"answers 99 of 100 of the others within {_ms(max(run.result.latency_ms.p99 for run in runs))}")
    return words, phrases


def total(runs: Sequence[Run]) -> Outcomes:
    """The sums of the outcomes of several runs."""
    documents = [run.result.outcomes.model_dump() for run in runs]
    return Outcomes(**{name: sum(one[name] for one in documents) for name in Outcomes.model_fields})


def _objectives(objectives: Objectives) -> str:
    return (
        f"{_percent(objectives.in_time_share)} answered correctly within {objectives.slo_ms:g} ms and at most "
        f"{_percent(objectives.failed_share)} failed"
    )


def _in_time(runs: Sequence[Run], objectives: Objectives) -> str:
    outcomes = total(runs)
    in_time = _part(outcomes.in_time, outcomes)
    return f"{in_time} of {outcomes.due:,} requests were answered correctly within {objectives.slo_ms:g} ms"


def _failed(outcomes: Outcomes) -> str:
    return f"{_part(outcomes.failed, outcomes)} failed" if outcomes.failed else "none failed"


def _part(count: int, outcomes: Outcomes) -> str:
    return _percent(share(count, outcomes))


def _percent(value: float) -> str:
    """A share in percent: as many digits as its distance from 0 and 1 needs, and neither 0 nor 100 unless it is."""
    if value in (0.0, 1.0):
        return f"{100 * value:.0f} %"
    distance = 100 * min(value, 1 - value)
    digits = 0 if distance >= 10 else 1 if distance >= 1 else 2
    if distance < 0.01:
        return "less than 0.01 %" if value < 0.5 else "more than 99.99 %"
    text = f"{100 * value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def _count(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def _ms(value: float) -> str:
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def _list(texts: Sequence[str]) -> str:
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
