"""What the service answers. Fields the page does not use are ignored, so that the service may add to them."""

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, RootModel


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

    @property
    def several(self) -> bool:
        """Whether it was rejected for showing more than the one character that the model reads; only the reason says so."""
        return self.rejected and "several characters" in (self.reject_reason or "")


class Refusal(BaseModel):
    """What was wrong with one picture of many, in the place of its classification."""

    status: int
    title: str = ""
    detail: str = ""
    code: str = ""


class Batch(RootModel[list[Classification | Refusal]]):
    """The answer of `POST /classify/batch`: one entry per picture, in order."""


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


class Geometry(BaseModel):
    """What a model's pictures show: `ink`, strokes on paper, or `object`, a thing before a plain ground."""

    subject: str = "ink"


class Input(BaseModel):
    """What a model wants to be shown."""

    geometry: Geometry = Field(default_factory=Geometry)


class Card(BaseModel):
    """What a model is: everything it can answer, and what it wants to be shown."""

    labels: list[str] = Field(default_factory=list)
    input: Input | None = None

    @property
    def subject(self) -> str:
        """What its pictures show. A cascade has no input of its own: the models we know of begin with ink."""
        return self.input.geometry.subject if self.input else Geometry().subject


class Device(BaseModel):
    """Whether a model can run on a device and, if not, why."""

    available: bool
    reason: str | None = None


class Model(BaseModel):
    """One entry of the catalogue."""

    name: str
    version: str = ""
    title: str = ""
    card: Card = Field(default_factory=Card)
    devices: dict[str, Device] = Field(default_factory=dict)


class Limits(BaseModel):
    """What the service takes in one request, in bytes, pixels and pictures; as it usually is, where it does not say."""

    model_config = ConfigDict(frozen=True)

    max_image_bytes: int = 10 * 2**20
    max_pixels: int = 2**22
    max_photo_pixels: int = 2**24
    max_side: int = 2**13
    max_batch_bytes: int = 2**26
    max_images: int = 256


class Catalogue(BaseModel):
    """The answer of `GET /models`; `gallery` tells whether the service keeps pictures for those who want that."""

    default: str = ""
    models: list[Model] = Field(min_length=1)
    limits: Limits = Field(default_factory=Limits)
    gallery: bool = False

    def names(self) -> list[str]:
        """The model names, the default one first."""
        return sorted((model.name for model in self.models), key=lambda name: (name != self.default, name))

    def knows(self, answer: Classification) -> bool:
        """Whether the model that answered is here in the version that answered."""
        return any((model.name, model.version) == (answer.model, answer.version) for model in self.models)

    def model(self, name: str) -> Model:
        """The entry of that name."""
        return next(model for model in self.models if model.name == name)


class KeptPicture(BaseModel):
    """One entry of the gallery that the service keeps, with a thumbnail of the picture."""

    id: str
    model: str
    version: str = ""
    label: str
    confidence: float
    rejected: bool = False
    corrected: str | None = None
    thumbnail: Base64Bytes


class GalleryPage(BaseModel):
    """The answer of `GET /gallery`: entries, newest first, how to ask for those after them, and how many there are in all."""

    entries: list[KeptPicture]
    next: str | None = None
    total: int = 0


class Emptied(BaseModel):
    """The answer of `DELETE /gallery`."""

    deleted: int = 0
