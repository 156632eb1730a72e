"""The input specification of a model: the part of its card that controls preprocessing."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

Layout = Literal["NCHW", "NHWC", "NHW", "NP", "NP1"]
ElementType = Literal["float32", "float16", "float64", "uint8", "int8", "int32", "int64"]
Colour = Literal["grey", "RGB", "BGR", "RGBA"]
Filter = Literal["area", "nearest", "bilinear", "bicubic", "lanczos"]

MIN_SIDE: Final = 5
MAX_SIDE: Final = 512
CHANNELS: Final[dict[Colour, int]] = {"grey": 1, "RGB": 3, "BGR": 3, "RGBA": 4}
# A photo is decoded at this many times the side of the model's input at least, so that reducing it loses nothing.
DECODED_SIDES: Final = 4

Level = Annotated[float, Field(ge=-100_000, le=100_000, allow_inf_nan=False)]
Deviation = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]


class Geometry(BaseModel):
    """How ink or an object is cut out of an image and placed in the model's frame.

    ``subject`` is ``ink`` (strokes on any paper) or ``object`` (one object on a plain background). ``fit_box`` is the
    length in pixels that its longer side is scaled to. ``centring`` puts the centre of mass or the middle of the bounding box
    at the centre of the frame. MNIST is ink in a 20-pixel box, centred by mass in 28x28 (LeCun et al., "Gradient-based learning
    applied to document recognition", 1998).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: Literal["ink", "object"] = "ink"
    fit_box: int = Field(ge=3, le=512)
    centring: Literal["mass", "box"]
    polarity: Literal["light_on_dark", "dark_on_light"]


class PhotoGeometry(BaseModel):
    """How a whole picture becomes the model's frame: nothing is cut out or thresholded.

    ``fit`` is ``stretch`` (to the frame, whatever the aspect ratio), ``crop`` (scaled until it covers the frame, and the middle
    cut out) or ``pad`` (scaled into the frame, the rest filled with ``pad_level``). With ``crop``, ``shorter_side`` scales the
    shorter side to more pixels than the frame has, such as 256 for 224. ``filter`` is antialiased, but for ``nearest``;
    ``area`` averages pixels, and is bilinear for enlarging. ``polarity`` inverts pictures with the other polarity, unless it is
    ``as_is``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: Literal["photo"] = "photo"
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    shorter_side: int | None = Field(default=None, ge=MIN_SIDE, le=2 * MAX_SIDE)
    pad_level: int = Field(default=0, ge=0, le=255)
    filter: Filter = "bilinear"
    polarity: Literal["light_on_dark", "dark_on_light", "as_is"] = "as_is"


class Normalisation(BaseModel):
    """Normalisation of pixels, ``(pixel * scale / 255 - mean) / std``, for all channels or each in the order of ``colour``.

    ``scale`` is what white becomes: 1 for pixels of 0 to 1, 255 for unchanged ones.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: float = Field(default=1.0, gt=0, le=100_000, allow_inf_nan=False)
    mean: tuple[Level, ...] = Field(default=(0.0,), min_length=1, max_length=4)
    std: tuple[Deviation, ...] = Field(default=(1.0,), min_length=1, max_length=4)

    @field_validator("mean", "std", mode="before")
    @classmethod
    def _one_for_all_channels(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int | float) else value


def _kind_of_geometry(value: Any) -> str:
    subject = value.get("subject") if isinstance(value, Mapping) else getattr(value, "subject", None)
    return "photo" if subject == "photo" else "placed"


AnyGeometry = Annotated[
    Annotated[Geometry, Tag("placed")] | Annotated[PhotoGeometry, Tag("photo")], Discriminator(_kind_of_geometry)
]


def read_older_form(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an ``InputSpec`` where they have the older form, a side ``size`` and 1 or 3 ``channels``."""
    rest = dict(fields)
    if "size" in fields:
        side = rest.pop("size")
        rest = {"height": side, "width": side, **rest}
    if "channels" in fields:
        count = rest.pop("channels")
        rest = {"colour": {1: "grey", 3: "RGB"}.get(count, f"{count} channels"), **rest}
    return rest


class InputSpec(BaseModel):
    """The input tensor of a model, and how an image is brought into it.

    ``layout`` names the axes: N is the batch, C the colour channels, H and W the sides, P all values of an image in one row
    (line by line, the channels of a pixel together). Ink and objects are grey: a model of colour gets the same in each channel.
    ``transposed`` exchanges rows and columns, as in EMNIST. The older form, ``size`` and ``channels``, is read as well.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    layout: Layout = "NCHW"
    type: ElementType = "float32"
    height: int = Field(ge=MIN_SIDE, le=MAX_SIDE)
    width: int = Field(ge=MIN_SIDE, le=MAX_SIDE)
    colour: Colour = "grey"
    transposed: bool = False
    geometry: AnyGeometry
    normalisation: Normalisation = Normalisation()

    @model_validator(mode="before")
    @classmethod
    def _read_older_form(cls, fields: Any) -> Any:
        return read_older_form(fields) if isinstance(fields, Mapping) else fields

    @model_validator(mode="after")
    def _parts_fit_together(self) -> "InputSpec":
        geometry, side = self.geometry, min(self.height, self.width)
        if isinstance(geometry, Geometry) and geometry.fit_box > side:
            raise ValueError(f"geometry.fit_box {geometry.fit_box} is larger than size {side}")
        if isinstance(geometry, PhotoGeometry) and (geometry.shorter_side or side) < side:
            raise ValueError(f"geometry.shorter_side {geometry.shorter_side} is smaller than size {side}")
        if self.transposed and self.height != self.width:
            raise ValueError(f"transposed needs a square input, not {self.height}x{self.width}")
        if self.layout == "NHW" and self.channels != 1:
            raise ValueError(f"layout NHW has no channels, so colour must be grey, not {self.colour}")
        for name in ("mean", "std"):
            if len(getattr(self.normalisation, name)) not in (1, self.channels):
                values = len(getattr(self.normalisation, name))
                raise ValueError(f"normalisation.{name} has {values} values; colour {self.colour} needs 1 or {self.channels}")
        return self

    @property
    def channels(self) -> int:
        """The number of values of a pixel."""
        return CHANNELS[self.colour]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the tensor of one image, without the batch."""
        sizes = {"C": self.channels, "H": self.height, "W": self.width, "P": self.channels * self.height * self.width, "1": 1}
        return tuple(sizes[axis] for axis in self.layout[1:])

    @property
    def placement(self) -> Geometry:
        """The geometry of ink or an object; must not be asked for a photo."""
        assert isinstance(self.geometry, Geometry)
        return self.geometry

    @property
    def colour_side(self) -> int | None:
        """The least side of a decoded image in pixels where colour is used; None where a small grey one is enough."""
        return DECODED_SIDES * max(self.height, self.width) if isinstance(self.geometry, PhotoGeometry) else None
