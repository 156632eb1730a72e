"""The recipes that made every file in models/; an optional dependency group."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before ONNX Runtime is imported, which reports to its maker otherwise
