"""The workers' end of the hop to the runner service."""

import asyncio
from typing import Any

import numpy as np
import pytest

from serving.inference import remote_runner
from serving.inference.local_runner import ModelOutput
from serving.inference.remote_runner import CONNECT_TRIES, RemoteRunner, device_status, pack
from serving.inference.runner_health import RunnerHealth

OUTPUT = ModelOutput(np.array([1.0, 2.0], dtype=np.float32), 1, "CPUExecutionProvider", 0.5)


class Flaky:
    """A runner service that nobody can connect to a few times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0

    async def call(self, _name: str, /, *_args: Any) -> np.ndarray[Any, Any]:
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionRefusedError("the socket is gone")
        return pack([OUTPUT])


@pytest.fixture(autouse=True)
def shorten_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_runner, "CONNECT_SECONDS", 0)


def ask(service: Flaky) -> list[ModelOutput]:
    return asyncio.run(
        RemoteRunner("digits", "cpu", lambda: service, RunnerHealth(lambda: device_status(lambda: service))).run(
            np.zeros((1, 1, 28, 28), np.float32)
        )
    )


@pytest.mark.parametrize("failures", [0, 1, CONNECT_TRIES - 1])
def test_call_that_cannot_connect_is_retried(failures: int) -> None:
    service = Flaky(failures)
    (output,) = ask(service)
    np.testing.assert_array_equal(output.logits, OUTPUT.logits)
    assert (output.batch_size, output.inference_seconds, output.provider) == (1, 0.5, OUTPUT.provider)
    assert service.calls == failures + 1


def test_runner_that_stays_unreachable_raises() -> None:
    service = Flaky(CONNECT_TRIES)
    with pytest.raises(ConnectionRefusedError):
        ask(service)
    assert service.calls == CONNECT_TRIES
