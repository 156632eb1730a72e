"""BentoML as its documentation shows it: a service that prepares images, and a model service with adaptive batching."""

from typing import Any

import bentoml
import numpy as np
from PIL import Image

from loadtests.baselines.usual import answer, load_labels, load_session, predict, prepare


@bentoml.service
class Model:
    """Runs the model on the batches that BentoML's dispatcher collects."""

    def __init__(self) -> None:
        self.session = load_session()

    @bentoml.api(batchable=True)
    def predict(self, images: np.ndarray) -> np.ndarray:
        """Compute logits float32[N,10] of a batch float32[N,1,28,28]."""
        return predict(self.session, images)


@bentoml.service(workers=2)
class Documented:
    """Classifies images over HTTP."""

    model = bentoml.depends(Model)

    def __init__(self) -> None:
        self.labels = load_labels()

    @bentoml.api
    async def classify(self, image: Image.Image) -> dict[str, Any]:
        """Classify one image."""
        logits = await self.model.to_async.predict(prepare(image)[None])
        return answer(logits[0], self.labels)
