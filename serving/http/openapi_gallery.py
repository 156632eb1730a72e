"""The OpenAPI description of /gallery, which BentoML does not know."""

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from serving.errors import MEDIA_TYPE
from serving.http.gallery_schemas import Correction, Emptied, EntryFilter, GalleryEntry, GalleryPage, ListOptions, SaveOptions
from serving.http.openapi_uploads import BINARY, image_body, query_parameters
from serving.http.schemas import Options

REFERENCE: Final = "#/components/schemas/{model}"
PNG: Final = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
ZIP: Final = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
KEPT: Final = {media_type: {"schema": BINARY} for media_type in ("image/png", "image/jpeg", "image/webp")}
ID: Final = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}


def gallery_schemas() -> dict[str, Any]:
    """The schemas that the paths refer to, by name."""
    _, schemas = models_json_schema(
        [(schema, "serialization") for schema in (GalleryEntry, GalleryPage, Correction, Emptied)], ref_template=REFERENCE
    )
    return dict(schemas["$defs"])


def gallery_paths() -> dict[str, Any]:
    """The paths under /gallery and their operations."""
    entry, page = _json(GalleryEntry), _json(GalleryPage)
    return {
        "/gallery": {
            "get": _operation("Kept pictures, newest first.", "200", page, _query(ListOptions)),
            "post": _create_operation(entry),
            "delete": _operation("Remove every entry.", "200", _json(Emptied)),
        },
        "/gallery/export": {
            "get": _operation(
                "A ZIP file: LABEL/ID.png (.jpg, .webp) of each entry, and manifest.json. Few at a time; more get 429.",
                "200",
                ZIP,
                _query(EntryFilter),
            )
        },
        "/gallery/{id}": {
            "get": _operation("One entry.", "200", entry, [ID]),
            "patch": _operation("Correct the label, or take that back.", "200", entry, [ID], _json(Correction)),
            "delete": _operation("Remove one entry.", "204", None, [ID]),
        },
        "/gallery/{id}/image": {"get": _operation("The kept picture, of the media type it was kept in.", "200", KEPT, [ID])},
    }


def _create_operation(entry: dict[str, Any]) -> dict[str, Any]:
    description = (
        "Classify one image and keep it. An entry of the same `key` is renewed instead, and answered 200; with API keys each "
        "has entries of its own. After a 503 that says so nothing was changed."
    )
    options = _properties(Options, SaveOptions)
    form = {"schema": {"type": "object", "properties": {"image": BINARY, **options}}}
    operation = _operation(description, "201", entry, query_parameters(options))
    operation["requestBody"] = image_body(form, options)
    operation["responses"]["200"] = {"description": "Renewed", "content": entry}
    return operation


def _operation(
    description: str,
    status: str,
    answer: dict[str, Any] | None,
    parameters: list[dict[str, Any]] | None = None,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    problem = {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(model="ProblemDocument")}}}
    operation: dict[str, Any] = {
        "tags": ["Gallery"],
        "description": description,
        "parameters": parameters or [],
        "responses": {
            status: {"description": "Successful Response"} | ({"content": answer} if answer else {}),
            "default": {"description": "A problem", "content": problem},
        },
    }
    return operation | ({"requestBody": {"required": True, "content": body}} if body else {})


def _query(*schemas: type[BaseModel]) -> list[dict[str, Any]]:
    """The fields of the schemas as query parameters."""
    return query_parameters(_properties(*schemas))


def _properties(*schemas: type[BaseModel]) -> dict[str, Any]:
    """The properties of the schemas, by name."""
    return {name: field for schema in schemas for name, field in schema.model_json_schema()["properties"].items()}


def _json(schema: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REFERENCE.format(model=schema.__name__)}}}
