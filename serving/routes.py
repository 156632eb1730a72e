"""Between HTTP and the classifiers: requests to uploads, answers and problems to responses."""

from collections.abc import Awaitable, Callable
from time import perf_counter

import bentoml
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serving.errors import Problem
from serving.settings import Settings
from serving.upload import Upload, read_upload

Handler = Callable[[Upload, float], Awaitable[BaseModel]]


async def respond(request: Request, handler: Handler, settings: Settings) -> Response:
    """Read the upload, have it handled, and answer in ready bytes; every ``Problem`` becomes its document."""
    started = perf_counter()
    try:
        upload = await read_upload(request, settings)
        answer = await handler(upload, started)
    except Problem as problem:
        return problem.response()
    return Response(answer.model_dump_json(), media_type="application/json")


async def list_models(_: Request) -> Response:
    """``GET /models``: the catalogue as this worker runs it."""
    return JSONResponse(bentoml.get_current_service().catalogue.describe())


def catalogue_app() -> Starlette:
    """The routes that are read with GET, mounted beside BentoML's own."""
    return Starlette(routes=[Route("/models", list_models, methods=["GET"])])
