"""The page's sample pictures: the models read each as the label it has."""

from contextlib import closing

import pytest

from ui.api.client import Client
from ui.images import polyline, shapes
from ui.state.samples import load_samples

pytestmark = pytest.mark.served


def test_models_read_their_samples(service_address: str) -> None:
    with closing(Client(service_address)) as client:
        for model, samples in load_samples().items():
            pictures = [
                polyline.render(sample.strokes, "#ffffff", sample.size) if sample.strokes else shapes.render(sample.shapes)
                for sample in samples
            ]
            answers = [client.classify(picture, model=model, device="auto") for picture in pictures]
            assert [(answer.label, answer.rejected) for answer in answers] == [(sample.label, False) for sample in samples]
            assert min(answer.confidence for answer in answers) > 0.85, model
