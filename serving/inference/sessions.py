"""ONNX Runtime sessions on the CPU and the GPU."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort

from models.outputs import LOGITS, LogitsFunction, OutputSpec, session_run
from preprocessing import Tensor


class DeviceUnavailable(Exception):
    """No session can run on the device; the message says why, and ``remedy`` what the operator can do."""

    remedy = "Check the driver with nvidia-smi, start a container with --gpus all, or set DEVICE=cpu."


class ProviderMissing(DeviceUnavailable):
    """The installed onnxruntime does not include the execution provider of the device."""

    remedy = "Install requirements/gpu.txt in place of requirements/bento.txt, or set DEVICE=cpu."


@dataclass(frozen=True, slots=True)
class Device:
    """An execution provider, its options, and the memory of its tensors if that is not the host's."""

    name: str
    provider: str
    options: dict[str, str] = field(default_factory=dict)
    memory: str | None = None


CPU: Final = Device("cpu", "CPUExecutionProvider")
GPU: Final = Device(
    "gpu",
    "CUDAExecutionProvider",
    {
        # The exhaustive search runs again for each batch size; TF32 would give other results than the CPU.
        "cudnn_conv_algo_search": "HEURISTIC",
        "use_tf32": "0",
        # Grow by what is requested, not to the next power of two, since other processes share the GPU.
        "arena_extend_strategy": "kSameAsRequested",
    },
    "cuda",
)
DEVICES: Final = {device.name: device for device in (CPU, GPU)}


def open_session(path: Path, device: Device, threads: int) -> ort.InferenceSession:
    """A session on ``device`` with ``threads`` threads of its own, which do not spin when idle.

    Raises:
        ProviderMissing: onnxruntime does not include the provider.
        DeviceUnavailable: the provider does not work, or the session fell back to another.
    """
    if device.provider not in ort.get_available_providers():
        raise ProviderMissing(f"The installed onnxruntime has no {device.provider}.")
    if device.memory == "cuda":
        ort.preload_dlls()  # finds CUDA and cuDNN where pip installed them
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = ort.InferenceSession(str(path), options, providers=[(device.provider, device.options)])
    except Exception as error:  # a missing or old driver raises any of onnxruntime's classes
        if device == CPU:
            raise
        raise DeviceUnavailable(f"{device.provider} does not work: {error}") from error
    if session.get_providers()[0] != device.provider:
        raise DeviceUnavailable(f"{device.provider} does not work here: onnxruntime fell back to {session.get_providers()[0]}.")
    return session


class Session:
    """An ONNX Runtime session of a classifier: a batch in the layout and type of the model to logits float32[N,K].

    ``output`` and ``fixed_batch`` are the card's.
    """

    def __init__(
        self, path: Path, device: Device, threads: int, output: OutputSpec = LOGITS, fixed_batch: int | None = None
    ) -> None:
        self.device = device
        self._session = open_session(path, device, threads)
        self._input = self._session.get_inputs()[0].name
        self._output = output.name or self._session.get_outputs()[0].name
        self._grows = fixed_batch is None
        self._bound: dict[int, Any] = {}
        run = session_run(self._session, output) if device.memory is None else partial(self._run_bound, device.memory)
        self._logits = LogitsFunction(run, output, fixed_batch)

    @property
    def provider(self) -> str:
        """The execution provider in use, as the session reports it."""
        return str(self._session.get_providers()[0])

    def run(self, batch: Tensor) -> Tensor:
        """Logits float32[N,K] of a batch."""
        return self._logits(batch)

    def _run_bound(self, memory: str, batch: Tensor) -> Tensor:
        """The output for a batch, run on tensors that stay in the device's memory, one for each power of two, so that no batch
        size is new to it."""
        n = len(batch)
        size = 1 << (n - 1).bit_length() if self._grows else n
        padded = batch if n == size else np.concatenate([batch, np.zeros((size - n, *batch.shape[1:]), batch.dtype)])
        if size not in self._bound:
            value = ort.OrtValue.ortvalue_from_numpy(padded, memory, 0)
            binding = self._session.io_binding()
            binding.bind_ortvalue_input(self._input, value)
            binding.bind_output(self._output, memory)
            self._bound[size] = (value, binding)
        value, binding = self._bound[size]
        value.update_inplace(np.ascontiguousarray(padded))
        self._session.run_with_iobinding(binding)
        return np.asarray(binding.copy_outputs_to_cpu()[0][:n])
