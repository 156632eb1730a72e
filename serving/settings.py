"""Every setting of the service: one typed class, read from the environment."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def available_cpus() -> int:
    """CPUs this process may use: its affinity, and the cgroup's quota rounded up."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return cpus
    return cpus if quota == "max" else max(1, min(cpus, -(-int(quota) // int(period))))


class Settings(BaseSettings):
    """Read from environment variables of the same names in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    host: str = Field("127.0.0.1", min_length=1, description="Address the API listens on.")
    port: int = Field(3000, ge=1, le=65535, description="Port the API listens on.")
    workers: int = Field(
        default_factory=available_cpus, ge=1, le=256, description="API worker processes; the number of CPUs when not set."
    )
    device: Literal["auto", "cpu", "gpu"] = Field(
        "auto", description="Devices sessions are made for: auto tries the GPU and says when it falls back to the CPU."
    )
    max_image_bytes: int = Field(8_388_608, ge=1024, le=268_435_456, description="Bytes of one encoded image.")
    max_pixels: int = Field(16_777_216, ge=784, le=268_435_456, description="Pixels of one image, known before decoding.")
    max_batch_size: int = Field(32, ge=1, le=4096, description="Images in one call of a model.")
    max_queue: int = Field(256, ge=1, le=65_536, description="Images waiting for one model in one worker; more get 429.")
    deadline_seconds: float = Field(10.0, gt=0, le=600, description="Time from accepting an image to its answer.")
    body_seconds: float = Field(10.0, gt=0, le=600, description="Time a request body may take to arrive.")
    access_log: bool = Field(False, description="Log a line per request.")
    tracing: bool = Field(False, description="Let OpenTelemetry see the requests.")
