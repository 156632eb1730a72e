"""What /metrics says, as numbers."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from models.reference import QUANTITIES

PREFIX = "image_classifier_"


def scrape(address: str) -> dict[str, float]:
    """The service's own samples by name and label values, as ``batch_size_count{cpu,digits}``."""
    text = httpx.get(f"{address}/metrics", timeout=60).text
    return {
        f"{sample.name.removeprefix(PREFIX)}{{{','.join(value for _, value in sorted(sample.labels.items()))}}}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith(PREFIX)
    }


class Counted:
    """How much each sample rose since this was made."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._before = scrape(address)

    def __call__(self, sample: str) -> float:
        return scrape(self._address).get(sample, 0.0) - self._before.get(sample, 0.0)

    def observed(self, model: str) -> dict[str, float]:
        """How many answers of a model were counted, by quantity."""
        after = scrape(self._address)
        return {
            quantity: sum(
                value - self._before.get(name, 0.0)
                for name, value in after.items()
                if name.startswith("observed_images_total{") and name.endswith(f",{model},{quantity}}}")
            )
            for quantity in QUANTITIES
        }
