"""The model card: what a model is, wants, is worth and comes from, read from card.yaml and checked."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from preprocessing import InputSpec

CARD_FILE = "card.yaml"
MODEL_FILE = "model.onnx"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
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


class Metrics(Strict):
    """What was measured: never on anything the model was trained or chosen on."""

    dataset: str
    split: str
    n: int = Field(gt=0)
    accuracy: Share
    ece: Share
    per_class: dict[str, Share]


class Provenance(Strict):
    """Where the weights come from, so that anyone can make them again."""

    data: list[str]
    recipe: str
    seed: int
    revision: str


class ModelCard(Strict):
    """One model of the catalogue (models/NAME/card.yaml)."""

    name: Name
    version: Version
    title: str = Field(min_length=1, max_length=120)
    task: Literal["classify", "cascade"]
    labels: list[str] = Field(min_length=2, max_length=10_000)
    input: InputSpec
    calibration: Calibration
    rejection: Rejection
    metrics: list[Metrics]
    provenance: Provenance
    licence: str
    sha256: Sha256

    @model_validator(mode="after")
    def _labels_are_distinct(self) -> "ModelCard":
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels must be distinct")
        return self

    @property
    def tag(self) -> str:
        """The name in the BentoML model store: ``name:version``."""
        return f"{self.name}:{self.version}"


def read_card(path: Path) -> ModelCard:
    """Read and check a card.yaml.

    Raises:
        CardError: missing, not YAML, or a field is missing, unknown or out of bounds; every such field is named.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CardError(f"{path}: cannot be read: {error}") from error
    try:
        return ModelCard.model_validate(content)
    except ValidationError as error:
        fields = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'card'}: {e['msg']}" for e in error.errors())
        raise CardError(f"{path}: {fields}") from error


def write_card(card: ModelCard, path: Path) -> None:
    """Write a card as YAML that ``read_card`` gives back unchanged."""
    text = yaml.safe_dump(card.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)
    path.write_text(text, encoding="utf-8")


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
