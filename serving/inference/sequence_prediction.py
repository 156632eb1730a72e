"""What is predicted of an image of several characters."""

from dataclasses import dataclass
from math import prod
from typing import Final

from models.card import SequenceCard
from preprocessing import CharacterCandidate
from serving.inference.likeliest_texts import likeliest_labels
from serving.inference.local_runner import ModelOutput
from serving.inference.postprocessing import Probabilities
from serving.inference.prediction import Prediction
from serving.inference.sequence_preprocessor import SegmentedImage

MAX_NAMED: Final = 5  # rejected characters that a reason names


@dataclass(slots=True)
class CharacterPrediction:
    """One character of an image: its candidate, what the reader predicts of it, and the probabilities float64[K] of the
    sequence's labels, given the other characters of the line; ``index`` is the likeliest label."""

    candidate: CharacterCandidate
    prediction: Prediction
    probabilities: Probabilities
    index: int
    rejected: bool


@dataclass(slots=True)
class SequencePrediction:
    """The prediction of a sequence for one image: its characters in reading order.

    ``output`` is what the reader computed for the first candidate; ``queue_seconds`` and ``inference_seconds`` are those of the
    slowest, since all are read side by side.
    """

    card: SequenceCard
    image: SegmentedImage
    output: ModelOutput
    characters: list[CharacterPrediction]
    queue_seconds: float
    inference_seconds: float

    @property
    def reject_reason(self) -> str | None:
        """Which characters are rejected, counted from 1; None where none is."""
        rejected = [str(number) for number, character in enumerate(self.characters, 1) if character.rejected]
        if not rejected:
            return None
        count, reader = len(self.characters), self.card.reader.split(":")[0]
        if count == 1:
            return f"The character is unlike anything the model {reader} was made for."
        if len(rejected) == 1:
            return f"Character {rejected[0]} of {count} is unlike anything the model {reader} was made for."
        if len(rejected) > MAX_NAMED:
            listed = f"{', '.join(rejected[:MAX_NAMED])} and {len(rejected) - MAX_NAMED} more"
        else:
            listed = f"{', '.join(rejected[:-1])} and {rejected[-1]}"
        return f"Characters {listed} of {count} are unlike anything the model {reader} was made for."

    def texts(self, k: int) -> list[tuple[str, float]]:
        """The ``k`` likeliest texts with their probabilities, the likeliest first; lines are separated by a newline."""
        probabilities = [character.probabilities for character in self.characters]
        return [
            (self._text(labels), prod(float(row[index]) for row, index in zip(probabilities, labels, strict=True)))
            for labels in likeliest_labels(probabilities, k)
        ]

    def _text(self, labels: list[int]) -> str:
        """The text of the labels of all characters."""
        text, line = "", 0
        for character, index in zip(self.characters, labels, strict=True):
            text += "\n" * (character.candidate.line - line) + self.card.labels[index]
            line = character.candidate.line
        return text


AnyPrediction = Prediction | SequencePrediction
