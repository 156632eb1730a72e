"""The service with more patience for a runner that stands still, however busy the machine is; served as
`tests.served.patient:ImageClassifier`."""

from serving.inference import runner_health, runner_service

runner_health.TIMEOUT_SECONDS = 60.0  # type: ignore[misc]
runner_service.QUIET_SECONDS = 3.0  # type: ignore[misc]

from service import ImageClassifier  # noqa: E402  # the patience comes first

__all__ = ["ImageClassifier"]
