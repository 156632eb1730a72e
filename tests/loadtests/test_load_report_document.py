"""docs/load-report.md has every field of a report, under the name of its class."""

import re

import pytest
from pydantic import BaseModel

from loadtests.generator.results import Generator, Kind, Latencies, Outcomes, RunResult, Second
from loadtests.machine import Machine
from loadtests.peak.results import LoadReport, Objectives, Peak, ResourceSample, Run, ServiceObservation, StageTime
from tests.support.processes import ROOT

MODELS: list[type[BaseModel]] = [
    *(LoadReport, Machine, Objectives, Run, RunResult, Outcomes, Latencies, Kind, Second, Generator),
    *(ServiceObservation, ResourceSample, StageTime, Peak),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_all_fields_are_documented_in_their_order(model: type[BaseModel]) -> None:
    text = (ROOT / "docs" / "load-report.md").read_text(encoding="utf-8")
    section = text.split(f"### {model.__name__}\n")[1].split("\n### ")[0]
    assert re.findall(r"^\| `(\w+)` \| .+ \|$", section, re.MULTILINE) == list(model.model_fields)


def test_every_class_in_a_report_is_documented() -> None:
    found = LoadReport.model_json_schema()["$defs"]
    assert {*found, "LoadReport"} == {model.__name__ for model in MODELS}
