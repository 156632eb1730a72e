"""The OpenAPI description of the API: BentoML's, corrected, with the routes that BentoML does not know."""

import re
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from serving.http.openapi_gallery import REFERENCE, gallery_paths, gallery_schemas
from serving.http.openapi_models import PROBLEM, models_paths
from serving.http.openapi_uploads import describe_upload
from serving.http.schemas import Batch, Classification, Explanation, ProblemDocument
from serving.middleware.authentication import PUBLIC_PATHS

TITLE: Final = "Image classifier"
ABOUT: Final = (
    "A picture in, a label with calibrated probabilities out. `GET /models` lists the models. Errors are RFC 9457 documents; "
    "their `detail` says what to do."
)
NO_BENTO: Final = "None"  # BentoML's version of a service that runs from source
PROJECT: Final = Path(__file__).parents[2] / "pyproject.toml"
# Routes for operators. They are marked, so that the API's page can leave them out; the description has them.
OPERATORS_TAG: Final = "Infrastructure"
OPERATORS_PATHS: Final = ("/models/reload",)
INTERNAL: Final = "x-internal"
# Schemas of BentoML's own errors and tasks, which the API does not have.
FOREIGN_SCHEMAS: Final = ("InvalidArgument", "NotFound", "InternalServerError", "TaskStatusResponse")
# BentoML describes only the first member of a union: no field could be null, and no image of a batch could fail.
ANSWERS: Final[dict[str, type[BaseModel]]] = {"/classify": Classification, "/classify/batch": Batch, "/explain": Explanation}


def openapi_document(spec: dict[str, Any], with_keys: bool) -> dict[str, Any]:
    """The OpenAPI description of the API, from BentoML's ``spec``; ``with_keys``: API keys are required."""
    schemas = {name: schema for name, schema in spec["components"]["schemas"].items() if name not in FOREIGN_SCHEMAS}
    _, answers = models_json_schema([(schema, "serialization") for schema in ANSWERS.values()], ref_template=REFERENCE)
    schemas |= {"ProblemDocument": ProblemDocument.model_json_schema(), **answers["$defs"], **gallery_schemas()}
    components: dict[str, Any] = {"schemas": schemas}
    paths = {
        path: {method: _operation(operation) for method, operation in item.items()} for path, item in spec["paths"].items()
    }
    for path, schema in ANSWERS.items():
        content = {"application/json": {"schema": {"$ref": REFERENCE.format(model=schema.__name__)}}}
        paths[path]["post"] = operation = describe_upload(paths[path]["post"])
        operation["responses"]["200"] = {"description": "Successful Response", "content": content}
    version = spec["info"]["version"]
    info = {"title": TITLE, "version": source_version() if version == NO_BENTO else version, "description": ABOUT}
    paths = {path: _mark_internal(path, item) for path, item in {**paths, **models_paths(), **gallery_paths()}.items()}
    described = {**spec, "info": info, "components": components, "paths": paths}
    if with_keys:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        described["security"] = [{"key": []}]
        described["paths"] = {
            path: _without_key(item) if path in PUBLIC_PATHS else item for path, item in described["paths"].items()
        }
    return described


def source_version() -> str:
    """The version of a service that runs from source: the project's."""
    found = re.search(r'^version = "(.+)"$', PROJECT.read_text(encoding="utf-8"), re.MULTILINE) if PROJECT.is_file() else None
    return f"{found[1]} (from source)" if found else "from source"


def _mark_internal(path: str, item: dict[str, Any]) -> dict[str, Any]:
    """A path that is marked if only operators use it."""
    tags = {tag for operation in item.values() for tag in operation.get("tags", ())}
    return {**item, INTERNAL: True} if path in OPERATORS_PATHS or OPERATORS_TAG in tags else item


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    """An operation whose responses other than 2xx are problem documents."""
    wanted = {str(status): answer for status, answer in operation["responses"].items() if str(status).startswith("2")}
    return {**operation, "responses": {**wanted, "default": PROBLEM}}


def _without_key(item: dict[str, Any]) -> dict[str, Any]:
    """A path whose operations need no key."""
    return {name: {**value, "security": []} if name != INTERNAL else value for name, value in item.items()}
