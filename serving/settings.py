"""The settings of the service, read from environment variables, and the CPUs it may use."""

import os
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from preprocessing import Limits

CGROUP = Path("/sys/fs/cgroup")
# A worker processes nearly one image per millisecond, so that the last accepted is answered in a seventh of a second.
IN_FLIGHT_PER_WORKER: Final = 128
DEFAULT_LIMITS: Final = Limits()
# Bytes. A drawing is smaller; larger bodies count in MAX_BODY_BYTES_IN_FLIGHT.
SMALL_BODY: Final = 65_536
# What the HTTP server may hold of a connection besides the body, while it passes pieces of it on.
CONNECTION_BUFFER: Final = 262_144
# Files of the CPU quota and its period in microseconds, of cgroup version 2 and version 1.
CPU_QUOTAS: Final = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/*?#@]+$")]


def _listed(given: object) -> object:
    return given.replace(",", " ").split() if isinstance(given, str) else given


def _database(address: str) -> str:
    from gallery import parse_url  # here: SQLAlchemy takes long to load

    parse_url(address)
    return address


Origins = Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_listed)]


def largest_body(budget: int) -> int:
    """Bytes of the largest body that fits into a budget of ``budget`` bytes."""
    return budget // 2 - CONNECTION_BUFFER


def available_cpus() -> int:
    """CPUs this process may use: its affinity, and the quota of its cgroup (version 2 or 1) rounded up."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for files in CPU_QUOTAS:
        try:
            quota, period = " ".join((CGROUP / file).read_text(encoding="ascii") for file in files).split()
            return cpus if quota in ("max", "-1") else max(1, min(cpus, -(-int(quota) // int(period))))
        except (OSError, ValueError):
            continue
    return cpus


class Settings(BaseSettings):
    """Read from environment variables of the same names in upper case."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    host: str = Field("127.0.0.1", min_length=1, description="Address the API listens on.")
    port: int = Field(3000, ge=1, le=65535, description="Port the API listens on.")
    workers: int = Field(
        default_factory=available_cpus, ge=1, le=256, description="API worker processes; the number of CPUs when not set."
    )
    catalogue: Path | None = Field(
        None, description="Folder of the model cards, NAME/card.yaml each; models/ of the project when not set."
    )
    default_model: str = Field("digits", min_length=1, max_length=63, description="Model used when a request names none.")
    device: Literal["auto", "cpu", "gpu"] = Field(
        "auto", description="Devices sessions are made for: auto tries the GPU and says when it falls back to the CPU."
    )
    topology: Literal["auto", "embedded", "runner"] = Field(
        "auto",
        description="embedded: sessions in every API worker; runner: a process of its own owns them; auto: runner with a GPU.",
    )
    max_image_bytes: int = Field(10_485_760, ge=1024, le=268_435_456, description="Bytes of one encoded image.")
    max_pixels: int = Field(
        DEFAULT_LIMITS.pixels, ge=784, le=268_435_456, description="Pixels of one PNG, WebP, BMP or GIF, known before decoding."
    )
    max_photo_pixels: int = Field(
        DEFAULT_LIMITS.photo_pixels,
        ge=784,
        le=268_435_456,
        description="Pixels of one JPEG, which is decoded at a fraction of its size; what its scans take counts as well.",
    )
    max_side: int = Field(DEFAULT_LIMITS.side, ge=28, le=65_535, description="Pixels along a side of one image.")
    max_images: int = Field(
        256, ge=1, le=65_536, description="Images in one request to /classify/batch, and never more than MAX_QUEUE."
    )
    max_batch_bytes: int = Field(67_108_864, ge=1024, le=1_073_741_824, description="Bytes of one request to /classify/batch.")
    max_body_bytes_in_flight: int = Field(
        268_435_456,
        ge=1_048_576,
        le=1_099_511_627_776,
        description="Bytes of all request bodies the service holds at a time; more get 429. No body may be over half of it.",
    )
    max_batch_size: int = Field(32, ge=1, le=4096, description="Images in one call of a model.")
    max_connections: int = Field(
        1024,
        ge=8,
        le=65_536,
        description="Connections one API worker holds; a new one closes the oldest that has sent no request, or gets 503.",
    )
    max_in_flight: int | None = Field(
        None,
        ge=1,
        le=65_536,
        description="Images the service works on at a time; more get 429. 128 for each worker when not set.",
    )
    max_queue: int = Field(256, ge=1, le=65_536, description="Images waiting for one model in one worker; more get 429.")
    deadline_seconds: float = Field(10.0, gt=0, le=600, description="Time from accepting an image to its answer.")
    body_seconds: float = Field(10.0, gt=0, le=600, description="Time a request body may take to arrive.")
    drain_seconds: float = Field(
        1.0,
        ge=0,
        le=15,
        description="Time from SIGTERM to the end of accepting; until then /readyz answers 503 and all else as before.",
    )
    api_keys_file: Path | None = Field(
        None, description="File of the API's keys (python -m serving.keys); without one nobody needs a key."
    )
    rate_limit: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="Requests a minute for each key, as many at once; more get 429. No limit when not set.",
    )
    cors_origins: Origins = Field(
        (), description="Origins like https://example.org, with commas between, whose pages may ask the API from a browser."
    )
    gallery: bool = Field(True, description="Keep pictures for those who post them to /gallery.")
    gallery_url: Annotated[str, AfterValidator(_database)] | None = Field(
        None,
        repr=False,  # it may hold a password
        description="Database of the gallery, sqlite:////FOLDER/FILE or postgresql://USER:PASSWORD@HOST/DATABASE; the file "
        "gallery.db in BENTOML_HOME when not set.",
    )
    gallery_max_entries: int = Field(10_000, ge=1, le=1_000_000, description="Entries the gallery may hold; more get 413.")
    gallery_max_bytes: int = Field(
        2_147_483_648,
        ge=1_048_576,
        le=1_099_511_627_776,
        description="Bytes of pictures the gallery may hold; more get 413.",
    )
    access_log: bool = Field(False, description="Log a line per request.")
    tracing: bool = Field(False, description="Let OpenTelemetry see the requests.")

    @property
    def limits(self) -> Limits:
        """The limits on one image."""
        return Limits(self.max_pixels, self.max_photo_pixels, self.max_side, self.max_image_bytes)

    @property
    def work_limit(self) -> int:
        """Images that all workers may process at a time."""
        return self.max_in_flight or IN_FLIGHT_PER_WORKER * self.workers

    @property
    def announced(self) -> dict[str, int]:
        """The limits that ``GET /models`` tells clients."""
        names = ("max_image_bytes", "max_pixels", "max_photo_pixels", "max_side", "max_batch_bytes")
        largest = largest_body(self.max_body_bytes_in_flight)
        in_all = {"max_images": min(self.max_images, self.max_queue), "max_batch_bytes": min(self.max_batch_bytes, largest)}
        return {name: getattr(self, name) for name in names} | in_all
