"""Benchmarks without HTTP: networks, batch sizes and stages."""

import math
from pathlib import Path

import numpy as np
import pytest

from loadtests.benchmark.networks import write_large, write_slow
from loadtests.benchmark.offline import (
    BATCHES,
    DIGITS,
    count_parameters,
    open_devices,
    open_run,
    peak_megabytes,
    stage_times,
    sweep,
)
from loadtests.images import canvas
from models.card import file_sha256
from preprocessing import Tensor


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The large network, on disk."""
    path = tmp_path_factory.mktemp("networks") / "large.onnx"
    write_large(path)
    return path


def test_large_network_has_100_times_the_parameters_of_the_digit_model(large: Path) -> None:
    assert count_parameters(large) == pytest.approx(100 * count_parameters(DIGITS), rel=0.01)


def test_large_network_gives_finite_logits_that_depend_on_the_image(large: Path) -> None:
    logits = open_run(large, "cpu", threads=1)(np.random.default_rng(0).random((3, 1, 28, 28), dtype=np.float32))
    assert logits.shape == (3, 10)
    assert np.isfinite(logits).all()
    assert np.abs(logits[0] - logits[1]).max() > 1e-3


def test_large_network_is_reproducible(large: Path, tmp_path: Path) -> None:
    write_large(tmp_path / "again.onnx")
    assert file_sha256(tmp_path / "again.onnx") == file_sha256(large)


def test_slow_network_is_small_and_gives_finite_logits(tmp_path: Path) -> None:
    write_slow(tmp_path / "slow.onnx", convolutions=10)
    assert count_parameters(tmp_path / "slow.onnx") < 50_000
    logits = open_run(tmp_path / "slow.onnx", "cpu", threads=1)(
        np.random.default_rng(0).random((3, 1, 28, 28), dtype=np.float32)
    )
    assert logits.shape == (3, 10)
    assert np.isfinite(logits).all()
    assert np.abs(logits[0] - logits[1]).max() > 1e-5


def test_cpu_is_among_the_measured_devices() -> None:
    assert "cpu" in open_devices(DIGITS, threads=1)


def test_batch_sizes_double_until_a_call_takes_too_long() -> None:
    shapes: list[tuple[int, ...]] = []

    def run(batch: Tensor) -> Tensor:
        shapes.append(batch.shape)
        return batch

    assert [batch for batch, _ in sweep(run, seconds=0, max_call_seconds=math.inf)] == list(BATCHES)
    assert shapes[-1] == (1024, 1, 28, 28)
    assert [batch for batch, _ in sweep(run, seconds=0, max_call_seconds=0)] == [1]


def test_rate_counts_images_not_calls() -> None:
    calls: list[int] = []

    def run(batch: Tensor) -> Tensor:
        calls.append(len(batch))
        return batch

    for batch, rate in sweep(run, seconds=0.001):
        measured = calls.count(batch) - 1  # the first call allocates
        assert measured > 1
        assert batch * measured <= rate <= batch * measured / 0.001


def test_stages_are_timed() -> None:
    stages = stage_times(calls=1, photo_calls=1)
    assert len({stage.name for stage in stages}) == len(stages) == 14
    assert all(stage.value > 0 for stage in stages)


def test_peak_memory_counts_only_the_increase() -> None:
    assert 0 <= peak_megabytes(canvas()) < 50
