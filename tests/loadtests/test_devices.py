"""Networks, batch sizes and stages without HTTP."""

import math
from pathlib import Path

import numpy as np
import pytest

from loadtests.bench.devices import BATCHES, count_parameters, sweep
from loadtests.bench.network import write_network, write_slow
from loadtests.bench.pictures import pictures
from loadtests.bench.stages import megabytes, stage_times
from loadtests.sessions import DIGITS, open_devices, open_run
from models.card import file_sha256
from preprocessing import Tensor


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The large network, on disk."""
    path = tmp_path_factory.mktemp("networks") / "large.onnx"
    write_network(path)
    return path


def test_the_large_network_is_a_hundred_times_the_digit_model(large: Path) -> None:
    assert count_parameters(large) == pytest.approx(100 * count_parameters(DIGITS), rel=0.01)


def test_the_large_network_answers_and_tells_pictures_apart(large: Path) -> None:
    logits = open_run(large, "cpu", threads=1)(np.random.default_rng(0).random((3, 1, 28, 28), dtype=np.float32))
    assert logits.shape == (3, 10)
    assert np.isfinite(logits).all()
    assert np.abs(logits[0] - logits[1]).max() > 1e-3


def test_the_large_network_is_the_same_every_time(large: Path, tmp_path: Path) -> None:
    parameters = write_network(tmp_path / "again.onnx")
    assert parameters == count_parameters(large)
    assert file_sha256(tmp_path / "again.onnx") == file_sha256(large)


def test_the_slow_network_is_small_and_answers(tmp_path: Path) -> None:
    write_slow(tmp_path / "slow.onnx", convolutions=10)
    assert count_parameters(tmp_path / "slow.onnx") < 50_000
    logits = open_run(tmp_path / "slow.onnx", "cpu", threads=1)(
        np.random.default_rng(0).random((3, 1, 28, 28), dtype=np.float32)
    )
    assert logits.shape == (3, 10)
    assert np.isfinite(logits).all()
    assert np.abs(logits[0] - logits[1]).max() > 1e-5


def test_every_device_with_a_session_is_measured() -> None:
    assert "cpu" in open_devices(DIGITS, threads=1)


def test_batch_sizes_double_until_a_call_takes_too_long() -> None:
    shapes: list[tuple[int, ...]] = []

    def run(batch: Tensor) -> Tensor:
        shapes.append(batch.shape)
        return batch

    assert [row[0] for row in sweep(run, seconds=0, call_seconds=math.inf)] == list(BATCHES)
    assert shapes[-1] == (1024, 1, 28, 28)
    assert [row[:2] for row in sweep(run, seconds=0, call_seconds=0)] == [(1, 1)]


def test_rates_are_of_images() -> None:
    for batch, calls, rate in sweep(lambda images: images, seconds=0.001):
        assert rate >= batch * calls
        assert calls > 1


def test_stages_are_timed() -> None:
    stages = stage_times(calls=1, photo_calls=1)
    assert len({stage.name for stage in stages}) == len(stages) == 11
    assert all(stage.value > 0 for stage in stages)


def test_memory_of_a_picture_is_that_above_what_was_there() -> None:
    assert 0 <= megabytes(pictures()["canvas"].data) < 50
