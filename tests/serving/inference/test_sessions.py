"""Sessions by device; the GPU's path runs on a stand-in, the CPU's provider with tensors bound as they are for CUDA."""

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.card import CARD_FILE, MODEL_FILE, ModelCard, read_card, write_card
from models.store import CATALOGUE
from preprocessing import Tensor
from serving.inference import sessions
from serving.inference.local_runner import LocalRunner, open_runners, warm_up_sizes
from serving.inference.sessions import CPU, GPU, Device, DeviceUnavailable, ProviderMissing, Session, open_session
from serving.process import metrics
from serving.registry.model_registry import EmbeddedRegistry
from serving.settings import Settings, available_cpus
from tests.models.catalogues import add_cascade, add_model

PATH = CATALOGUE / "digits" / MODEL_FILE
STAND_IN = Device("gpu", CPU.provider, memory="cpu")


@pytest.fixture(scope="module")
def card() -> ModelCard:
    card = read_card(CATALOGUE / "digits" / "card.yaml")
    assert isinstance(card, ModelCard)
    return card


def images(n: int) -> Tensor:
    return np.random.default_rng(n).random((n, 1, 28, 28), dtype=np.float32)


def test_tensors_bound_to_a_device_give_the_same_logits_at_every_size() -> None:
    plain, bound = Session(PATH, CPU, threads=1), Session(PATH, STAND_IN, threads=1)
    for n in [*range(1, 34), 5, 1, 32]:
        batch = images(n)
        logits = bound.run(batch)
        assert logits.dtype == np.float32
        np.testing.assert_allclose(logits, plain.run(batch), atol=1e-4)
    assert bound.provider == CPU.provider


def test_provider_that_is_not_installed_is_missing() -> None:
    with pytest.raises(ProviderMissing, match="CUDAExecutionProvider"):
        open_session(PATH, GPU, threads=1)


def test_both_devices_are_served_where_both_work(card: ModelCard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sessions.DEVICES, "gpu", STAND_IN)
    runners, reasons = open_runners(PATH, card, Settings(), processes=1)
    assert list(runners) == ["cpu", "gpu"]
    assert reasons == {}


def test_broken_gpu_is_logged_as_a_warning(
    card: ModelCard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: [GPU.provider, CPU.provider])
    with caplog.at_level(logging.INFO, "bentoml.serving"):
        runners, reasons = open_runners(PATH, card, Settings(), processes=1)
    assert list(runners) == ["cpu"]
    assert "does not work" in reasons["gpu"]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "runs on the CPU" in record.message
    assert metrics.gpu_fallback.labels("digits")._value.get() == 1
    with pytest.raises(DeviceUnavailable):
        open_runners(PATH, card, Settings(device="gpu"), processes=1)


