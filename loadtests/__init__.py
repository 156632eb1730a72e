"""Load tests over HTTP, and the benchmark: the service, its baselines, and its parts without HTTP."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before ONNX Runtime is imported, which reports to its maker otherwise
