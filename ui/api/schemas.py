"""Response schemas of the service. Fields that the page does not use are ignored, so the service may add fields."""

from typing import Final

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, RootModel


class LabelScore(BaseModel):
    """A label with its probability, 0 to 1."""

    label: str
    confidence: float


class Character(BaseModel):
    """One character of a sequence: `box` is left, top, width and height in pixels of the picture, `line` counts from 0."""

    label: str
    confidence: float
    top: list[LabelScore] = Field(default_factory=list)
    box: tuple[float, float, float, float]
    line: int = 0
    rejected: bool = False

    @property
    def unsure(self) -> bool:
        """Whether the visitor should look at it: it was rejected, or another label is nearly as probable."""
        return self.rejected or self.confidence < LEAST_SURE


# A character that is less probable than this is marked as unsure.
LEAST_SURE: Final = 0.7
# A label of a multi-label model applies from this probability on.
LEAST_PROBABILITY: Final = 0.5


class Classification(BaseModel):
    """The response of `POST /classify`. Of a sequence, `label` is the whole text, its lines separated by "\\n", `top` has the
    likeliest readings of it, and `characters` its characters in reading order; of any other model `characters` is None.

    `multi_label` is not sent by the service: the page sets it from the model's card.
    """

    model: str
    version: str = ""
    label: str
    confidence: float
    top: list[LabelScore] = Field(default_factory=list)
    probabilities: dict[str, float] = Field(default_factory=dict)
    rejected: bool = False
    reject_reason: str | None = None
    category: LabelScore | None = None
    provider: str = ""
    batch_size: int | None = None
    timings_ms: dict[str, float] = Field(default_factory=dict)
    multi_label: bool = False
    characters: list[Character] | None = None

    @property
    def predicted_labels(self) -> list[LabelScore]:
        """The label with its confidence; of a multi-label model all labels of at least `LEAST_PROBABILITY`, the most probable
        first, which may be none. A rejected picture has one label, the best guess."""
        if not self.multi_label or self.rejected:
            return [LabelScore(label=self.label, confidence=self.confidence)]
        ranked = sorted(self.probabilities.items(), key=lambda each: -each[1])
        return [LabelScore(label=label, confidence=value) for label, value in ranked if value >= LEAST_PROBABILITY]

    @property
    def several_characters(self) -> bool:
        """Whether it was rejected because the picture shows several characters. Only the text of the reason tells."""
        return self.rejected and self.characters is None and "several characters" in (self.reject_reason or "")


class ProblemDocument(BaseModel):
    """An RFC 9457 problem document: why a picture was not classified."""

    status: int
    title: str = ""
    detail: str = ""
    code: str = ""
    request_id: str = ""


class BatchResponse(RootModel[list[Classification | ProblemDocument]]):
    """The response of `POST /classify/batch`: one entry per picture, in order."""


