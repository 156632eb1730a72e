"""The input specification of a model: the part of its card that controls preprocessing."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Geometry(BaseModel):
    """What an image shows, and how it is placed in the model's frame.

    ``subject`` is ``ink`` (strokes on any paper) or ``object`` (one object on a plain background). ``fit_box`` is the
    length in pixels that its longer side is scaled to. ``centring`` puts the centre of mass or the middle of the bounding box
    at the centre of the frame. MNIST is ink in a 20-pixel box, centred by mass in 28x28 (LeCun et al., "Gradient-based learning
    applied to document recognition", 1998).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: Literal["ink", "object"] = "ink"
    fit_box: int = Field(ge=4, le=512)
    centring: Literal["mass", "box"]
    polarity: Literal["light_on_dark", "dark_on_light"]


class Normalisation(BaseModel):
    """Normalisation of pixels, ``(pixel / 255 - mean) / std``, the same for every channel."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean: float = Field(ge=0, le=1)
    std: float = Field(gt=0, le=255)


class InputSpec(BaseModel):
    """The input tensor of a model, ``float32[N, channels, size, size]``, and how an image is brought into it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(ge=8, le=512)
    channels: Literal[1, 3]
    geometry: Geometry
    normalisation: Normalisation

    @model_validator(mode="after")
    def _box_fits_frame(self) -> "InputSpec":
        if self.geometry.fit_box > self.size:
            raise ValueError(f"geometry.fit_box {self.geometry.fit_box} is larger than size {self.size}")
        return self
