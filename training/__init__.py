"""Trains the models in models/; needs the optional dependencies of `make setup-train`."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before ONNX Runtime is imported, which sends usage data otherwise
