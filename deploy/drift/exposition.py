"""Comparisons from the metrics of a service: the texts of /metrics at two times, or a Prometheus server."""

import time
from collections.abc import Mapping
from typing import Any, Final

import httpx
import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from models.reference import PSEUDO_COUNT, QUANTITIES
from models.stability import Comparison

OBSERVED: Final = "image_classifier_observed_images_total"
SHARE: Final = "image_classifier_reference_share"
PICTURES: Final = "image_classifier_reference_images"
TIMEOUT_SECONDS: Final = 30.0

Bin = tuple[str, str, str]
"""Model, quantity and name of a bin."""
Samples = dict[str, dict[Bin, float]]
"""The values of ``OBSERVED``, ``SHARE`` and ``PICTURES``; the bins of the last have no quantity and no name."""


class DriftError(Exception):
    """What is given cannot be compared; the text says what to do."""


def parse_metrics(text: str) -> Samples:
    """The samples in the text of /metrics.

    Raises:
        DriftError: it is no such text, or has no answers of models.
    """
    samples: Samples = {OBSERVED: {}, SHARE: {}, PICTURES: {}}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name in samples:
                    samples[sample.name][_bin(sample.labels)] = sample.value
    except ValueError as error:
        raise DriftError(f"This is not the text of /metrics: {error}") from error
    if not samples[OBSERVED]:
        raise DriftError(f"There is no {OBSERVED} in it. Save the text of /metrics of the API.")
    return samples


def scrape(address: str) -> Samples:
    """The samples that a service has now.

    Raises:
        DriftError: it cannot be reached, or has none.
    """
    return parse_metrics(_get(f"{address.rstrip('/')}/metrics").text)


def watch(address: str, seconds: float) -> tuple[Samples, Samples]:
    """The samples of a service now, and after so many seconds."""
    before = scrape(address)
    time.sleep(seconds)
    return before, scrape(address)


def between(before: Samples, after: Samples) -> list[Comparison]:
    """The images that were answered between two texts of /metrics; all of the second if the service was restarted."""
    old, new = before[OBSERVED], after[OBSERVED]
    restarted = any(new.get(place, 0.0) < count for place, count in old.items())
    risen = {place: count - (0.0 if restarted else old.get(place, 0.0)) for place, count in new.items()}
    return _comparisons(risen, after[SHARE], after[PICTURES])


def from_prometheus(address: str, window: str, selector: str = "") -> list[Comparison]:
    """The images that were answered within the last ``window``, such as ``1h``, of all instances that a Prometheus server
    scrapes; ``selector`` is a list of label matchers, such as ``job="api"``.

    Raises:
        DriftError: the server cannot be reached, or refuses the query.
    """
    by_bin = f"by (model, quantity, bin) (increase({OBSERVED}{{{selector}}}[{window}]))"
    return _comparisons(
        _query(address, f"sum {by_bin}"),
        _query(address, f"max by (model, quantity, bin) ({SHARE}{{{selector}}})"),
        _query(address, f"max by (model) ({PICTURES}{{{selector}}})"),
    )


def _comparisons(observed: Mapping[Bin, float], shares: Mapping[Bin, float], pictures: Mapping[Bin, float]) -> list[Comparison]:
    """A comparison for each model with a reference and each of its quantities."""
    found = []
    for model in sorted({place[0] for place, share in shares.items() if share > 0}):
        for quantity in QUANTITIES:
            bins = {place[2]: share for place, share in shares.items() if place[:2] == (model, quantity) and share > 0}
            counts = [observed.get((model, quantity, name), 0.0) for name in bins]
            n = pictures.get((model, "", ""), 0.0)
            # The reference of a service is exported as shares that are smoothed; see ``models.reference.smoothed_shares``.
            reference = np.array(list(bins.values())) * (n + PSEUDO_COUNT * len(bins)) - PSEUDO_COUNT
            found.append(Comparison(quantity, [*bins], np.array(counts), reference, model))
    return found


def _query(address: str, expression: str) -> dict[Bin, float]:
    answer = _get(f"{address.rstrip('/')}/api/v1/query", query=expression).json()
    return {_bin(one["metric"]): float(one["value"][1]) for one in answer["data"]["result"]}


def _bin(labels: Mapping[str, str]) -> Bin:
    return labels["model"], labels.get("quantity", ""), labels.get("bin", "")


def _get(url: str, **parameters: Any) -> httpx.Response:
    try:
        return httpx.get(url, params=parameters or None, timeout=TIMEOUT_SECONDS).raise_for_status()
    except httpx.HTTPStatusError as error:
        raise DriftError(f"{url} answered {error.response.status_code}: {error.response.text[:300]}") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DriftError(f"{url}: {error}. Is it running?") from error
