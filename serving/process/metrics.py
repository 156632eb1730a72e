"""The Prometheus metrics of the service, besides BentoML's own request metrics; summed over all workers.

BentoML sets PROMETHEUS_MULTIPROC_DIR before a worker imports this, so that every worker writes its own files, and /metrics
sums them in whichever worker answers.
"""

import os
from typing import Final

from prometheus_client import Counter, Gauge, Histogram, multiprocess

PREFIX: Final = "image_classifier"
SECONDS: Final = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)

images = Counter(f"{PREFIX}_images", "Images classified.", ["model"])
rejected = Counter(
    f"{PREFIX}_rejected_images",
    "Images rejected: out of distribution for the model, or showing several characters.",
    ["model"],
)
errors = Counter(f"{PREFIX}_errors", "Requests, and images of batches, answered with an error, by its code.", ["code"])
overloaded: Final = errors.labels("overloaded")
stage_duration_seconds = Histogram(
    f"{PREFIX}_stage_duration_seconds",
    "Seconds an image spent in decode, preprocess, queue and inference.",
    ["stage"],
    buckets=SECONDS,
)
batch_size = Histogram(f"{PREFIX}_batch_size", "Images in one call of a session.", ["model", "device"], buckets=SIZES)
images_in_flight = Gauge(
    f"{PREFIX}_images_in_flight", "Images accepted and not yet answered, waiting or in work.", multiprocess_mode="livesum"
)
images_in_flight_limit = Gauge(
    f"{PREFIX}_images_in_flight_limit",
    "Images that all workers together may have in flight; the next is refused.",
    multiprocess_mode="livemax",
)
queue_depth = Gauge(f"{PREFIX}_queue_depth", "Images waiting for a model.", ["model", "device"], multiprocess_mode="livesum")
workers = Gauge(f"{PREFIX}_workers", "Live worker processes.", ["service"], multiprocess_mode="livesum")
worker_restarts = Counter(f"{PREFIX}_worker_restarts", "Worker processes started in place of one that had ended.", ["service"])
session_restarts = Counter(f"{PREFIX}_session_restarts", "Sessions reopened after a failure.", ["model", "device"])
sessions = Gauge(
    f"{PREFIX}_sessions",
    "Open sessions, by the execution provider in use.",
    ["model", "device", "provider"],
    multiprocess_mode="livesum",
)
gpu_fallback = Gauge(
    f"{PREFIX}_gpu_fallback",
    "1 where a GPU session failed to open and the CPU is used.",
    ["model"],
    multiprocess_mode="livemax",
)
observed_images = Counter(
    f"{PREFIX}_observed_images",
    "Images answered by /classify and /classify/batch, by bin of the top label, its confidence, rejection and mean ink.",
    ["model", "quantity", "bin"],
)
# Each worker sets the references of the models it serves: those of the last reload count.
reference_share = Gauge(
    f"{PREFIX}_reference_share",
    "The share of a bin in the reference on the model's card; 0 for a bin of a version that is no longer served.",
    ["model", "quantity", "bin"],
    multiprocess_mode="livemostrecent",
)
reference_images = Gauge(
    f"{PREFIX}_reference_images",
    "The pictures of the reference on the model's card; 0 where the version in service has none.",
    ["model"],
    multiprocess_mode="livemostrecent",
)

decode_seconds: Final = stage_duration_seconds.labels("decode")
preprocess_seconds: Final = stage_duration_seconds.labels("preprocess")
queue_seconds: Final = stage_duration_seconds.labels("queue")
inference_seconds: Final = stage_duration_seconds.labels("inference")


def remove_process(pid: int) -> None:
    """Remove a dead process from the gauges that sum over living processes."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
