"""Everything that the alerts are for, done to a real service under load, one after another: once for all tests of the alerts.

Two Prometheus servers evaluate the rules of deploy/monitoring, in which all durations are divided by a factor: one scrapes the
service, and is for windows up to an hour; the other is given what the first scraped, and is for those from 30 minutes on.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import httpx
import psutil

from deploy.monitoring.panels import ROWS
from loadtests.samples import samples
from tests.deploy.monitoring.catalogue import import_catalogue
from tests.deploy.monitoring.prometheus import (
    AlertKey,
    Prometheus,
    Webhook,
    alert_key,
    federation_job,
    running_alertmanager,
    running_prometheus,
    service_job,
    values_of,
    webhook,
)
from tests.deploy.monitoring.rule_files import all_rules, write_scaled_rules
from tests.deploy.monitoring.traffic import CLIENTS, Traffic, traffic
from tests.support.failing_model import FAILS, MODEL
from tests.support.processes import free_port, halt, prioritise, processes_of, start_service
from tests.support.waiting import until

INTERVAL: Final = "300ms"  # /metrics takes up to 100 ms of a busy machine
SHORT, LONG = "short", "long"
FACTORS: Final = {SHORT: 300, LONG: 2000}  # 5 minutes take 1 s, and 6 hours 10.8 s
RATE: Final = 40.0
ALERT_SECONDS: Final = 60.0
RESOLVE_SECONDS: Final = 20.0
ANSWER_SECONDS: Final = 30.0
HALTED_SECONDS, RUNNING_SECONDS = 0.08, 0.04
# What Grafana puts into the expressions of the dashboard.
VARIABLES: Final = {"$__rate_interval": "2s", "$namespace": ".*", "$model": ".*"}
ALERTS: Final = [alert_key({"alertname": rule["alert"], **rule["labels"]}) for rule in all_rules("alert")]
RECORDED: Final = [rule["record"] for rule in all_rules("record")]
SHOWN: Final = [query.expression for panels in ROWS.values() for panel in panels for query in panel.queries]
SCALES: Final = {key: LONG if key[1] in ("6h", "3d") or key[0] == "ImageClassifierDrift" else SHORT for key in ALERTS}
DRIFT: Final = "image_classifier:population_stability_index"
OBSERVED: Final = "image_classifier:observed_images"
LIMIT: Final = "image_classifier:population_stability_index_limit"
WINDOWS: Final = ("1h", "6h", "3d")


@dataclass
class Outcome:
    """What was seen."""

    reports: Webhook
    catalogue: Path
    answers: dict[str, list[float]] = field(default_factory=dict)  # to the expressions, under load
    drift: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # the series of one moment
    metrics: str = ""  # of the service, under load
    seconds: dict[str, float] = field(default_factory=dict)  # that each part took


class Scenario:
    """The parts in their order; each causes something, and ends when its alerts have been reported."""

    def __init__(self, folder: Path, watch: Callable[[str, Mapping[str, Prometheus]], None] = lambda *_: None) -> None:
        """``watch`` is called with the name of each part as it ends, and both Prometheus servers."""
        self._folder = folder
        self._watch = watch
        self._servers: dict[str, Prometheus] = {}
        self._pictures = [sample.data for sample in samples()]
        self._ones = [sample.data for sample in samples() if sample.label == "1"]
        self._address = f"http://127.0.0.1:{free_port()}"
        self._started = time.monotonic()
        self._mark = 0  # of the reports since the last part

    def play(self) -> Outcome:
        """Play all parts, about a minute."""
        catalogue = import_catalogue(self._folder)
        with ExitStack() as stack:
            self.outcome = Outcome(stack.enter_context(webhook(SCALES)), catalogue)
            alertmanager = stack.enter_context(running_alertmanager(self._folder, self.outcome.reports.address))
            settings = {"CATALOGUE": str(catalogue), "WORKERS": "1", "GALLERY": "false", "DEADLINE_SECONDS": "10"}
            self._done("preparation")
            with self._service(
                "tests.served.broken_gpu:ImageClassifier", TOPOLOGY="runner", MAX_IN_FLIGHT=str(CLIENTS), **settings
            ):
                short = stack.enter_context(self._prometheus(SHORT, service_job(self._address), alertmanager))
                long = stack.enter_context(self._prometheus(LONG, federation_job(short), alertmanager))
                self._servers = {SHORT: short, LONG: long}
                prioritise(self._address)
                self._done("start")
                others = [alert for alert in ALERTS if alert[0] != "ImageClassifierGpuFallback"]
                with traffic(self._address, self._ones, RATE) as clients:
                    self._provoke(clients)
                    with suppress(AssertionError):
                        self._wait_for("resolved", *others, seconds=RESOLVE_SECONDS)
                # On a machine that is too busy to answer 99 % in time, requests have to end first.
                self._wait_for("resolved", *others)
                self._done("resolved")
            self._wait_for("resolved", ("ImageClassifierGpuFallback", ""))
            self._done("stopped")
        return self.outcome

    def _service(self, service: str = "service:ImageClassifier", **settings: str) -> AbstractContextManager[str]:
        return start_service(self._folder, int(self._address.rpartition(":")[2]), service, **settings)

    def _prometheus(self, scale: str, scrape: dict[str, Any], alertmanager: str) -> AbstractContextManager[Prometheus]:
        rules = self._folder / f"{scale}.yaml"
        write_scaled_rules(rules, FACTORS[scale])
        return running_prometheus(self._folder / scale, rules, scrape, alertmanager, INTERVAL, scale=scale)

    def _provoke(self, clients: Traffic) -> None:
        # A model that answers with one label alone, and a GPU that does not work.
        self._wait_for("firing", ("ImageClassifierDrift", ""), ("ImageClassifierGpuFallback", ""))
        clients.pictures = self._pictures
        self._done("drift")
        with self._slow_runner():
            self._wait_for("firing", *(("ImageClassifierLatencyBudgetBurn", window) for window in WINDOWS))
        self._done("late")
        with traffic(self._address, self._pictures, RATE), halt(*self._runners()):
            self._wait_for("firing", ("ImageClassifierSaturated", ""), ("ImageClassifierOverloaded", ""))
        self._done("overload")
        errors = [("ImageClassifierErrorBudgetBurn", window) for window in WINDOWS]
        self._repeat(self._kill_the_runner, ("ImageClassifierWorkersRestarting", ""), *errors)
        self._done("killed")
        until(self._is_ready)
        self._repeat(self._fail_a_session, ("ImageClassifierSessionsRestarting", ""))
        self._done("sessions")
        self._ask()
        self._done("questions")
        self.outcome.metrics = httpx.get(f"{self._address}/metrics", timeout=10).text
        with ExitStack() as stack:
            for process in processes_of(self._address):
                stack.enter_context(halt(process))
            self._wait_for("firing", ("ImageClassifierTargetDown", ""), ("ImageClassifierAbsent", ""))
        self._done("halted")

    def _is_ready(self) -> bool:
        return httpx.get(f"{self._address}/readyz", timeout=10).status_code == 200

    def _kill_the_runner(self) -> None:
        if self._is_ready():
            for runner in self._runners():
                runner.kill()

    def _fail_a_session(self) -> None:
        httpx.post(f"{self._address}/classify", params={"model": MODEL}, content=FAILS, timeout=30)

    def _repeat(self, cause: Callable[[], None], *alerts: AlertKey) -> None:
        """Repeat a cause until each of the alerts fires, or has since the last part: a scrape that is too slow misses one."""
        missing = set(alerts)

        def fired() -> bool:
            cause()
            reports = self.outcome.reports
            missing.difference_update(alert for alert, status in reports.log[self._mark :] if status == "firing")
            missing.difference_update([alert for alert in missing if reports.is_in(alert, "firing")])
            return not missing

        with suppress(AssertionError):
            until(fired, ALERT_SECONDS, steadily=True)
        assert not missing, f"never fired: {missing}; {self.outcome.seconds}"

    def _ask(self) -> None:
        """Ask every expression of rules and dashboard, again where there is no data: a scrape may have been too slow."""
        for expression in (*RECORDED, *SHOWN):
            filled = expression
            for variable, value in VARIABLES.items():
                filled = filled.replace(variable, value)

            def answered(expression: str = expression, filled: str = filled) -> bool:
                found = self._servers[SHORT].query(filled)
                self.outcome.answers[expression] = [value for value in values_of(found) if not math.isnan(value)]
                return bool(self.outcome.answers[expression])

            with suppress(AssertionError):  # the test of the expression fails
                until(answered, ANSWER_SECONDS, steadily=True)
        moment = self._servers[LONG].value(f"timestamp({DRIFT}{{model='digits', quantity='label'}})")
        for series in (DRIFT, OBSERVED, LIMIT):
            self.outcome.drift[series] = self._servers[LONG].query(f"{series}{{model='digits'}} @ {moment:.3f}")

    def _runners(self) -> list[psutil.Process]:
        """The runner's process; none while it is replaced."""
        return [one for one in processes_of(self._address) if "image_classifier_runner" in one.info["cmdline"]]

    @contextmanager
    def _slow_runner(self) -> Iterator[None]:
        """The runner stands still most of the time until the block ends."""
        (runner,), done = self._runners(), Event()

        def slow_down() -> None:
            while not done.wait(RUNNING_SECONDS):
                with halt(runner):
                    done.wait(HALTED_SECONDS)

        thread = Thread(target=slow_down)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _wait_for(self, state: str, *alerts: AlertKey, seconds: float = ALERT_SECONDS) -> None:
        """Return once each of the alerts was in a state, by the last report of it, since this began."""
        waiting = set(alerts)

        def arrived() -> bool:
            waiting.difference_update([alert for alert in waiting if self.outcome.reports.is_in(alert, state)])
            return not waiting

        with suppress(AssertionError):
            until(arrived, seconds)
        assert not waiting, f"not {state}: {waiting}; {self.outcome.seconds}"

    def _done(self, part: str) -> None:
        self.outcome.seconds[part] = round(time.monotonic() - self._started, 1)
        self._mark = len(self.outcome.reports.log)
        with (self._folder / "seconds").open("a", encoding="utf-8") as file:
            file.write(f"{part} {self.outcome.seconds[part]}\n")
        self._watch(part, self._servers)
