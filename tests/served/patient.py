"""The service with more patience for a runner that stands still, however busy the machine is; served as
`tests.served.patient:ImageClassifier`."""

from serving.inference import remote_runner, runner_health

runner_health.TIMEOUT_SECONDS = 60.0  # type: ignore[misc]
remote_runner.QUIET_SECONDS = 3.0  # type: ignore[misc]

from service import ImageClassifier  # noqa: E402  # the patience comes first

__all__ = ["ImageClassifier"]
