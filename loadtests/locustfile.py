"""Users that post digits and check what they are told: `make loadtest`, or `locust -f loadtests/locustfile.py`."""

import random
import sys
from pathlib import Path
from typing import Any, ClassVar

from locust import FastHttpUser, constant, task

sys.path.insert(0, str(Path(__file__).parent.parent))  # locust runs this file by its path, outside the package

from loadtests.samples import Sample, samples


class Drawer(FastHttpUser):
    """Posts one picture after the other without a pause: half of them as the body itself, half as a form."""

    wait_time = constant(0)
    samples: ClassVar[list[Sample]] = samples()

    @task
    def body(self) -> None:
        """The picture is the body."""
        sample = random.choice(self.samples)
        self.classify("/classify body", sample, data=sample.data, headers={"Content-Type": "image/png"})

    @task
    def form(self) -> None:
        """The picture is the multipart field ``image``."""
        sample = random.choice(self.samples)
        self.classify("/classify form", sample, files={"image": (sample.name, sample.data, "image/png")})

    def classify(self, name: str, sample: Sample, **request: Any) -> None:
        """Post one sample; anything but 200 with the right label counts as a failure."""
        with self.client.post("/classify", name=name, catch_response=True, **request) as response:
            if response.status_code != 200:
                response.failure(f"status {response.status_code}: {response.text}")
            elif (label := response.json()["label"]) != sample.label:
                response.failure(f"{sample.name} was read as {label}")
