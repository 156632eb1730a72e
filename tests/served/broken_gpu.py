"""The service with a CUDA provider that does not work, served as `tests.served.broken_gpu:ImageClassifier`."""

import onnxruntime

from serving.inference.sessions import CPU, GPU

onnxruntime.get_available_providers = lambda: [GPU.provider, CPU.provider]

from service import ImageClassifier  # noqa: E402  # the providers come first

__all__ = ["ImageClassifier"]
