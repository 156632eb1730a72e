"""The OpenAPI description of image uploads: BentoML describes only the multipart form."""

from typing import Any, Final

from serving.http.text_bodies import JSON_EXAMPLE
from serving.http.uploads import FORMATS

MEDIA_TYPES: Final = ("image/png", "image/jpeg", "image/webp", "image/bmp", "image/gif", "application/octet-stream")
BINARY: Final = {"type": "string", "format": "binary"}
TEXT: Final = {
    "type": "string",
    "description": "The image file as base64, with or without `data:image/png;base64,` before it, as `canvas.toDataURL()` "
    "gives it. Padding may be missing, and the URL-safe alphabet is read. Addresses are never fetched.",
}
IMAGE: Final = (
    f"One image: {FORMATS}. As a file of a multipart form, whose field may have any name if it is the only file; as the body "
    f"itself; or as base64 text, like {JSON_EXAMPLE}."
)
IMAGES: Final = (
    f"Images: {FORMATS}. As files of a multipart form, in repeated fields `images` or, where there is none, of any name; or as "
    'base64 text, like {"images": ["<base64>", "<base64>"]}.'
)


def image_body(form: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The body of a request with one image; ``form`` describes the multipart form, ``options`` the other properties."""
    text = {"schema": {"type": "object", "properties": {"image": TEXT, **options}, "required": ["image"]}}
    content = {"multipart/form-data": form, "application/json": text, "application/x-www-form-urlencoded": text}
    itself = {media_type: {"schema": BINARY} for media_type in MEDIA_TYPES}
    return {"required": True, "description": IMAGE, "content": content | itself}


def batch_body(form: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The body of a request with many images, as ``image_body``."""
    texts = {"type": "array", "items": TEXT, "minItems": 1}
    text = {"schema": {"type": "object", "properties": {"images": texts, **options}, "required": ["images"]}}
    return {"required": True, "description": IMAGES, "content": {"multipart/form-data": form, "application/json": text}}


def describe_upload(operation: dict[str, Any]) -> dict[str, Any]:
    """BentoML's description of a route that takes images, with all encodings and the options as query parameters."""
    form = operation["requestBody"]["content"]["multipart/form-data"]
    properties = form["schema"]["properties"]
    options = {name: field for name, field in properties.items() if name not in ("image", "images")}
    body = (image_body if "image" in properties else batch_body)(form, options)
    return {**operation, "requestBody": body, "parameters": query_parameters(options)}


def query_parameters(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """Properties as optional query parameters."""
    return [
        {"name": name, "in": "query", "description": field.get("description", ""), "schema": field}
        for name, field in fields.items()
    ]
