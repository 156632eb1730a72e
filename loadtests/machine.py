"""Describes the machine on which a load test or a benchmark runs."""

import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil
from pydantic import BaseModel

from serving.settings import available_cpus

PACKAGES: Final = ("bentoml", "onnxruntime", "fastapi", "uvicorn", "pillow", "numpy")


class Machine(BaseModel):
    """The machine, and the versions of what runs on it."""

    cpu: str
    cores: int
    memory_gb: float
    system: str
    versions: dict[str, str]


def describe_machine(packages: Sequence[str] = PACKAGES) -> Machine:
    """Describe this machine and the versions of ``packages``, which run on it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return Machine(
        cpu=models[0] if models else platform.processor() or platform.machine(),
        cores=available_cpus(),
        memory_gb=round(psutil.virtual_memory().total / 2**30, 1),
        system=f"{platform.system()} {platform.machine()}",
        versions={"python": platform.python_version(), **{name: version(name) for name in packages}},
    )
