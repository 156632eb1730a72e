"""The pydantic models of the API: options and answers; the source of /schema.json and /docs.json."""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from serving.errors import Problem

M = TypeVar("M", bound=BaseModel)

Device = Literal["auto", "cpu", "gpu"]


class Options(BaseModel):
    """The options of a classification."""

    model_config = ConfigDict(frozen=True)

    model: str = Field(min_length=1, max_length=63, description="Name of a model of the catalogue.")
    top_k: int = Field(3, ge=1, le=1000, description="Classes listed in `top`, the likeliest first.")
    device: Device = Field("auto", description="Where to run; `gpu` is refused when there is none.")


class ExplainOptions(BaseModel):
    """The options of an explanation."""

    heatmap: bool = Field(True, description="Whether to make the heat map, which takes most of the time; without, it is null.")
    character: int | None = Field(
        None,
        ge=0,
        description="Of a sequence: explain this character, counted from 0, instead of the segmentation.",
    )


class LabelScore(BaseModel):
    """A label and its calibrated probability; of a multi-label model, that of this label by itself."""

    label: str
    confidence: float


class CharacterReading(BaseModel):
    """One character of a sequence."""

    label: str
    confidence: float
    top: list[LabelScore]
    box: tuple[int, int, int, int] = Field(
        description="x, y, width and height in pixels of the picture, turned upright by its EXIF orientation."
    )
    line: int = Field(description="The line it is in, from 0 at the top.")
    rejected: bool = Field(description="It does not look like anything the model was made for.")


class Timings(BaseModel):
    """Milliseconds spent on one image, by stage."""

    decode: float
    preprocess: float
    queue: float
    inference: float
    total: float


def _null_first(schema: dict[str, Any]) -> None:
    """Describe a union with null first: BentoML's client decodes its first member alone, and fails on null for a list."""
    schema["anyOf"].sort(key=lambda member: member != {"type": "null"})


class Classification(BaseModel):
    """The answer for one image."""

    model: str
    version: str
    label: str = Field(description="Of a sequence: the text, its lines separated by a newline.")
    confidence: float = Field(description="Of a sequence: the product of the confidences of its characters.")
    top: list[LabelScore]
    probabilities: dict[str, float] = Field(description="Of every label of the model; of a sequence, of the texts in `top`.")
    rejected: bool = Field(
        description="The image, or a character of a sequence, does not look like anything the model was made for, or the image "
        "shows several characters to a model that reads one. The label is only a guess then."
    )
    reject_reason: str | None = Field(description="Why it is rejected, in one or two sentences; null where it is not.")
    category: LabelScore | None = Field(
        description="Filled by cascades: the category of the label, as their first model tells it."
    )
    characters: list[CharacterReading] | None = Field(
        description="Filled by sequences: the characters in reading order, line by line; null for other models.",
        json_schema_extra=_null_first,
    )
    provider: str = Field(description="ONNX Runtime's execution provider that ran the model; of a cascade, its first.")
    batch_size: int = Field(
        description="Images that shared the call of the model; of a cascade, of its first. Each candidate for a character of a "
        "sequence is an image."
    )
    timings_ms: Timings


class ProblemDocument(BaseModel):
    """What was wrong (RFC 9457) with a request, or with an image of a batch in the place of its classification."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str = Field(description="The `X-Request-ID` of the response, under which the log has this request.")


class Batch(RootModel[list[Classification | ProblemDocument]]):
    """One entry per image, in order."""


class StagePicture(BaseModel):
    """One step of preprocessing."""

    name: str
    png: str = Field(description="The picture after this step: PNG as base64.")
    min: float
    mean: float = Field(description="Mean of the levels 0 to 255; of a picture in colour, of all colours together.")
    max: float
    note: str = Field(description="What the step did, in one line.")


class HeatMap(BaseModel):
    """What mattered: the picture as the model sees it, brighter where covering it lowers the label of the answer."""

    png: str = Field(description="PNG as base64, of the size of the model's input.")
    note: str


class Explanation(Classification):
    """A classification and how it came about."""

    stages: list[StagePicture]
    logits: dict[str, float] = Field(description="Of the model that gave the label; of a sequence, of the chosen character.")
    heatmap: HeatMap | None


def parse_options(given: Mapping[str, Any], default_model: str) -> Options:
    """The options of a request, as ``parse_fields`` reads them."""
    return parse_fields(Options, given, model=default_model)


def parse_fields(schema: type[M], given: Mapping[str, Any], **defaults: str) -> M:
    """Parse the fields of ``schema`` from query parameters, form fields or JSON members; JSON-quoted text is unquoted, and
    empty text means the default.

    Raises:
        Problem: ``bad_request``, naming every field with a bad value.
    """
    values = {
        name: value.strip('"') if isinstance(value, str) else _number(value)
        for name, value in given.items()
        if name in schema.model_fields and value not in ("", "null")
    }
    try:
        return schema.model_validate({**defaults, **values})
    except ValidationError as error:
        faults = "; ".join(f"{e['loc'][0]}={str(e['input'])[:40]!r}: {e['msg']}" for e in error.errors())
        raise Problem("bad_request", f"An option has a bad value. {faults}.") from error


def _number(value: object) -> object:
    """A JSON value that is not a string, as pydantic should validate it: it would accept true as 1."""
    return str(value) if isinstance(value, bool) else value
