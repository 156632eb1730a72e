"""Load, soak, fuzz and attack tests over HTTP, and the benchmark."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # must be set before ONNX Runtime is imported: it sends telemetry otherwise
