"""The model card (card.yaml): name, labels, input, calibration, metrics and provenance of a model, read and validated."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Generic, Literal, TypeVar

import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator
from typing_extensions import Self

from models import yaml_reader
from models.card_fields import (
    Calibration,
    Label,
    Metrics,
    Name,
    Provenance,
    Rejection,
    SequenceMetrics,
    Sha256,
    StrictModel,
    Tag,
    Text,
    Title,
    Version,
)
from models.outputs import OutputSpec
from models.reference import Reference
from models.terminal import printable
from models.yaml_reader import YamlError
from preprocessing import InputSpec

M = TypeVar("M", Metrics, SequenceMetrics)

CARD_FILE = "card.yaml"
MODEL_FILE = "model.onnx"
# An error names at most this many invalid fields.
MAX_ERRORS: Final = 5
MAX_LABELS: Final = 30_000  # ImageNet-21k has 21,841


class CardError(Exception):
    """A card that cannot be read, or does not match its model.

    The text has the file and the reason, in one line. Control characters are escaped, since it goes to terminals and logs.
    """

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


class CardBase(StrictModel, Generic[M]):
    """The fields that all cards have (models/NAME/card.yaml).

    ``reference`` is what the answers of a running service are compared with; without one they are counted, but not compared.
    """

    name: Name
    version: Version
    title: Title
    labels: list[Label] = Field(min_length=2, max_length=MAX_LABELS)
    metrics: list[M] = Field(max_length=100)
    provenance: Provenance
    licence: Text
    reference: Reference | None = None

    @model_validator(mode="after")
    def _labels_are_distinct(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels must be distinct")
        if self.reference and (unknown := set(self.reference.label) - set(self.labels)):
            raise ValueError(f"reference names {', '.join(sorted(unknown))}, which is not in labels")
        return self

    @property
    def tag(self) -> str:
        """The name in the BentoML model store: ``name:version``."""
        return f"{self.name}:{self.version}"

    @property
    def member_tags(self) -> list[str]:
        """The tags of the models it uses."""
        return []


class ModelCard(CardBase[Metrics]):
    """The card of a classifier: one ONNX file that takes an image and returns a score for each of its labels.

    ``output`` says what the scores are. ``fixed_batch`` is set where the model cannot take batches of any size: it is called
    once for each image, which is repeated to so many. ``remarks`` are what an import assumed, and what this costs.

    ``single``: an image of ink must show one character, and several separate ones are rejected. Set it to ``false`` for a model
    of words, or of drawings in separate parts. It has no effect for objects.
    ``known_answer`` is the golden output: the largest logits of the golden input (``models.golden``), by label. Every session
    is verified against it before use.
    """

    task: Literal["classify"]
    input: InputSpec
    output: OutputSpec = OutputSpec()
    fixed_batch: int | None = Field(default=None, ge=1, le=1024)
    calibration: Calibration
    rejection: Rejection
    sha256: Sha256
    single: bool = True
    known_answer: dict[Label, float] | None = None
    remarks: list[Text] = Field(default=[], max_length=100)

    @model_validator(mode="after")
    def _golden_output_has_known_labels(self) -> Self:
        if unknown := set(self.known_answer or {}) - set(self.labels):
            raise ValueError(f"known_answer names {', '.join(sorted(unknown))}, which is not in labels")
        return self


class CascadeCard(CardBase[Metrics]):
    """The card of a cascade: ``first`` predicts a category, and the model of that category in ``then`` predicts the label.

    A category without a model is a label itself. ``labels`` are those of the models in ``then``, in that order, followed by
    these categories. Models are given as ``name:version``, so that a version of a cascade always means the same models.
    """

    task: Literal["cascade"]
    first: Tag
    then: dict[Label, Tag] = Field(min_length=1)

    @property
    def member_tags(self) -> list[str]:
        """The tags of the models it uses, ``first`` among them."""
        return [self.first, *self.then.values()]


class SequenceCard(CardBase[SequenceMetrics]):
    """The card of a sequence: images of several characters, in lines, each of which ``reader`` reads by itself.

    ``reader`` is a classifier or a cascade of ink, as ``name:version``. ``labels`` are those of its labels that are one
    character, in its order: an answer is a text of them. ``reference`` counts characters, not images.
    """

    task: Literal["sequence"]
    reader: Tag

    @model_validator(mode="after")
    def _labels_are_characters(self) -> Self:
        if long := [label for label in self.labels if len(label) > 1]:
            raise ValueError(f"labels must be one character each, unlike {', '.join(long[:MAX_ERRORS])}")
        return self

    @property
    def member_tags(self) -> list[str]:
        """The tag of the model it uses."""
        return [self.reader]


Card = ModelCard | CascadeCard | SequenceCard
_CARD: Final = TypeAdapter[Card](Annotated[Card, Field(discriminator="task")])


def read_card(path: Path) -> Card:
    """Read and validate a card.yaml.

    Raises:
        CardError: the file is missing or not YAML, or a field is missing, unknown or out of bounds.
    """
    try:
        return _card(yaml_reader.read_text(path), path)
    except (OSError, YamlError) as error:
        raise CardError(f"{path}: cannot be read: {error}") from error


@lru_cache(maxsize=64)  # each card is read several times at a start
def _card(text: str, path: Path) -> Card:
    return parse_card(yaml_reader.load(text), path)


def parse_card(content: object, path: Path) -> Card:
    """Validate the parsed content of the card at ``path``.

    Raises:
        CardError: a field is missing, unknown or out of bounds.
    """
    try:
        return _CARD.validate_python(content)
    except ValidationError as error:
        raise CardError(f"{path}: {format_errors(error)}") from error


def format_errors(error: ValidationError, inside: str = "") -> str:
    """One line with the first ``MAX_ERRORS`` invalid fields and their errors; ``inside`` is the path to the validated part."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    fields = [
        f"{'.'.join(filter(None, (inside, *map(_shortened, e['loc'])))) or 'card'}: {_shortened(e['msg'])}" for e in found
    ]
    more = [f"and {len(fields) - MAX_ERRORS:,} errors more"] if len(fields) > MAX_ERRORS else []
    return "; ".join(fields[:MAX_ERRORS] + more)


def _shortened(text: object) -> str:
    return f"{str(text)[:300]}..." if len(str(text)) > 300 else str(text)


def write_card(card: Card, path: Path) -> None:
    """Write a card as YAML, which ``read_card`` reads back unchanged."""
    text = yaml.safe_dump(card.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)
    path.write_text(text, encoding="utf-8")


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
