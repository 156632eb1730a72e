"""What a model wants to be shown: the part of a model card that preprocessing obeys."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Geometry(BaseModel):
    """What a picture shows and how it lies in the model's frame.

    ``subject`` is ``ink``, strokes of any pen on paper of any kind, or ``object``, a thing with its own light and dark before
    an even ground. ``fit_box`` is the side in pixels of the square its longer side is scaled to. ``centring`` puts either the
    centre of mass or the middle of the bounding box at the centre of the frame. MNIST is ink in a 20-pixel box, centred by
    mass in 28x28 (LeCun et al., "Gradient-based learning applied to document recognition", 1998).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: Literal["ink", "object"] = "ink"
    fit_box: int = Field(ge=4, le=512)
    centring: Literal["mass", "box"]
    polarity: Literal["light_on_dark", "dark_on_light"]


class Normalisation(BaseModel):
    """``(pixel / 255 - mean) / std``, the same for every channel."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean: float = Field(ge=0, le=1)
    std: float = Field(gt=0, le=255)


class InputSpec(BaseModel):
    """The tensor a model takes: ``float32[N, channels, size, size]``."""

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
