"""The options of ``@bentoml.service`` for both services."""

from typing import Any, Final

from serving.settings import Settings, available_cpus

SERVICE_NAME: Final = "image_classifier"
RUNNER_NAME: Final = "image_classifier_runner"


def service_options(settings: Settings) -> dict[str, Any]:
    """Options of the API service. The timeout is for BentoML's clients alone; see ``compat.disable_middleware``."""
    return {
        "name": SERVICE_NAME,
        "workers": settings.workers,
        "http": {"host": settings.host, "port": settings.port},
        "traffic": {"timeout": settings.body_seconds + settings.deadline_seconds + 5},
        **_common(settings),
    }


def runner_options(settings: Settings, gpu: bool) -> dict[str, Any]:
    """Options of the runner service: one process, and the GPU where there is one."""
    return {
        "name": RUNNER_NAME,
        "workers": 1,
        "resources": {"gpu": 1} if gpu else {"cpu": available_cpus()},
        "traffic": {"timeout": settings.deadline_seconds + 5},
        # BentoML would close the session that all calls share after 100 of them, cutting off those in flight
        # (BentoML/issues/5540, open). Can go when it waits for them.
        "runner_connection": {"max_requests": 10**9, "max_age": 1e9},
        **_common(settings),
    }


def _common(settings: Settings) -> dict[str, Any]:
    return {
        "logging": {"access": {"enabled": settings.access_log}},
        "envs": [{"name": "BENTOML_DO_NOT_TRACK", "value": "True"}],
    }
