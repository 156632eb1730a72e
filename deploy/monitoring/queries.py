"""What a panel of the dashboard consists of, and the PromQL expressions that several panels share."""

from dataclasses import dataclass
from typing import Final

# Variables of the dashboard: without Kubernetes no series has the label `namespace`, which `.*` matches too.
NAMESPACE: Final = 'namespace=~"$namespace"'
MODEL: Final = 'model=~"$model"'
API: Final = f'runner_name="image_classifier", endpoint=~"/(classify|explain|gallery).*", {NAMESPACE}'
CLASSIFY: Final = f'runner_name="image_classifier", endpoint="/classify", http_response_code=~"200|499", {NAMESPACE}'
RATE: Final = "[$__rate_interval]"
QUANTILES: Final = (0.5, 0.9, 0.99)


@dataclass(frozen=True)
class Query:
    """A PromQL expression, and the legend of its series in Grafana's notation."""

    expression: str
    legend: str


@dataclass(frozen=True)
class PanelSpec:
    """A graph of series over time, or with ``single`` the last value as a number."""

    title: str
    description: str
    queries: tuple[Query, ...]
    unit: str = "short"
    single: bool = False
    stacked: bool = False


def rate_of(metric: str, selector: str, *by: str) -> str:
    """The rate of a counter per second, summed by labels."""
    return f"sum by ({', '.join(by)}) (rate({metric}{{{selector}}}{RATE}))"


def quantile(q: float, histogram: str, selector: str, *by: str) -> Query:
    """A quantile of a histogram, by labels besides its bounds."""
    legend = " ".join([f"p{q * 100:g}", *(f"{{{{{label}}}}}" for label in by)])
    return Query(f"histogram_quantile({q}, {rate_of(f'{histogram}_bucket', selector, 'le', *by)})", legend)


def share_left(series: str, objective: str) -> Query:
    """The share of the error budget of three days that is left; negative when it is exceeded."""
    used = f"image_classifier:{series}:ratio_rate3d{{{NAMESPACE}}} / scalar(image_classifier:objective:{objective})"
    return Query(f"1 - {used}", "left")


def against_reference(quantity: str) -> tuple[Query, ...]:
    """By how much the share of each bin is above that of the reference."""
    selector = f'quantity="{quantity}", {MODEL}, {NAMESPACE}'
    return (
        Query(
            f"image_classifier:observed_share{{{selector}}} - image_classifier:reference_share{{{selector}}}",
            "{{model}} {{bin}}",
        ),
    )
