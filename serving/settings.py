"""The settings of the service, read from environment variables, and the CPUs it may use."""

import os
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from preprocessing import ImageLimits

CGROUP = Path("/sys/fs/cgroup")
# A worker processes nearly one image per millisecond, so that the last accepted is answered in a seventh of a second.
IN_FLIGHT_PER_WORKER: Final = 128
DEFAULT_LIMITS: Final = ImageLimits()
# Bytes. A drawing is smaller; larger bodies count in MAX_BODY_BYTES_IN_FLIGHT.
SMALL_BODY: Final = 65_536
# What the HTTP server may hold of a connection besides the body, while it passes pieces of it on.
CONNECTION_BUFFER: Final = 262_144
# Files of the CPU quota and its period in microseconds, of cgroup version 2 and version 1.
CPU_QUOTAS: Final = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))
Endpoint = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")]
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
    """Read from environment variables of the same names in upper case; see ``startup.load_settings`` for secrets in files."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    host: str = Field("127.0.0.1", min_length=1, description="Address the API listens on.")
    port: int = Field(3000, ge=1, le=65535, description="Port the API listens on.")
    workers: int = Field(
        default_factory=available_cpus,
        ge=1,
        le=256,
        description="Number of API worker processes. The number of available CPUs when not set.",
    )
    catalogue: Path | None = Field(
        None,
        description="Folder with the model cards, NAME/card.yaml each. The project's models/ when not set. "
        "A Bento contains the cards of the catalogue it was built with.",
    )
    default_model: str = Field("digits", min_length=1, max_length=63, description="Model used when a request names none.")
    device: Literal["auto", "cpu", "gpu"] = Field(
        "auto",
        description="Devices to create ONNX Runtime sessions for. auto tries the GPU and logs a warning when it falls back to "
        "the CPU; gpu stops the start when the GPU does not work.",
    )
    topology: Literal["auto", "embedded", "runner"] = Field(
        "auto",
        description="Where the sessions are. embedded: in every API worker; runner: in one separate process that all workers "
        "call; auto: runner when a GPU works, embedded otherwise.",
    )
    max_image_bytes: int = Field(
        10_485_760, ge=1024, le=268_435_456, description="Maximum bytes of one encoded image. Phone photos have up to 8 MB."
    )
    max_pixels: int = Field(
        DEFAULT_LIMITS.pixels,
        ge=784,
        le=268_435_456,
        description="Maximum pixels of one PNG, WebP, BMP or GIF, checked before decoding.",
    )
    max_photo_pixels: int = Field(
        DEFAULT_LIMITS.photo_pixels,
        ge=784,
        le=268_435_456,
        description="Maximum pixels of one JPEG, which is decoded at a reduced size. Scans of a progressive JPEG count too.",
    )
    max_side: int = Field(
        DEFAULT_LIMITS.side, ge=28, le=65_535, description="Maximum width and maximum height of one image, in pixels."
    )
    max_images: int = Field(
        256, ge=1, le=65_536, description="Maximum images in one request to /classify/batch. Never more than MAX_QUEUE."
    )
    max_batch_bytes: int = Field(
        67_108_864, ge=1024, le=1_073_741_824, description="Maximum bytes of one request to /classify/batch."
    )
    max_body_bytes_in_flight: int = Field(
        268_435_456,
        ge=1_048_576,
        le=1_099_511_627_776,
        description="Maximum bytes of request bodies that all workers together hold at a time. Requests beyond it get 429. "
        "One body may use at most half of it.",
    )
    max_batch_size: int = Field(32, ge=1, le=4096, description="Maximum images in one call of a model.")
    max_characters: int = Field(
        64, ge=1, le=256, description="Maximum characters in one image of a sequence (`numbers`, `text`). More get 413."
    )
    max_connections: int = Field(
        1024,
        ge=8,
        le=65_536,
        description="Maximum connections of one API worker. Beyond it, a new connection replaces the oldest idle one, or "
        "gets 503 when none is idle.",
    )
    max_in_flight: int | None = Field(
        None,
        ge=1,
        le=65_536,
        description="Maximum images that all workers together process at a time. Requests beyond it get 429. "
        "128 per worker when not set.",
    )
    max_queue: int = Field(
        256, ge=1, le=65_536, description="Maximum images that wait for one model in one worker. Requests beyond it get 429."
    )
    deadline_seconds: float = Field(
        10.0, gt=0, le=600, description="Maximum seconds from accepting an image to its response. Later ones get 504."
    )
    body_seconds: float = Field(
        10.0, gt=0, le=600, description="Maximum seconds for a request body to arrive. Slower ones get 408."
    )
    drain_seconds: float = Field(
        1.0,
        ge=0,
        le=15,
        description="Seconds after SIGTERM in which requests are still accepted, while /readyz answers 503. Then the accepted "
        "requests are completed and the process exits.",
    )
    api_keys_file: Path | None = Field(
        None, description="File with the API keys, written by `python -m serving.keys`. No key is required when not set."
    )
    rate_limit: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="Maximum requests per minute with one API key. Requests beyond it get 429. No limit when not set.",
    )
    cors_origins: Origins = Field(
        (),
        description="Origins whose pages may call the API from a browser, separated by commas, for example https://example.org.",
    )
    gallery: bool = Field(True, description="Serve /gallery, which saves the images posted to it. No other image is saved.")
    gallery_url: Annotated[str, AfterValidator(_database)] | None = Field(
        None,
        repr=False,  # it may hold a password
        description="Database of the gallery: sqlite:////FOLDER/FILE or postgresql://USER:PASSWORD@HOST/DATABASE. "
        "gallery.db in BENTOML_HOME when not set.",
    )
    gallery_max_entries: int = Field(
        10_000, ge=1, le=1_000_000, description="Maximum entries in the gallery. Requests beyond it get 413."
    )
    gallery_max_bytes: int = Field(
        2_147_483_648,
        ge=1_048_576,
        le=1_099_511_627_776,
        description="Maximum bytes of the images in the gallery. Requests beyond it get 413.",
    )
    access_log: bool = Field(False, description="Log one line per request.")
    log_format: Literal["text", "json"] = Field(
        "text", description="Format of the log: lines of text, or a JSON object a line."
    )
    otel_exporter_otlp_endpoint: Endpoint | None = Field(
        None,
        description="Address of an OpenTelemetry collector that receives traces over OTLP/HTTP, for example "
        "http://127.0.0.1:4318. Nothing is traced when not set.",
    )
    otel_traces_sampler_arg: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the requests that are traced. A request with a `traceparent` follows its sampled flag.",
    )

    @property
    def limits(self) -> ImageLimits:
        """The limits on one image."""
        return ImageLimits(self.max_pixels, self.max_photo_pixels, self.max_side, self.max_image_bytes)

    @property
    def work_limit(self) -> int:
        """Images that all workers may process at a time."""
        return self.max_in_flight or IN_FLIGHT_PER_WORKER * self.workers

    @property
    def announced(self) -> dict[str, int]:
        """The limits that ``GET /models`` tells clients."""
        names = ("max_image_bytes", "max_pixels", "max_photo_pixels", "max_side", "max_batch_bytes", "max_characters")
        largest = largest_body(self.max_body_bytes_in_flight)
        in_all = {"max_images": min(self.max_images, self.max_queue), "max_batch_bytes": min(self.max_batch_bytes, largest)}
        return {name: getattr(self, name) for name in names} | in_all
