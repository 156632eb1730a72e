"""The examples of README.md, run as they stand against a real service."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.support.processes import ROOT

pytestmark = pytest.mark.served

DEFAULT_ADDRESS = "http://127.0.0.1:3000"


def examples(language: str) -> list[str]:
    """The code blocks of README.md in a language."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def curl_lines() -> list[str]:
    return [line for block in examples("bash") for line in block.splitlines() if line.startswith("curl ")]


def test_there_are_examples() -> None:
    assert len(curl_lines()) >= 2
    assert len(examples("python")) >= 1


def run_curl(line: str, service_address: str) -> Any:
    """The JSON that a curl line of the README receives from this service."""
    command = line.replace(DEFAULT_ADDRESS, service_address).replace("curl ", "curl --silent --fail ", 1)
    ran = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(ran.stdout)


def without_times(answer: dict[str, Any]) -> dict[str, Any]:
    """A response without what differs from run to run."""
    return {**answer, "timings_ms": sorted(answer["timings_ms"]), "batch_size": 1}


@pytest.mark.parametrize("line", curl_lines())
def test_curl_examples(line: str, service_address: str) -> None:
    assert run_curl(line, service_address)["label"] == "7"


def test_the_response_shown_is_that_of_the_first_example(service_address: str) -> None:
    shown = json.loads(examples("json")[0])
    answer = run_curl(curl_lines()[0], service_address)
    assert list(answer) == list(shown)
    for part in ("probabilities", "confidence"):
        assert answer.pop(part) == pytest.approx(shown.pop(part), abs=0.001)
    for one in (answer, shown):
        one["top"] = [scored["label"] for scored in one["top"]]
    assert without_times(answer) == without_times(shown)


@pytest.mark.parametrize("block", examples("python"))
def test_python_examples(block: str, service_address: str) -> None:
    code = block.replace(DEFAULT_ADDRESS, service_address)
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.startswith("7 ")


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
