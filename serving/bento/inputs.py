"""BentoML input descriptors that pass the HTTP request on unread.

BentoML's own file inputs download an address that is given in the place of a file, and answer 500 to a corrupt one. These
only describe the fields for ``/schema.json`` and ``/docs.json``; the handlers read the request (``serving.http.uploads``).

Upstream: BentoML's advisory GHSA-mrmq-3q62-6cc8 (addresses; since then only private ones are refused), BentoML/issues/4623
(corrupt files, closed). Can go when BentoML lets an API take a Starlette request and describe its fields separately.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from bentoml import IODescriptor
from pydantic import Field, create_model
from starlette.requests import Request

from serving.http.schemas import Device, ExplainOptions, Options
from serving.http.uploads import FORMATS
from serving.settings import Settings

if TYPE_CHECKING:
    from _bentoml_impl.serde import Serde

AS_TEXT: Final = "In JSON or a form also as base64 text or a data: URL."


class ImageInput(IODescriptor):
    """The input of /classify."""

    image: Path = Field(description=f"One image: {FORMATS}. {AS_TEXT}")
    model: str = Field("", description=Options.model_fields["model"].description)
    top_k: int = Field(3, ge=1, le=1000, description=Options.model_fields["top_k"].description)
    device: Device = Field("auto", description=Options.model_fields["device"].description)

    @classmethod
    async def from_http_request(cls, request: Request, serde: "Serde") -> "ImageInput":  # noqa: ARG003 - BentoML's signature
        """Pass the request on unread: the handler reads it within the limits."""
        return cls.model_construct(image=request)


class ExplainInput(ImageInput):
    """The input of /explain."""

    heatmap: bool = Field(True, description=ExplainOptions.model_fields["heatmap"].description)
    character: int | None = Field(None, ge=0, description=ExplainOptions.model_fields["character"].description)


class BatchInput(IODescriptor):
    """The input of /classify/batch."""

    images: list[Path] = Field(description=f"Images: {FORMATS}. {AS_TEXT}")
    model: str = Field("", description=Options.model_fields["model"].description)
    top_k: int = Field(3, ge=1, le=1000, description=Options.model_fields["top_k"].description)
    device: Device = Field("auto", description=Options.model_fields["device"].description)

    @classmethod
    async def from_http_request(cls, request: Request, serde: "Serde") -> "BatchInput":  # noqa: ARG003 - BentoML's signature
        """Pass the request on unread, as ``ImageInput``."""
        return cls.model_construct(images=request)


def with_default_model(form: type[IODescriptor], settings: Settings) -> type[IODescriptor]:
    """The input descriptor with the default model in its description."""
    field = Field(settings.default_model, description=Options.model_fields["model"].description)
    return create_model(form.__name__, __base__=form, __doc__=form.__doc__, model=(str, field))
