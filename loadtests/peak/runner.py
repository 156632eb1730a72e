"""Runs Locust scenarios as subprocesses, and observes the service meanwhile."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import psutil

from loadtests.generator.options import KEY_VARIABLE
from loadtests.generator.results import RunResult
from loadtests.peak.objectives import is_confirmed, meets
from loadtests.peak.observer import SAMPLE_SECONDS, ServiceObserver
from loadtests.peak.results import Objectives, Purpose, Run
from loadtests.processes import ROOT

SCENARIOS: Final = ROOT / "loadtests" / "scenarios"
# How long a run may take beyond what is measured, before it is ended.
SPARE_SECONDS: Final = 120.0
MAX_ERROR_LINES: Final = 5
# In front of the logger's name in a line of Locust's log.
ERROR: Final = "/ERROR/"


class RunError(Exception):
    """A scenario ended without a result; the text has what Locust printed last."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A run to make: its scenario, for how many seconds, and at which rate, None for the scenario's own."""

    purpose: Purpose
    scenario: str
    seconds: float
    rate: float | None = None


class ScenarioRunner:
    """Runs scenarios against one service.

    ``options`` are further options of the generator, by their names without dashes; ``process`` is the service's first
    process, None if it does not run on this machine. The results and Locust's CSV files are written to ``folder``. Each run has
    a seed of its own, which follows from ``seed`` and its number.
    """

    def __init__(
        self,
        address: str,
        objectives: Objectives,
        folder: Path,
        seed: int,
        options: Mapping[str, str],
        process: psutil.Process | None = None,
    ) -> None:
        self._address, self._objectives, self._folder, self._seed = address, objectives, folder, seed
        self._options, self._process = dict(options), process
        self._number = 0

    def run(self, plan: RunPlan) -> Run:
        """Make a run.

        Raises:
            RunError: there is no result, because the scenario could not begin or did not end.
        """
        self._number += 1
        name = f"{self._number:02}-{plan.purpose}-{plan.scenario}"
        path = self._folder / f"{name}.json"
        path.unlink(missing_ok=True)
        observer = ServiceObserver(self._address, self._process, os.environ.get(KEY_VARIABLE, ""))
        try:
            printed = self._run_locust(self._command(plan, name, path), observer, plan.seconds)
        finally:
            observer.close()
        if not path.is_file():
            raise RunError(f"The scenario {plan.scenario} ended without a result:\n{printed}")
        result = RunResult.model_validate_json(path.read_text(encoding="utf-8"))
        started = datetime.fromisoformat(result.started_at).timestamp() + float(result.settings["warm_up"])
        met = (is_confirmed if plan.purpose == "confirmation" else meets)(result, self._objectives)
        return Run(purpose=plan.purpose, met=met, result=result, service=observer.summarise(started, result.seconds))

    def _command(self, plan: RunPlan, name: str, path: Path) -> list[str]:
        options = {
            **self._options,
            "host": self._address,
            "duration": f"{plan.seconds:g}",
            "seed": str(self._seed + self._number - 1),
            "slo-ms": f"{self._objectives.slo_ms:g}",
            "result": str(path),
            "csv": str(self._folder / name),
        }
        if plan.rate is not None:
            options["rate"] = f"{plan.rate:.6g}"
        file = SCENARIOS / f"{plan.scenario.replace('-', '_')}.py"
        command = [sys.executable, "-m", "locust", "-f", str(file), "--headless", "--only-summary"]
        return [*command, *(f"--{name}={value}" for name, value in options.items())]

    def _run_locust(self, command: list[str], observer: ServiceObserver, seconds: float) -> str:
        """Run a command until it ends, observe the service meanwhile, and return why there may be no result."""
        log = self._folder / "locust.log"
        with log.open("w+", encoding="utf-8") as errors:
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=errors)
            limit = time.monotonic() + seconds + SPARE_SECONDS
            try:
                while process.poll() is None and time.monotonic() < limit:
                    observer.observe()
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(SAMPLE_SECONDS)
                observer.observe()
            finally:
                process.terminate()
                process.wait()
        return find_reason(log.read_text(encoding="utf-8"))


def find_reason(log: str) -> str:
    """Why Locust ended without a result: what it logged as an error, or its last lines."""
    lines = log.splitlines()
    errors = [line.partition(ERROR)[2].partition(": ")[2] for line in lines if ERROR in line]
    return "\n".join((errors or lines)[-MAX_ERROR_LINES:])
