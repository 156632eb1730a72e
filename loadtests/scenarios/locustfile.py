"""Locust users that post sample digits and check the labels: `make loadtest`."""

import random
import sys
from pathlib import Path
from typing import Any, ClassVar

from locust import FastHttpUser, constant, task

sys.path.insert(0, str(Path(__file__).parents[2]))  # locust runs this file by its path, outside the package

from loadtests.samples import Sample, samples


class DigitUser(FastHttpUser):
    """Posts one image after the other without a pause: half of them as the raw body, half as a multipart form."""

    wait_time = constant(0)
    samples: ClassVar[list[Sample]] = samples()

    @task
    def body(self) -> None:
        """Post the image as the body."""
        sample = random.choice(self.samples)
        self.classify("/classify body", sample, data=sample.data, headers={"Content-Type": "image/png"})

    @task
    def form(self) -> None:
        """Post the image in the multipart field ``image``."""
        sample = random.choice(self.samples)
        self.classify("/classify form", sample, files={"image": (sample.name, sample.data, "image/png")})

    def classify(self, name: str, sample: Sample, **request: Any) -> None:
        """Post one sample; any response but 200 with the right label counts as a failure."""
        with self.client.post("/classify", name=name, catch_response=True, **request) as response:
            if response.status_code != 200:
                response.failure(f"status {response.status_code}: {response.text}")
            elif (label := response.json()["label"]) != sample.label:
                response.failure(f"{sample.name} was classified as {label}")