def test_gpu_that_fails_on_the_golden_input_falls_back_to_the_cpu(card: ModelCard, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Session.run

    def out_of_memory(session: Session, batch: Tensor) -> Tensor:
        if session.device is STAND_IN:
            raise RuntimeError("CUDA failure 2: out of memory")
        return run(session, batch)

    monkeypatch.setitem(sessions.DEVICES, "gpu", STAND_IN)
    monkeypatch.setattr(Session, "run", out_of_memory)
    runners, reasons = open_runners(PATH, card, Settings(), processes=1)
    assert list(runners) == ["cpu"]
    assert "out of memory" in reasons["gpu"]


def test_missing_gpu_provider_is_not_a_warning(card: ModelCard, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "bentoml.serving"):
        _, reasons = open_runners(PATH, card, Settings(), processes=1)
    assert reasons == {"gpu": "The installed onnxruntime has no CUDAExecutionProvider."}
    assert [record.levelno for record in caplog.records] == [logging.INFO]
    assert metrics.gpu_fallback.labels("digits")._value.get() == 0


class Failing:
    """`Session.run` that raises each of ``failures`` once; ``threads`` are those in which sessions were opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failures: list[Exception] = []
        self.threads: list[threading.Thread] = []
        self.opening = threading.Event()
        self.opening.set()
        run, init = Session.run, Session.__init__

        def failing(session: Session, batch: Tensor) -> Tensor:
            if self.failures:
                raise self.failures.pop()
            return run(session, batch)

        def opened(session: Session, *arguments: Any, **options: Any) -> None:
            self.threads.append(threading.current_thread())
            assert self.opening.wait(30)
            init(session, *arguments, **options)

        monkeypatch.setattr(Session, "run", failing)
        monkeypatch.setattr(Session, "__init__", opened)


def restarts() -> float:
    return float(metrics.session_restarts.labels("digits", "cpu")._value.get())


@pytest.mark.parametrize("inline", [True, False])
def test_failed_session_is_reopened_and_called_once_more(
    card: ModelCard, inline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play() -> None:
        runner = LocalRunner(PATH, card, CPU, threads=1)
        runner._inline = 32 * inline
        expected = [output.logits for output in await runner.run(images(3))]
        before, failing = restarts(), Failing(monkeypatch)
        failing.failures.append(RuntimeError("lost the device"))
        np.testing.assert_array_equal([output.logits for output in await runner.run(images(3))], expected)
        assert restarts() == before + 1
        failing.failures.append(RuntimeError("again, at once"))
        with pytest.raises(RuntimeError, match="again"):
            await runner.run(images(3))
        assert restarts() == before + 1

    asyncio.run(play())


def test_session_is_reopened_once_in_a_thread_for_all_failed_calls(card: ModelCard, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        runner = LocalRunner(PATH, card, CPU, threads=1)
        runner._inline = 32
        before, failing = restarts(), Failing(monkeypatch)
        failing.failures += [RuntimeError("lost the device")] * 3
        failing.opening.clear()
        calls = [asyncio.ensure_future(runner.run(images(1))) for _ in range(3)]
        while not failing.threads:
            await asyncio.sleep(0.01)  # between two looks; a loop that was held would never come here
        assert not any(call.done() for call in calls)
        failing.opening.set()
        assert [len(await call) for call in calls] == [1, 1, 1]
        assert restarts() == before + 1
        assert failing.threads[0] is not threading.main_thread()

    asyncio.run(play())


def test_models_that_fail_to_load_leave_no_session_open(tmp_path: Path) -> None:
    """Neither the runner of another device nor the models that were loaded before; the gauge counts what is open."""

    def sessions() -> float:
        return sum(sample.value for family in metrics.sessions.collect() for sample in family.samples)

    before = sessions()
    for name in ("first", "second"):
        add_model(tmp_path, name, ["a", "b"])
    cascade = add_cascade(tmp_path, "third", "first:1.0.0", {"a": "nobody:1.0.0"}, ["b", "c"])
    with pytest.raises(KeyError):
        EmbeddedRegistry([tmp_path / name for name in ("first", "second", cascade.name)], Settings())
    wrong = read_card(tmp_path / "second" / CARD_FILE)
    assert isinstance(wrong, ModelCard)
    write_card(wrong.model_copy(update={"known_answer": {"a": 100.0}}), tmp_path / "second" / CARD_FILE)
    with pytest.raises(DeviceUnavailable, match="for the golden input"):
        EmbeddedRegistry([tmp_path / "first", tmp_path / "second"], Settings())
    assert sessions() == before


def test_warm_up_takes_the_powers_of_two_and_the_largest_batch(card: ModelCard) -> None:
    assert [warm_up_sizes(n) for n in (1, 2, 3, 32, 33)] == [
        [1],
        [1, 2],
        [1, 2, 3],
        [1, 2, 4, 8, 16, 32],
        [1, 2, 4, 8, 16, 32, 33],
    ]
    runner = LocalRunner(PATH, card, CPU, threads=1)
    runner.warm_up(images(1)[0], [1, 2, 4])
    assert runner._session.run(images(4)).shape == (4, 10)


@pytest.mark.parametrize(
    ("milliseconds", "inline"), [(0.1, [1, 2, 4, 8, 16]), (0.9, [1, 2]), (3, []), (0, [1, 2, 4, 8, 16, 32])]
)
def test_only_short_calls_run_in_the_event_loop(
    card: ModelCard, milliseconds: float, inline: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model whose call takes so long an image, on a clock of its own."""
    now, threads = [0.0], []

    def run(_: Session, batch: Tensor) -> Tensor:
        now[0] += len(batch) * milliseconds / 1000
        threads.append(threading.current_thread())
        return np.zeros((len(batch), 10), np.float32)

    monkeypatch.setattr(Session, "run", run)
    monkeypatch.setattr("serving.inference.local_runner.thread_time", lambda: now[0])
    runner = LocalRunner(PATH, card.model_copy(update={"known_answer": None}), CPU, threads=1)
    now[0], sizes = 0.0, warm_up_sizes(32)
    runner.warm_up(images(1)[0], sizes)
    threads.clear()
    for size in sizes:
        asyncio.run(runner.run(images(size)))
    runner.close()
    assert [size for size, thread in zip(sizes, threads, strict=True) if thread is threading.main_thread()] == inline


def test_threads_come_from_the_quota_of_the_cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.settings.CGROUP", tmp_path)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    assert available_cpus() == 8
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("300000\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert available_cpus() == 3
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    assert available_cpus() == 2
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert available_cpus() == 8
