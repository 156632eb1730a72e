"""What a visitor's gallery is tested with: answers, what hangs and what is kept, and time that passes when a test says so."""

from tests.ui.service import Gallery, Service, classification, kept
from ui.answers import Classification
from ui.gallery import Gallery as Visit


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def answer(label: str, **changes: object) -> Classification:
    """An answer of the service."""
    return Classification.model_validate(classification(label) | changes)


def labels(visit: Visit) -> list[str]:
    """What the pictures that hang were read as."""
    return [entry.answer.label for entry in visit.entries]


def held(service: Service) -> Gallery:
    """What the service keeps."""
    assert service.gallery is not None
    return service.gallery


def filled(count: int) -> Gallery:
    """A service's gallery with so many pictures, read by two models in turn."""
    return Gallery({str(number): kept(str(number), model="ab"[number % 2]) for number in range(count)})
