"""Helpers of the gallery's tests: classifications, a filled gallery, and a clock that the test sets."""

from collections.abc import Callable
from typing import Any

from tests.ui.fake_service import FakeGallery, FakeService, classification, gallery_entry
from ui.api.schemas import Classification
from ui.state.session_gallery import SessionGallery


class FakeClock:
    """Replaces `time.monotonic`; the test changes `now`, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class ManualTimer:
    """Replaces `threading.Timer`; nothing happens by itself."""

    daemon = True

    def __init__(self, _seconds: float, _function: Callable[..., None], _arguments: list[Any]) -> None:
        pass

    def start(self) -> None:
        """Do nothing."""

    def cancel(self) -> None:
        """Do nothing."""


def make_classification(label: str, **changes: object) -> Classification:
    """Create a classification with this label."""
    return Classification.model_validate(classification(label) | changes)


def make_scenes(**changes: object) -> Classification:
    """Create a classification of a multi-label model, two of whose four labels apply."""
    probabilities = {"sky": 0.62, "water": 0.97, "people": 0.49, "night": 0.03}
    fields = {"probabilities": probabilities, "confidence": 0.97, "model": "scenes", "multi_label": True}
    return Classification.model_validate(classification("water") | fields | changes)


def labels(gallery: SessionGallery) -> list[str]:
    """Return the predicted labels of the session's pictures."""
    return [entry.classification.label for entry in gallery.entries]


def gallery_of(service: FakeService) -> FakeGallery:
    """Return the gallery of a service that has one."""
    assert service.gallery is not None
    return service.gallery


def gallery_with(count: int) -> FakeGallery:
    """Create a gallery with `count` pictures, of the models `a` and `b` in turn."""
    return FakeGallery({str(number): gallery_entry(str(number), model="ab"[number % 2]) for number in range(count)})
