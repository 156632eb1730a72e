"""The check of a GPU: tried with the CPU in its place, and where there is no GPU."""

import subprocess
import sys

import numpy as np
import pytest

from loadtests.benchmark.offline import DIGITS, open_run
from loadtests.generator.recorder import Recorder
from loadtests.gpu_check import NO_GPU, TOLERANCE, ModelCheck, largest_difference, report
from preprocessing import Tensor
from tests.support.processes import ROOT


def test_same_session_does_not_differ_from_itself() -> None:
    run = open_run(DIGITS, "cpu", threads=1)
    assert largest_difference(run, run) <= TOLERANCE


def test_difference_in_one_logit_of_the_largest_batch_is_found() -> None:
    run = open_run(DIGITS, "cpu", threads=1)

    def wrong(batch: Tensor) -> Tensor:
        logits = run(batch)
        if len(batch) == 64:
            logits = logits.copy()
            logits[63, 9] += 0.001 * np.abs(logits).max()
        return logits

    assert largest_difference(run, wrong) == pytest.approx(0.001, rel=0.01)


def found(provider: str, difference: float) -> ModelCheck:
    recorder = Recorder()
    recorder.duration = 1.0
    return ModelCheck("digits", 100, provider, difference, {1: 1000.0}, recorder)


def test_another_provider_and_other_logits_are_faults() -> None:
    assert found("CUDAExecutionProvider", 1e-5).faults("CUDAExecutionProvider") == []
    assert "uses CPUExecutionProvider" in found("CPUExecutionProvider", 0).faults("CUDAExecutionProvider")[0]
    assert "differ" in found("CUDAExecutionProvider", 0.01).faults("CUDAExecutionProvider")[0]
    assert "differ" in found("CUDAExecutionProvider", float("nan")).faults("CUDAExecutionProvider")[0]


def test_report_has_a_row_for_each_model_and_batch_size() -> None:
    text = report("gpu", [found("CUDAExecutionProvider", 1e-6)])
    assert "| digits | 100 | CUDAExecutionProvider | 1.0e-06 |" in " ".join(text.split(" "))
    assert "1,000" in text
    assert text.count("too slow") == 10


def test_without_a_gpu_it_ends_with_the_reason() -> None:
    command = [sys.executable, "-m", "loadtests.gpu_check"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (ended.returncode, ended.stdout) == (NO_GPU, "")
    assert ended.stderr.startswith("No GPU was checked: The installed onnxruntime has no CUDAExecutionProvider.")


@pytest.mark.slow
@pytest.mark.served
def test_whole_check_passes_with_the_cpu_in_place_of_the_gpu() -> None:
    short = ("--sweep-seconds=0.01", "--max-call-seconds=0.01", "--load-seconds=0.2")
    command = [sys.executable, "-m", "loadtests.gpu_check", "--device=cpu", *short]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("CPUExecutionProvider") == 2
