"""Reading the service's metrics, and the percentiles of histograms."""

import math

from ui.api.service_metrics import ServiceMetrics, counts_by_bound, difference, parse_metrics, percentile

TEXT = """
# HELP bentoml_service_request_duration_seconds API HTTP request duration in seconds
# TYPE bentoml_service_request_duration_seconds histogram
bentoml_service_request_duration_seconds_bucket{endpoint="/classify",http_response_code="200",le="0.01"} 8.0
bentoml_service_request_duration_seconds_bucket{endpoint="/classify",http_response_code="200",le="+Inf"} 10.0
bentoml_service_request_duration_seconds_bucket{endpoint="/models",http_response_code="200",le="0.01"} 1.0
bentoml_service_request_duration_seconds_bucket{endpoint="/models",http_response_code="200",le="+Inf"} 1.0
bentoml_service_request_duration_seconds_bucket{endpoint="/readyz",http_response_code="200",le="+Inf"} 99.0
image_classifier_batch_size_bucket{device="cpu",le="1.0",model="a \\"b\\", {c}"} 3.0
image_classifier_batch_size_bucket{device="cpu",le="2.0",model="a \\"b\\", {c}"} 7.0
image_classifier_batch_size_bucket{device="cpu",le="2.0",model="digits"} 1.0
image_classifier_queue_depth{device="cpu",model="digits"} 4.0
image_classifier_queue_depth{device="cpu",model="letters"} 2.0
image_classifier_images_in_flight 5.0
process_cpu_seconds_total 12.5
"""


def test_metrics_are_summed_over_routes_and_models() -> None:
    assert parse_metrics(TEXT) == ServiceMetrics({0.01: 9.0, math.inf: 11.0}, {1.0: 3.0, 2.0: 8.0}, queue=6.0, in_flight=5.0)
    assert parse_metrics(TEXT).requests == 11


def test_text_without_the_metrics_is_empty() -> None:
    assert parse_metrics("<html>something else</html>") == ServiceMetrics()


def test_percentile_is_the_bound_of_its_bucket() -> None:
    buckets = {0.01: 50.0, 0.1: 98.0, 1.0: 99.0, math.inf: 100.0}
    assert percentile(buckets, 0.5) == 0.01
    assert percentile(buckets, 0.6) == 0.1
    assert percentile(buckets, 0.99) == 1.0
    assert percentile(buckets, 1) == 1.0  # the highest bound that is known
    assert percentile(difference(buckets, buckets), 0.5) is None
    assert percentile({}, 0.5) is None


def test_counts_by_bound_leave_out_empty_buckets() -> None:
    assert counts_by_bound({1.0: 3.0, 2.0: 3.0, 4.0: 8.0, math.inf: 8.0}) == {1: 3, 4: 5}
