"""The service with a GPU that works: a stand-in for CUDA on the CPU, served as `tests.served.standin:ImageClassifier`."""

from serving.inference import sessions

sessions.DEVICES["gpu"] = sessions.Device("gpu", sessions.CPU.provider, memory="cpu")

from service import ImageClassifier  # noqa: E402  # the devices come first

__all__ = ["ImageClassifier"]
