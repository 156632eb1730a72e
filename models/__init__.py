"""The catalogue: a folder per model, and the code that reads, checks, imports and loads them."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before ONNX Runtime is imported, which reports to its maker otherwise
