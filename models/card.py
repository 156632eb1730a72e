"""The model card: what a model is, wants, is worth and comes from, read from card.yaml and checked."""

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from typing_extensions import Self

from models import yaml_reader
from models.terminal import printable
from models.yaml_reader import YamlError
from preprocessing import InputSpec

CARD_FILE = "card.yaml"
MODEL_FILE = "model.onnx"
# So many faults of a card are told at a time.
FAULTS: Final = 5
# Control characters, halves of surrogate pairs, line separators, and what turns the direction of the text around it.
UNREADABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
NAME: Final = "[a-z][a-z0-9-]{0,62}"
VERSION: Final = r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}"


def readable(text: str) -> str:
    """The text, which people see on terminals and pages.

    Raises:
        ValueError: it has a character that does something there in the place of being seen.
    """
    if found := UNREADABLE.search(text):
        raise ValueError(f"has the control character U+{ord(found[0]):04X}; leave it out")
    return text


Name = Annotated[str, StringConstraints(pattern=f"^{NAME}$")]
Version = Annotated[str, StringConstraints(pattern=f"^{VERSION}$")]
Tag = Annotated[str, StringConstraints(pattern=f"^{NAME}:{VERSION}$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(readable)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(readable)]
Line = Annotated[str, StringConstraints(max_length=500), AfterValidator(readable)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Share = Annotated[float, Field(ge=0, le=1)]


class CardError(Exception):
    """A card that cannot be read, or does not fit its model; the text names the file and the reason, in one line that terminals
    and logs only show, whatever the card and the file's name hold."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Calibration(Strict):
    """Logits are divided by ``temperature`` before the softmax (Guo et al., ICML 2017)."""

    temperature: float = Field(gt=0, le=100)


class Rejection(Strict):
    """An image is rejected when its score lies below ``threshold``.

    ``max_softmax`` is the calibrated probability of the winner (Hendrycks & Gimpel, ICLR 2017); ``max_logit`` the largest
    logit; ``energy`` is logsumexp of the logits (Liu et al., NeurIPS 2020).
    """

    score: Literal["max_softmax", "max_logit", "energy"]
    threshold: float


class ClassMetrics(Strict):
    """One class: its pictures, the share of them that were read right, and the share of what was read as it that is it."""

    n: int = Field(gt=0)
    recall: Share
    precision: Share


class Metrics(Strict):
    """What was measured: never on anything the model was trained or chosen on.

    ``ece`` is the expected calibration error over 15 bins (Naeini et al., AAAI 2015).
    """

    dataset: Line
    split: Line
    n: int = Field(gt=0)
    accuracy: Share
    ece: Share
    per_class: dict[Label, ClassMetrics]

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall of the classes."""
        return sum(one.recall for one in self.per_class.values()) / len(self.per_class)


class Provenance(Strict):
    """Where the weights come from, so that anyone can make them again.

    Of a model brought along the recipe is ``imported``, the seed is not known, and the revision is the file it came as.
    """

    data: list[Line] = Field(max_length=100)
    recipe: Line
    seed: int | None = None
    revision: Line


class Entry(Strict):
    """What every card of the catalogue says (models/NAME/card.yaml)."""

    name: Name
    version: Version
    title: Title
    labels: list[Label] = Field(min_length=2, max_length=10_000)
    metrics: list[Metrics] = Field(max_length=100)
    provenance: Provenance
    licence: Line

    @model_validator(mode="after")
    def _labels_are_distinct(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels must be distinct")
        return self

    @property
    def tag(self) -> str:
        """The name in the BentoML model store: ``name:version``."""
        return f"{self.name}:{self.version}"


class ModelCard(Entry):
    """A classifier: one ONNX file, a picture in, logits of its labels out.

    ``single`` says that a picture of ink is to show one character: several separate ones are rejected. A model of words, or of
    drawings in separate parts, says ``false``. It means nothing for an object.
    ``known_answer`` has the largest logits of the picture that ``models.probe`` makes, by label: every session is asked first.
    """

    task: Literal["classify"]
    input: InputSpec
    calibration: Calibration
    rejection: Rejection
    sha256: Sha256
    single: bool = True
    known_answer: dict[Label, float] | None = None

    @model_validator(mode="after")
    def _answer_is_of_labels(self) -> Self:
        if unknown := set(self.known_answer or {}) - set(self.labels):
            raise ValueError(f"known_answer names {', '.join(sorted(unknown))}, which is not in labels")
        return self


class CascadeCard(Entry):
    """Classifiers in a row: ``first`` tells categories apart, and the model that ``then`` names for a category reads on.

    A category without a model is an answer itself. ``labels`` are those of the models in ``then``, in its order, and these
    categories. Models are named as ``name:version``, so that a cascade means the same as long as its version.
    """

    task: Literal["cascade"]
    first: Tag
    then: dict[Label, Tag] = Field(min_length=1)


Card = ModelCard | CascadeCard
_CARD: Final = TypeAdapter[Card](Annotated[Card, Field(discriminator="task")])


def read_card(path: Path) -> Card:
    """Read and check a card.yaml.

    Raises:
        CardError: missing, not YAML, or a field is missing, unknown or out of bounds; every such field is named.
    """
    try:
        return _card(yaml_reader.read_text(path), path)
    except (OSError, YamlError) as error:
        raise CardError(f"{path}: cannot be read: {error}") from error


@lru_cache(maxsize=64)  # a start reads each card several times
def _card(text: str, path: Path) -> Card:
    return parse_card(yaml_reader.load(text), path)


def parse_card(content: object, path: Path) -> Card:
    """A card from what a YAML file at ``path`` holds.

    Raises:
        CardError: a field is missing, unknown or out of bounds; every such field is named.
    """
    try:
        return _CARD.validate_python(content)
    except ValidationError as error:
        raise CardError(f"{path}: {faults(error)}") from error


def faults(error: ValidationError, inside: str = "") -> str:
    """What is wrong with which fields, each told as it lies ``inside`` a card: the first ``FAULTS`` of them."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    fields = [
        f"{'.'.join(filter(None, (inside, *map(_shortened, e['loc'])))) or 'card'}: {_shortened(e['msg'])}" for e in found
    ]
    more = [f"and {len(fields) - FAULTS:,} faults more"] if len(fields) > FAULTS else []
    return "; ".join(fields[:FAULTS] + more)


def _shortened(text: object) -> str:
    return f"{str(text)[:300]}..." if len(str(text)) > 300 else str(text)


def write_card(card: Card, path: Path) -> None:
    """Write a card as YAML that ``read_card`` gives back unchanged."""
    text = yaml.safe_dump(card.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)
    path.write_text(text, encoding="utf-8")


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
