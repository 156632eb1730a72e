"""The service with a GPU that works: a stand-in for CUDA on the CPU, served as `tests.served.standin:ImageClassifier`."""

from serving import devices

devices.DEVICES["gpu"] = devices.Device("gpu", devices.CPU.provider, memory="cpu")

from service import ImageClassifier  # noqa: E402  # the devices come first

__all__ = ["ImageClassifier"]
