"""The page of the API at ``/``, and the description it shows.

Both take the place of BentoML's, which load scripts and pictures from elsewhere; this page asks nobody but the service, and its
headers hold a browser to that.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from serving.http.openapi_gallery import REFERENCE, gallery_paths, gallery_schemas
from serving.http.openapi_models import PROBLEM, catalogue_paths
from serving.http.openapi_uploads import describe_upload
from serving.middleware.authentication import PUBLIC_PATHS
from serving.schemas import Batch, Classification, Explanation, ProblemDocument

TITLE: Final = "Image classifier"
ABOUT: Final = (
    "A picture in, a label with calibrated probabilities out. `GET /models` lists the models. Errors are RFC 9457 documents; "
    "their `detail` says what to do."
)
NO_BENTO: Final = "None"  # what BentoML calls the version of what is not
# BentoML's errors and tasks, which nobody meets here.
FOREIGN_SCHEMAS: Final = ("InvalidArgument", "NotFound", "InternalServerError", "TaskStatusResponse")
# BentoML describes only the first of what may be one thing or another: nothing would be null, every image of a batch be read.
ANSWERS: Final[dict[str, type[BaseModel]]] = {"/classify": Classification, "/classify/batch": Batch, "/explain": Explanation}

_STYLE: Final = "body { margin: 0 } noscript { display: block; padding: 2rem; font-family: sans-serif }"
_SCRIPT: Final = (
    'SwaggerUIBundle({ url: "./docs.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null, '
    "presets: [SwaggerUIBundle.presets.apis] })"
)
PAGE: Final = f"""<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{TITLE} API</title>
    <link rel="icon" type="image/png" href="./static_content/favicon-light-32x32.png">
    <link rel="stylesheet" href="./static_content/swagger-ui.css">
    <style>{_STYLE}</style>
  </head>
  <body>
    <main id="swagger-ui"></main>
    <noscript>This page needs JavaScript. The description it shows is <a href="./docs.json">docs.json</a>.</noscript>
    <script src="./static_content/swagger-ui-bundle.js"></script>
    <script>{_SCRIPT}</script>
  </body>
</html>
"""


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"script-src 'self' {_hash(_SCRIPT)}",
        f"style-src 'self' {_hash(_STYLE)}",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


def describe(spec: dict[str, Any], with_keys: bool) -> dict[str, Any]:
    """The API's OpenAPI description, made from BentoML's."""
    schemas = {name: schema for name, schema in spec["components"]["schemas"].items() if name not in FOREIGN_SCHEMAS}
    _, answers = models_json_schema([(schema, "serialization") for schema in ANSWERS.values()], ref_template=REFERENCE)
    schemas |= {"ProblemDocument": ProblemDocument.model_json_schema(), **answers["$defs"], **gallery_schemas()}
    components: dict[str, Any] = {"schemas": schemas}
    paths = {path: {method: _operation(told) for method, told in item.items()} for path, item in spec["paths"].items()}
    for path, schema in ANSWERS.items():
        content = {"application/json": {"schema": {"$ref": REFERENCE.format(model=schema.__name__)}}}
        paths[path]["post"] = operation = describe_upload(paths[path]["post"])
        operation["responses"]["200"] = {"description": "Successful Response", "content": content}
    version = spec["info"]["version"]
    info = {"title": TITLE, "version": "not built" if version == NO_BENTO else version, "description": ABOUT}
    described = {**spec, "info": info, "components": components, "paths": {**paths, **catalogue_paths(), **gallery_paths()}}
    if with_keys:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        described["security"] = [{"key": []}]
        described["paths"] = {
            path: _without_key(item) if path in PUBLIC_PATHS else item for path, item in described["paths"].items()
        }
    return described


def _operation(told: dict[str, Any]) -> dict[str, Any]:
    """An operation whose answers, if they are not what was asked for, are problems."""
    wanted = {str(status): answer for status, answer in told["responses"].items() if str(status).startswith("2")}
    return {**told, "responses": {**wanted, "default": PROBLEM}}


def _without_key(item: dict[str, Any]) -> dict[str, Any]:
    """A path whose operations need no key."""
    return {method: {**told, "security": []} for method, told in item.items()}


def api_page(service: Any, with_keys: bool) -> Starlette:
    """The page at ``/`` and its ``/docs.json``, which describe a BentoML service."""

    @cache  # of the service once it is complete
    def description() -> Response:
        return JSONResponse(describe(service.openapi_spec.asdict(), with_keys))

    async def page(_: Request) -> Response:
        return HTMLResponse(PAGE, headers={"Content-Security-Policy": POLICY})

    def docs(_: Request) -> Response:  # in a thread, since it is no coroutine: the first one takes long
        return description()

    return Starlette(routes=[Route("/", page), Route("/docs.json", docs)])