class AnnotatedImage(BaseModel):
    """A PNG with one line of text about it."""

    png: Base64Bytes
    note: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, read from the PNG header."""
        return int.from_bytes(self.png[16:20], "big"), int.from_bytes(self.png[20:24], "big")

    @property
    def in_colour(self) -> bool:
        """Whether the PNG has colour channels, read from its header."""
        return self.png[25:26] in (b"\x02", b"\x06")


class ExplanationStage(AnnotatedImage):
    """One preprocessing stage: its image and the minimum, mean and maximum grey level."""

    name: str
    min: float = 0
    mean: float | None = None
    max: float = 255


class Explanation(Classification):
    """The response of `POST /explain`: a classification with its preprocessing stages, logits and heat map."""

    stages: list[ExplanationStage] = Field(default_factory=list)
    logits: dict[str, float] = Field(default_factory=dict)
    heatmap: AnnotatedImage | None = None


class Geometry(BaseModel):
    """What a model's pictures show: `ink` (strokes on paper), `object` (an object on a plain background) or `photo` (anything:
    the whole picture counts)."""

    subject: str = "ink"


class ModelInput(BaseModel):
    """The part of a model card that describes the input."""

    geometry: Geometry = Field(default_factory=Geometry)
    colour: str = "grey"


class ModelOutput(BaseModel):
    """The part of a model card that describes the output. With `multi_label` each label has a probability for itself."""

    multi_label: bool = False


class ModelCard(BaseModel):
    """A model card: all labels of the model, its input and its output.

    A cascade has the tag `NAME:VERSION` of the model that predicts the category, `first`, and those of the models that predict
    the label, by category, `then`. A sequence reads several characters, each with the model of the tag `reader`.
    """

    task: str = "classify"
    reader: str = ""
    labels: list[str] = Field(default_factory=list)
    first: str = ""
    then: dict[str, str] = Field(default_factory=dict)
    input: ModelInput | None = None
    output: ModelOutput = Field(default_factory=ModelOutput)

    @property
    def subject(self) -> str:
        """What the model's pictures show. A cascade has no input of its own; all cascades begin with an ink model."""
        return self.input.geometry.subject if self.input else Geometry().subject

    @property
    def is_sequence(self) -> bool:
        """Whether the model reads several characters in one picture."""
        return self.task == "sequence"

    @property
    def in_colour(self) -> bool:
        """Whether the model reads colours. Models of ink and objects read grey levels, whatever their number of channels."""
        return self.input is not None and self.subject == "photo" and self.input.colour != "grey"


def tag_name(tag: str) -> str:
    """Return the name in a tag `NAME:VERSION`."""
    return tag.partition(":")[0]


class DeviceStatus(BaseModel):
    """Whether a model can run on a device and, if not, why."""

    available: bool
    reason: str | None = None


class Model(BaseModel):
    """One entry of `GET /models`."""

    name: str
    version: str = ""
    title: str = ""
    card: ModelCard = Field(default_factory=ModelCard)
    devices: dict[str, DeviceStatus] = Field(default_factory=dict)


class ServiceLimits(BaseModel):
    """Limits of one request in bytes, pixels and pictures. The defaults are those of the service."""

    model_config = ConfigDict(frozen=True)

    max_image_bytes: int = 10 * 2**20
    max_pixels: int = 2**22
    max_photo_pixels: int = 2**24
    max_side: int = 2**13
    max_batch_bytes: int = 2**26
    max_images: int = 256
    max_characters: int = 64


class ModelCatalogue(BaseModel):
    """The response of `GET /models`. `gallery` tells whether the service has a gallery."""

    default: str = ""
    models: list[Model] = Field(min_length=1)
    limits: ServiceLimits = Field(default_factory=ServiceLimits)
    gallery: bool = False

    def names(self) -> list[str]:
        """Return the model names, the default model first."""
        return sorted((model.name for model in self.models), key=lambda name: (name != self.default, name))

    def has_version_of(self, classification: Classification) -> bool:
        """Return whether the model that answered is listed with the version that answered."""
        return any((model.name, model.version) == (classification.model, classification.version) for model in self.models)

    def is_multi_label(self, name: str) -> bool:
        """Return whether each label of the model of that name has a probability for itself."""
        return any(model.name == name and model.card.output.multi_label for model in self.models)

    def cascade_of(self, name: str) -> ModelCard | None:
        """Return the card of a cascade that uses the model of that name for one of its categories, if there is one."""
        return next((model.card for model in self.models if name in map(tag_name, model.card.then.values())), None)

    def sequence_for(self, name: str) -> Model | None:
        """Return the sequence model for several characters of the model of that name; None where the service has none.

        It is the one that reads with that model, else the first that knows all its labels, else any.
        """
        sequences = [model for model in self.models if model.card.is_sequence]
        labels = set(self.get(name).card.labels)

        def rank(model: Model) -> tuple[bool, bool]:
            return tag_name(model.card.reader) != name, not labels <= set(model.card.labels)

        return min(sequences, key=rank, default=None)

    def get(self, name: str) -> Model:
        """Return the model of that name."""
        return next(model for model in self.models if model.name == name)
