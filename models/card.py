"""The model card: what a model is, wants, is worth and comes from, read from card.yaml and checked."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, model_validator
from typing_extensions import Self

from preprocessing import InputSpec

SafeLoader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, which is ten times as fast, where it was built
CARD_FILE = "card.yaml"
MODEL_FILE = "model.onnx"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
Tag = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}:\d+\.\d+\.\d+$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Share = Annotated[float, Field(ge=0, le=1)]


class CardError(Exception):
    """A card that cannot be read, or does not fit its model; the text names the file and the reason."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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

    dataset: str
    split: str
    n: int = Field(gt=0)
    accuracy: Share
    ece: Share
    per_class: dict[str, ClassMetrics]

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall of the classes."""
        return sum(one.recall for one in self.per_class.values()) / len(self.per_class)


class Provenance(Strict):
    """Where the weights come from, so that anyone can make them again.

    Of a model brought along the recipe is ``imported``, the seed is not known, and the revision is the file it came as.
    """

    data: list[str]
    recipe: str
    seed: int | None = None
    revision: str


class Entry(Strict):
    """What every card of the catalogue says (models/NAME/card.yaml)."""

    name: Name
    version: Version
    title: str = Field(min_length=1, max_length=120)
    labels: list[Label] = Field(min_length=2, max_length=10_000)
    metrics: list[Metrics]
    provenance: Provenance
    licence: str

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
        return _card(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(f"{path}: cannot be read: {error}") from error


@lru_cache(maxsize=64)  # a start reads each card several times
def _card(text: str, path: Path) -> Card:
    try:
        content = yaml.load(text, SafeLoader)
    except yaml.YAMLError as error:
        raise CardError(f"{path}: cannot be read: {error}") from error
    return parse_card(content, path)


def parse_card(content: object, path: Path) -> Card:
    """A card from what a YAML file at ``path`` holds.

    Raises:
        CardError: a field is missing, unknown or out of bounds; every such field is named.
    """
    try:
        return _CARD.validate_python(content)
    except ValidationError as error:
        fields = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'card'}: {e['msg']}" for e in error.errors())
        raise CardError(f"{path}: {fields}") from error


def write_card(card: Card, path: Path) -> None:
    """Write a card as YAML that ``read_card`` gives back unchanged."""
    text = yaml.safe_dump(card.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)
    path.write_text(text, encoding="utf-8")


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
