"""The service with a route that shows what its process does, and two routes that BentoML answers itself, for the tests of the
patches."""

import gc
import sys
import threading
from typing import Any

from bentoml import Service
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service import ImageClassifier
from serving.http.routes import FAST_PATH

INSIDE = "/inside"
OFF_THE_FAST_PATH = ("/explain", "/classify/batch")

schema_threads: list[str] = []
make_schema = Service.schema


def recorded_schema(self: Any) -> Any:
    """The schema; the thread that makes it is recorded."""
    schema_threads.append(threading.current_thread().name)
    return make_schema(self)


async def inside(_: Request) -> Response:
    """The functions that this request runs in, the live timers of the event loop, and the threads that made a schema."""
    functions, frame = [], sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        functions.append(f"{frame.f_code.co_filename}:{frame.f_code.co_name}")
    timers = sum(type(one).__name__ == "TimerHandle" for one in gc.get_objects())
    return JSONResponse({"functions": functions, "timers": timers, "schema_threads": schema_threads})


Service.schema = recorded_schema
for path in OFF_THE_FAST_PATH:
    del FAST_PATH[path]
# mypy does not know that the decorator makes a Service of the class.
ImageClassifier.mount_asgi_app(Starlette(routes=[Route(INSIDE, inside)]), path="/")  # type: ignore[attr-defined]
