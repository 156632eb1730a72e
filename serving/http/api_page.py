"""The Swagger page of the API at ``/``, and its ``/docs.json``.

Both replace BentoML's, which load scripts and pictures from other hosts; this page loads everything from the service, and its
Content-Security-Policy enforces that.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

TITLE: Final = "Image classifier"
_STYLE: Final = "body { margin: 0 } noscript { display: block; padding: 2rem; font-family: sans-serif }"
# Leaves out the routes for operators, and names the server by the address that the visitor used.
_SCRIPT: Final = """fetch("./docs.json").then(response => response.json()).then(description => {
      const shown = Object.entries(description.paths).filter(([, item]) => !item["x-internal"]);
      const servers = [{ url: new URL(".", location.href).href.replace(/[/]$/, "") }];
      const spec = { ...description, paths: Object.fromEntries(shown), servers };
      const presets = [SwaggerUIBundle.presets.apis];
      SwaggerUIBundle({ spec, dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null, presets });
    })"""
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


def api_page(service: Any, with_keys: bool) -> Starlette:
    """The page at ``/`` and its ``/docs.json``, which describe a BentoML service."""

    @cache  # made at the first request, when the service is complete
    def description() -> Response:
        from serving.http.openapi import openapi_document  # here, so that only API workers load the database libraries

        return JSONResponse(openapi_document(service.openapi_spec.asdict(), with_keys))

    async def page(_: Request) -> Response:
        return HTMLResponse(PAGE, headers={"Content-Security-Policy": POLICY})

    def docs(_: Request) -> Response:  # not async, so that it runs in a thread: the first call is slow
        return description()

    return Starlette(routes=[Route("/", page), Route("/docs.json", docs)])
