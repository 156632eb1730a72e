"""What a release must meet, as ``loadtests/objectives.yaml`` says, and whether a run does."""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Final

import yaml
from hdrh.histogram import HdrHistogram
from pydantic import BaseModel, ConfigDict, PositiveFloat, ValidationError

from loadtests.generator.recorder import milliseconds
from loadtests.generator.results import MISSED, PASSED, VOID, RunResult
from loadtests.peak.early_stopping import is_shown
from loadtests.peak.results import Objectives, Peak, Run

FILE: Final = Path(__file__).parents[1] / "objectives.yaml"


class ObjectivesError(Exception):
    """The file of objectives cannot be used; the text says why."""


class RequiredPeak(BaseModel):
    """The least peak of some models with some pictures, in requests a second for each core of the machine."""

    model_config = ConfigDict(extra="forbid")

    models: str
    mix: str
    rate_per_core: PositiveFloat


class Release(BaseModel):
    """What a release must meet: the objectives at any rate, and the least peaks."""

    model_config = ConfigDict(extra="forbid")

    objectives: Objectives
    peaks: list[RequiredPeak] = []

    def required_rate(self, models: str, mix: str, cores: int) -> float | None:
        """The least peak of these models and pictures in requests a second; None if there is none."""
        rates = [peak.rate_per_core * cores for peak in self.peaks if (peak.models, peak.mix) == (models, mix)]
        return max(rates, default=None)


class Conclusion(Enum):
    """What a run says about a rate."""

    MET = "met"
    MISSED = "missed"
    UNKNOWN = "unknown"


def read_objectives(path: Path = FILE) -> Release:
    """Read a file of objectives.

    Raises:
        ObjectivesError: it does not exist, or something in it cannot be.
    """
    try:
        return Release.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ObjectivesError(f"{path} cannot be used: {error}") from error


def meets(result: RunResult, objectives: Objectives) -> bool:
    """Whether the generator was in time, few enough requests failed, and in an open loop enough were answered in time."""
    return not result.void and result.meets(objectives.in_time_share, objectives.failed_share)


def is_confirmed(result: RunResult, objectives: Objectives) -> bool:
    """Whether a run meets the objectives, and not by luck: see ``early_stopping``."""
    outcomes = result.outcomes
    late = outcomes.due - outcomes.in_time
    return meets(result, objectives) and is_shown(outcomes.due, late, objectives.in_time_share)


def conclude(result: RunResult, objectives: Objectives) -> Conclusion:
    """What a run says about its rate.

    A run in which the generator was late says nothing, with one exception: a saturated service on the same cores slows the
    generator down. Where requests failed, or took longer than the objective by more than the generator was late, it is the
    service that missed, whatever the generator did.
    """
    if not result.void:
        return Conclusion.MET if meets(result, objectives) else Conclusion.MISSED
    if not result.outcomes.due:
        return Conclusion.UNKNOWN
    failed = result.outcomes.failed > objectives.failed_share * result.outcomes.due
    slow = _percentile_ms(result, objectives.in_time_share) - result.generator.lag_ms.p99 > objectives.slo_ms
    return Conclusion.MISSED if failed or slow else Conclusion.UNKNOWN


def exit_code(runs: Sequence[Run], peak: Peak | None, required_rate: float | None) -> int:
    """Whether a load test met everything: ``PASSED``, ``MISSED``, or ``VOID`` when its runs say nothing.

    ``required_rate`` is the least peak in requests a second, None if any will do.
    """
    if peak is None:
        run = runs[-1]
        return VOID if run.result.void else PASSED if run.met else MISSED
    if peak.confirmed and peak.rate is not None:
        return PASSED if peak.rate >= (required_rate or 0.0) else MISSED
    tried = [run.result.void for run in runs if run.purpose in ("search", "confirmation")]
    return VOID if tried and all(tried) else MISSED


def _percentile_ms(result: RunResult, share: float) -> float:
    (found,) = milliseconds(HdrHistogram.decode(result.histogram.encode()), 100 * share)
    return found
