"""What the tests keep."""

from gallery import Picture, Prediction, picture
from tests.support.pictures import digit, encoded

SEVEN = picture(encoded(digit("7")))
FOUR = picture(encoded(digit("4")))


def prediction(label: str = "7", model: str = "digits") -> Prediction:
    """What a model may have said of a picture."""
    return Prediction(
        model=model,
        version="1.0.0",
        label=label,
        confidence=0.75,
        rejected=False,
        category={"label": "digit", "confidence": 0.875},
        top=[{"label": label, "confidence": 0.75}, {"label": "1", "confidence": 0.25}],
    )


def allow(model: str, label: str) -> None:
    """Any label is one of the model's."""


__all__ = ["FOUR", "SEVEN", "Picture", "allow", "prediction"]
