"""What the figures were taken on."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

from loadtests.bench.results import Machine
from serving.settings import available_cpus

PACKAGES: Final = ("bentoml", "onnxruntime", "fastapi", "uvicorn", "pillow", "numpy")
# Idle time, and what the kernel counts as user time already.
_NOT_BUSY: Final = ("idle", "iowait", "guest", "guest_nice")


def cpu_model() -> str:
    """The name of the CPU."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def busy_seconds() -> float:
    """CPU time that anything on the machine has used so far."""
    times: dict[str, float] = psutil.cpu_times()._asdict()
    return sum(seconds for name, seconds in times.items() if name not in _NOT_BUSY)


def machine() -> Machine:
    """This machine and the versions of what runs on it."""
    return Machine(
        cpu=cpu_model(),
        cores=available_cpus(),
        memory_gb=round(psutil.virtual_memory().total / 2**30, 1),
        system=f"{platform.system()} {platform.machine()}",
        versions={"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    )
