"""What the service counts for Prometheus, beside BentoML's own requests and their seconds: added up over all workers.

BentoML sets PROMETHEUS_MULTIPROC_DIR before a worker imports this, so that every worker writes files of its own and /metrics,
whichever worker answers it, adds them up.
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
    "Images classified that look like nothing the model was made for, or show several characters.",
    ["model"],
)
problems = Counter(f"{PREFIX}_problems", "Requests, and images of batches, answered with a problem, by its code.", ["code"])
overloaded: Final = problems.labels("overloaded")
stage_seconds = Histogram(
    f"{PREFIX}_stage_seconds", "Seconds an image spent in decode, preprocess, queue and inference.", ["stage"], buckets=SECONDS
)
batch_size = Histogram(f"{PREFIX}_batch_size", "Images in one call of a session.", ["model", "device"], buckets=SIZES)
queue_length = Gauge(f"{PREFIX}_queue_length", "Images waiting for a model.", ["model", "device"], multiprocess_mode="livesum")
session_restarts = Counter(f"{PREFIX}_session_restarts", "Sessions opened again after a failure.", ["model", "device"])
sessions = Gauge(
    f"{PREFIX}_sessions",
    "Open sessions, by the provider really in use.",
    ["model", "device", "provider"],
    multiprocess_mode="livesum",
)
gpu_fallback = Gauge(
    f"{PREFIX}_gpu_fallback",
    "1 where a GPU session was tried and the CPU runs instead.",
    ["model"],
    multiprocess_mode="livemax",
)

decode_seconds: Final = stage_seconds.labels("decode")
preprocess_seconds: Final = stage_seconds.labels("preprocess")
queue_seconds: Final = stage_seconds.labels("queue")
inference_seconds: Final = stage_seconds.labels("inference")


def forget_process(pid: int) -> None:
    """Take what a process that died left in the gauges of the living out of the sum."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
