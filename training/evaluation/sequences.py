"""Reads pictures of several characters with a sequence of the catalogue, as the service does, and measures the texts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from models.card import CARD_FILE, CascadeCard, SequenceCard, read_card
from models.card_fields import SequenceMetrics
from models.sequence_decoding import best_reading, in_context, kinds_of
from preprocessing import ImageError, Segmentation, frame_ink, load, segment, tensor
from training.evaluation.networks import Network, Probabilities

MAX_CHARACTERS: Final = 64
# The model of a category is used from this probability on, as in the service.
MIN_PROBABILITY: Final = 0.05
SMALLEST: Final = 1e-12


class SequenceReader:
    """Reads texts with a sequence of a catalogue; its reader is a classifier, or a cascade whose models have one input."""

    def __init__(self, catalogue: Path, name: str) -> None:
        card = read_card(catalogue / name / CARD_FILE)
        assert isinstance(card, SequenceCard)
        self.card = card
        self._kinds = kinds_of(card.labels)
        reader = card.reader.split(":")[0]
        whole = read_card(catalogue / reader / CARD_FILE)
        self._cascade = whole if isinstance(whole, CascadeCard) else None
        tags = [whole.first, *whole.then.values()] if isinstance(whole, CascadeCard) else [card.reader]
        self._networks = {tag: Network(catalogue / tag.split(":")[0]) for tag in tags}
        self.spec = self._networks[tags[0]].card.input
        self._columns = [whole.labels.index(label) for label in card.labels]

    def read(self, image: Image.Image) -> str:
        """The text of an image, lines by line feeds; "" where there is no ink, or too much."""
        try:
            found = segment(load(image), MAX_CHARACTERS)
        except ImageError:
            return ""
        return self.text_of(found, self.probabilities([candidate.crop for candidate in found.candidates]))

    def text_of(self, found: Segmentation, scores: Probabilities) -> str:
        """The text of the best reading, given the probabilities float64[N,K] of the labels for each candidate."""
        chosen = best_reading(found, np.log(np.maximum(scores, SMALLEST)), self._kinds)
        lines = [found.candidates[index].line for index in chosen]
        places = in_context(scores[chosen], lines, self._kinds).argmax(axis=1)
        texts = [""] * len(found.pieces)
        for line, place in zip(lines, places.tolist(), strict=True):
            texts[line] += self.card.labels[place]
        return "\n".join(texts)

    def probabilities(self, crops: Sequence[Image.Image]) -> Probabilities:
        """The probabilities float64[N,K] of the labels for crops of ink, in one batch."""
        batch = np.stack([tensor(frame_ink(crop, self.spec), self.spec) for crop in crops])
        if self._cascade is None:
            return self._networks[self.card.reader](batch)[:, self._columns]
        first = self._networks[self._cascade.first]
        categories = first(batch)
        likely = (categories >= MIN_PROBABILITY) | (categories == categories.max(axis=1, keepdims=True))
        parts = []
        for category, tag in self._cascade.then.items():
            column = first.card.labels.index(category)
            count = len(self._networks[tag].card.labels)
            conditional = np.where(likely[:, [column]], self._networks[tag](batch), 1 / count)
            parts.append(categories[:, [column]] * conditional)
        return np.concatenate(parts, axis=1)[:, self._columns]


@dataclass(frozen=True, slots=True)
class Answer:
    """A text that was read, and the true one."""

    read: str
    truth: str


def sequence_metrics(answers: Sequence[Answer], *, dataset: str, split: str, length: int | None) -> SequenceMetrics:
    """The metrics of texts: how many are right as a whole, and the edits over the characters of the truth."""
    edits = sum(edit_distance(answer.read, answer.truth) for answer in answers)
    return SequenceMetrics(
        dataset=dataset,
        split=split,
        length=length,
        n=len(answers),
        exact_match=round(sum(answer.read == answer.truth for answer in answers) / len(answers), 5),
        character_error_rate=round(edits / sum(len(answer.truth) for answer in answers), 5),
    )


def read_all(reader: SequenceReader, pictures: Iterable[tuple[Image.Image, str]]) -> list[Answer]:
    """Read pictures, given with their texts."""
    return [Answer(reader.read(image), text) for image, text in pictures]


def edit_distance(text: str, other: str) -> int:
    """The fewest insertions, deletions and replacements between two texts (Levenshtein, 1966)."""
    row = list(range(len(other) + 1))
    for number, character in enumerate(text, 1):
        before, row[0] = row[0], number
        for place, expected in enumerate(other, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (character != expected))
    return row[-1]
