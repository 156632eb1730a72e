"""The panels of the Grafana dashboard: titles, PromQL expressions, units. docs/monitoring.md describes each."""

from typing import Final

from deploy.monitoring.queries import (
    API,
    CLASSIFY,
    MODEL,
    NAMESPACE,
    QUANTILES,
    PanelSpec,
    Query,
    against_reference,
    quantile,
    rate_of,
    share_left,
)

SERVICE: Final = (
    PanelSpec(
        "Requests per second",
        "To /classify, /classify/batch, /explain and /gallery; mean of 5 minutes.",
        (Query(f"image_classifier:requests:rate5m{{{NAMESPACE}}}", "requests"),),
        unit="reqps",
        single=True,
    ),
    PanelSpec(
        "Failed, last hour",
        "Answered 5xx, or 429 because of overload. The objective is at most 0.1 %.",
        (Query(f"image_classifier:failed_requests:ratio_rate1h{{{NAMESPACE}}}", "failed"),),
        unit="percentunit",
        single=True,
    ),
    PanelSpec(
        "Error budget left, 3 days",
        "1: nothing failed; 0: as much as may; negative: more.",
        (share_left("failed_requests", "failed_share"),),
        unit="percentunit",
        single=True,
    ),
    PanelSpec(
        "Latency budget left, 3 days",
        "As the error budget, for requests of /classify that took longer than 50 ms.",
        (share_left("late_requests", "late_share"),),
        unit="percentunit",
        single=True,
    ),
    PanelSpec(
        "Requests by path",
        "Polled paths are left out.",
        (Query(rate_of("bentoml_service_request_total", API, "endpoint"), "{{endpoint}}"),),
        unit="reqps",
        stacked=True,
    ),
    PanelSpec(
        "Answers by status",
        "The HTTP status; 499: the client did not wait.",
        (Query(rate_of("bentoml_service_request_total", API, "http_response_code"), "{{http_response_code}}"),),
        unit="reqps",
        stacked=True,
    ),
    PanelSpec(
        "Errors by code",
        "The `code` of the problem documents (docs/operations.md).",
        (Query(rate_of("image_classifier_errors_total", NAMESPACE, "code"), "{{code}}"),),
        unit="reqps",
    ),
    PanelSpec(
        "Failed and late, and their objectives",
        "Mean of 5 minutes. Alerts fire at 14.4, 6 and 1 times an objective in their windows.",
        (
            Query(f"image_classifier:failed_requests:ratio_rate5m{{{NAMESPACE}}}", "failed"),
            Query("image_classifier:objective:failed_share", "failed, objective"),
            Query(f"image_classifier:late_requests:ratio_rate5m{{{NAMESPACE}}}", "late"),
            Query("image_classifier:objective:late_share", "late, objective"),
        ),
        unit="percentunit",
    ),
    PanelSpec(
        "Latency of /classify",
        "In the service, from the request line to the last byte. 99 % are to be within 50 ms.",
        (
            *(quantile(q, "bentoml_service_request_duration_seconds", CLASSIFY) for q in QUANTILES),
            Query("vector(0.05)", "objective"),
        ),
        unit="s",
    ),
)
LOAD: Final = (
    PanelSpec(
        "Images in flight",
        "Of each container or pod, and MAX_IN_FLIGHT, from which on requests are refused.",
        (
            Query(f"image_classifier_images_in_flight{{{NAMESPACE}}}", "{{instance}}"),
            Query(f"image_classifier_images_in_flight_limit{{{NAMESPACE}}}", "{{instance}} limit"),
        ),
    ),
    PanelSpec(
        "Images waiting for a model",
        "Above 0 for long: the model, and not preprocessing, limits the service.",
        (
            Query(
                f"sum by (model, device) (image_classifier_queue_depth{{{MODEL}, {NAMESPACE}}})",
                "{{model}} {{device}}",
            ),
        ),
    ),
    PanelSpec(
        "Refused requests",
        "The share that is answered 429 because of overload.",
        (Query(f"image_classifier:refused_requests:ratio_rate5m{{{NAMESPACE}}}", "refused"),),
        unit="percentunit",
    ),
    PanelSpec(
        "Requests in progress",
        "In BentoML, by path, with their bodies' arrival.",
        (
            Query(
                f"sum by (endpoint) (bentoml_service_request_in_progress{{{API}}})",
                "{{endpoint}}",
            ),
        ),
    ),
    PanelSpec(
        "Images per call of a model",
        "The mean batch size. It rises with the load.",
        (
            Query(
                f"{rate_of('image_classifier_batch_size_sum', f'{MODEL}, {NAMESPACE}', 'model', 'device')} / "
                f"{rate_of('image_classifier_batch_size_count', f'{MODEL}, {NAMESPACE}', 'model', 'device')}",
                "{{model}} {{device}}",
            ),
        ),
    ),
    PanelSpec(
        "Stages of an image, p99",
        "Decode, preprocess, wait for the model, inference.",
        (quantile(0.99, "image_classifier_stage_duration_seconds", NAMESPACE, "stage"),),
        unit="s",
    ),
    PanelSpec(
        "Stages of an image, mean",
        "Their sum is the time of an image in the service without HTTP.",
        (
            Query(
                f"{rate_of('image_classifier_stage_duration_seconds_sum', NAMESPACE, 'stage')} / "
                f"{rate_of('image_classifier_stage_duration_seconds_count', NAMESPACE, 'stage')}",
                "{{stage}}",
            ),
        ),
        unit="s",
        stacked=True,
    ),
)
PROCESSES: Final = (
    PanelSpec(
        "Targets that answer Prometheus",
        "Containers or pods of the API.",
        (Query(f'sum(up{{job="image-classifier", {NAMESPACE}}})', "up"),),
    ),
    PanelSpec(
        "Workers",
        "Live processes of the API and of the runner.",
        (Query(f"sum by (service, instance) (image_classifier_workers{{{NAMESPACE}}})", "{{instance}} {{service}}"),),
    ),
    PanelSpec(
        "Restarts in 15 minutes",
        "Of workers, and of sessions of the models.",
        (
            Query(
                f"sum by (service) (increase(image_classifier_worker_restarts_total{{{NAMESPACE}}}[15m]))",
                "workers of {{service}}",
            ),
            Query(
                f"sum by (model) (increase(image_classifier_session_restarts_total{{{NAMESPACE}}}[15m]))",
                "sessions of {{model}}",
            ),
        ),
    ),
    PanelSpec(
        "Sessions by provider",
        "Where the models run.",
        (Query(f"sum by (model, provider) (image_classifier_sessions{{{MODEL}, {NAMESPACE}}})", "{{model}} {{provider}}"),),
    ),
    PanelSpec(
        "GPU fallback",
        "1: a GPU was tried, and the CPU is used.",
        (Query(f"max by (model, instance) (image_classifier_gpu_fallback{{{MODEL}, {NAMESPACE}}})", "{{instance}} {{model}}"),),
    ),
)
ANSWERS: Final = (
    PanelSpec(
        "Images classified",
        "By the requested model.",
        (Query(rate_of("image_classifier_images_total", f"{MODEL}, {NAMESPACE}", "model"), "{{model}}"),),
    ),
    PanelSpec(
        "Population stability index",
        "How far the answers of 6 hours are from the reference; an alert fires above the limit.",
        (
            Query(
                f"image_classifier:population_stability_index{{{MODEL}, {NAMESPACE}}}",
                "{{model}} {{quantity}}",
            ),
            Query(
                f"image_classifier:population_stability_index_limit{{{MODEL}, {NAMESPACE}}}",
                "{{model}} {{quantity}} limit",
            ),
        ),
    ),
    PanelSpec(
        "Labels against the reference",
        "Share of each label in 6 hours, less its share in the reference.",
        against_reference("label"),
        unit="percentunit",
    ),
    PanelSpec(
        "Confidence against the reference",
        "As the labels, by bins of the confidence of the top label.",
        against_reference("confidence"),
        unit="percentunit",
    ),
    PanelSpec(
        "Ink against the reference",
        "As the labels, by bins of the mean ink.",
        against_reference("ink"),
        unit="percentunit",
    ),
    PanelSpec(
        "Rejected images",
        "The share in 6 hours, and in the reference.",
        (
            Query(
                f'image_classifier:observed_share{{quantity="rejected", bin="true", {MODEL}, {NAMESPACE}}}',
                "{{model}}",
            ),
            Query(
                f'image_classifier:reference_share{{quantity="rejected", bin="true", {MODEL}, {NAMESPACE}}}',
                "{{model}} reference",
            ),
        ),
        unit="percentunit",
    ),
)
ROWS: Final = {"Service": SERVICE, "Load": LOAD, "Processes": PROCESSES, "Answers of the models": ANSWERS}
