"""What the service answers. Fields the page does not use are ignored, so that the service may add to them."""

from typing import Any

from pydantic import Base64Bytes, BaseModel, Field


class Candidate(BaseModel):
    """A label and how likely it is, from 0 to 1."""

    label: str
    confidence: float


class Classification(BaseModel):
    """The answer of `POST /classify`."""

    model: str
    version: str = ""
    label: str
    confidence: float
    top: list[Candidate] = Field(default_factory=list)
    probabilities: dict[str, float] = Field(default_factory=dict)
    rejected: bool = False
    reject_reason: str | None = None
    category: Candidate | None = None
    provider: str = ""
    batch_size: int | None = None
    timings_ms: dict[str, float] = Field(default_factory=dict)


class Picture(BaseModel):
    """A PNG and one line on what it shows."""

    png: Base64Bytes
    note: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, read from the PNG header."""
        return int.from_bytes(self.png[16:20], "big"), int.from_bytes(self.png[20:24], "big")


class Stage(Picture):
    """One step from the drawing to what the model is given, with its lowest, mean and highest grey level."""

    name: str
    min: float = 0
    mean: float | None = None
    max: float = 255


class Explanation(Classification):
    """The answer of `POST /explain`: a classification and what led to it."""

    stages: list[Stage] = Field(default_factory=list)
    logits: dict[str, float] = Field(default_factory=dict)
    heatmap: Picture | None = None


class Device(BaseModel):
    """Whether a model can run on a device and, if not, why."""

    available: bool
    reason: str | None = None


class Model(BaseModel):
    """One entry of the catalogue."""

    name: str
    version: str = ""
    title: str = ""
    card: dict[str, Any] = Field(default_factory=dict)
    devices: dict[str, Device] = Field(default_factory=dict)

    @property
    def labels(self) -> list[str]:
        """Everything the model can answer, as far as its card tells."""
        labels = self.card.get("labels")
        return [str(label) for label in labels] if isinstance(labels, list) else []


class Catalogue(BaseModel):
    """The answer of `GET /models`."""

    default: str = ""
    models: list[Model] = Field(min_length=1)

    def names(self) -> list[str]:
        """The model names, the default one first."""
        return sorted((model.name for model in self.models), key=lambda name: (name != self.default, name))

    def model(self, name: str) -> Model:
        """The entry of that name."""
        return next(model for model in self.models if model.name == name)
