"""The OpenAPI description of /models, which BentoML does not know."""

from typing import Any, Final

from serving.errors import MEDIA_TYPE

PROBLEM: Final = {
    "description": "A problem",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
}
_VERSIONS: Final = {
    "type": "object",
    "properties": {"models": {"type": "object", "additionalProperties": {"type": "string"}}},
    "required": ["models"],
}


def models_paths() -> dict[str, Any]:
    """The paths under /models and their operations."""
    return {
        "/models": {
            "get": _operation("The models, their cards, and the devices and providers really in use.", "models", {}),
        },
        "/models/reload": {
            "post": _operation(
                "Serve what the catalogue holds now, in all workers; where a model cannot be served, all stays as it is. "
                "Answers the version of every model in service.",
                "reload",
                {"schema": _VERSIONS},
            ),
        },
    }


def _operation(description: str, name: str, answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "tags": ["Service APIs"],
        "description": description,
        "operationId": f"image_classifier__{name}",
        "responses": {
            "200": {"description": "Successful Response", "content": {"application/json": answer}},
            "default": PROBLEM,
        },
    }
