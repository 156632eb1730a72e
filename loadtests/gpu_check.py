"""``python -m loadtests.gpu_check``: check a GPU against the CPU and measure it; prints a table for docs/benchmarks.md.

For the digit model and a network a hundred times larger: the execution provider in use, the largest difference of the logits
from the CPU's, images/s by batch size without HTTP, and requests/s of the service in the runner topology. Ends with 2 where no
GPU works, and with 1 where a check fails.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Final

import httpx
import numpy as np

from loadtests.benchmark.networks import write_large
from loadtests.benchmark.offline import BATCHES, DIGITS, MAX_CALL_SECONDS, Run, count_parameters, open_run, sweep
from loadtests.generator.client import ServiceClient
from loadtests.generator.loops import closed_loop
from loadtests.generator.recorder import Recorder, milliseconds
from loadtests.images import load_images
from loadtests.processes import ROOT, SERVERS, start_server
from loadtests.report import table
from loadtests.requests import form_request
from serving.inference.sessions import DeviceUnavailable
from serving.settings import available_cpus

TOLERANCE: Final = 1e-4
# Batch sizes that are compared with the CPU, which takes long for the large network.
COMPARED: Final = (1, 2, 3, 32, 64)
CLIENTS: Final = 64
SWEEP_SECONDS: Final = 1.0
LOAD_SECONDS: Final = 10.0
NO_GPU: Final = 2
# Images in one call of the runner, which warms up all smaller batches too.
SERVED_BATCH: Final = {"gpu": BATCHES[-1], "cpu": 8}
PROVIDERS: Final = {"gpu": "CUDAExecutionProvider", "cpu": "CPUExecutionProvider"}


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """What was found for one model: ``difference`` is relative to the largest logit, ``rates`` are images/s by batch size."""

    name: str
    parameters: int
    provider: str
    difference: float
    rates: dict[int, float]
    load: Recorder

    def faults(self, provider: str) -> list[str]:
        """What is wrong, in a sentence each."""
        faults = [f"{self.name}: {count} x {fault}" for fault, count in self.load.faults.items()]
        if self.provider != provider:
            faults.append(f"{self.name}: the service uses {self.provider}, not {provider}.")
        if not self.difference <= TOLERANCE:
            faults.append(f"{self.name}: the logits differ from the CPU's by {self.difference:.1e}, more than {TOLERANCE:g}.")
        return faults


def largest_difference(reference: Run, run: Run, batches: Sequence[int] = COMPARED) -> float:
    """The largest difference of logits over batches of these sizes, relative to the largest logit of the batch."""
    rng, largest = np.random.default_rng(0), 0.0
    for batch in batches:
        images = rng.random((batch, 1, 28, 28), dtype=np.float32)
        expected = reference(images)
        largest = max(largest, float(np.abs(run(images) - expected).max() / np.abs(expected).max()))
    return largest


def import_into(home: Path, catalogue: Path, network: Path) -> None:
    """Import the digit model and the large network into a model store at ``home``."""
    shutil.copytree(DIGITS.parent, catalogue / "digits")
    environment = {**os.environ, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", "CATALOGUE": str(catalogue)}
    for arguments in ([], [str(network), "--name", network.stem, "--labels", "0-9"]):
        command = [sys.executable, "-m", "models", "import", *arguments]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def load(address: str, model: str, seconds: float) -> Recorder:
    """Send drawings to a model from ``CLIENTS`` connections for ``seconds``."""
    image, client, recorder = load_images()["canvas"], ServiceClient(address, CLIENTS), Recorder()
    request = form_request(model, [image.data], f"/classify?model={model}")
    recorder.duration = closed_loop(client, repeat(request), recorder.add, CLIENTS, seconds)
    client.close()
    return recorder


def providers(address: str, device: str) -> dict[str, str]:
    """The execution provider of each model on a device, as a running service reports it in its answers."""
    names = [model["name"] for model in httpx.get(f"{address}/models", timeout=30).json()["models"]]
    url, content = f"{address}/classify", load_images()["canvas"].data
    answers = {name: httpx.post(url, params={"model": name, "device": device}, content=content, timeout=60) for name in names}
    return {name: answer.json().get("provider") or answer.text for name, answer in answers.items()}


def check(device: str, sweep_seconds: float, max_call_seconds: float, load_seconds: float) -> list[ModelCheck]:
    """Check and measure both models on a device; the arguments are those of the command line.

    Raises:
        DeviceUnavailable: no session works on the device.
    """
    with tempfile.TemporaryDirectory() as folder:
        home, catalogue, network = Path(folder, "home"), Path(folder, "catalogue"), Path(folder, "large.onnx")
        home.mkdir()
        write_large(network)
        files, threads = {"digits": DIGITS, "large": network}, available_cpus()
        runs = {name: open_run(file, device, threads) for name, file in files.items()}
        differences = {name: largest_difference(open_run(files[name], "cpu", threads), run) for name, run in runs.items()}
        rates = {name: dict(sweep(run, sweep_seconds, max_call_seconds)) for name, run in runs.items()}
        import_into(home, catalogue, network)
        settings = {"CATALOGUE": str(catalogue), "DEVICE": device, "MAX_BATCH_SIZE": str(SERVED_BATCH[device])}
        with start_server(SERVERS["runner"], home, **settings) as server:
            used = providers(server.address, device)
            loads = {name: load(server.address, name, load_seconds) for name in files}
        return [
            ModelCheck(name, count_parameters(file), used[name], differences[name], rates[name], loads[name])
            for name, file in files.items()
        ]


def report(device: str, checks: Sequence[ModelCheck]) -> str:
    """The figures as Markdown."""
    heads = (
        "model",
        "parameters",
        "provider",
        "difference from the CPU",
        f"requests/s of {CLIENTS} clients, runner",
        "p99, ms",
    )
    rows = [
        [
            *(each.name, f"{each.parameters:,}", each.provider, f"{each.difference:.1e}"),
            *(f"{each.load.goodput:,.0f}", f"{milliseconds(each.load.total.latencies, 99)[0]:.1f}"),
        ]
        for each in checks
    ]
    batches = [
        (str(batch), *(f"{each.rates[batch]:,.0f}" if batch in each.rates else "too slow" for each in checks))
        for batch in BATCHES
    ]
    rates = table(("batch", *(f"{each.name}, {device}: images/s" for each in checks)), [list(row) for row in batches])
    return f"{table(heads, rows)}\n\n{rates}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the GPU, print the tables, and say what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.gpu_check", description=__doc__)
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu", help="cpu tries this program itself")
    parser.add_argument("--sweep-seconds", type=float, default=SWEEP_SECONDS, help="seconds for each batch size")
    parser.add_argument("--max-call-seconds", type=float, default=MAX_CALL_SECONDS, help="larger batches are left out")
    parser.add_argument("--load-seconds", type=float, default=LOAD_SECONDS, help="seconds of load on each model")
    options = parser.parse_args(arguments)
    try:
        checks = check(options.device, options.sweep_seconds, options.max_call_seconds, options.load_seconds)
    except DeviceUnavailable as error:
        sys.stderr.write(f"No GPU was checked: {error} {error.remedy}\n")
        return NO_GPU
    sys.stdout.write(report(options.device, checks))
    faults = [fault for each in checks for fault in each.faults(PROVIDERS[options.device])]
    sys.stderr.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
