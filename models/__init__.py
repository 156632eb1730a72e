"""The model catalogue (a folder per model), and the code that validates, imports and loads models."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # set before ONNX Runtime is imported, or it sends telemetry
